"""Second factors: TOTP (RFC 6238, SHA-1, 6 digits, 30 s) and recovery codes (REQ-702). Pure functions."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime

STEP_SECONDS = 30
WINDOW = 1
"""Steps accepted on either side of now: a code typed slowly, or a telephone half a minute off."""
RECOVERY_CODES = 10
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_RECOVERY = re.compile(r"[0-9A-HJKMNP-TV-Z]{16}")


def new_secret() -> str:
    """A fresh 160-bit secret in base 32."""
    import pyotp

    return pyotp.random_base32()


def otpauth_uri(secret: str, email: str, issuer: str = "Countersign") -> str:
    """The `otpauth://` address that authenticator apps read from a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def code_at(secret: str, now: datetime) -> str:
    """The code that is right at `now`: for the demo and for tests."""
    import pyotp

    return pyotp.TOTP(secret).generate_otp(step_of(now))


def step_of(moment: datetime) -> int:
    """The number of the 30-second step that `moment` lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The newest step within the window whose code this is, used before or not; None if there is none."""
    import pyotp

    totp, current, digits = pyotp.TOTP(secret), step_of(now), code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    matches = [
        step
        for step in range(current + WINDOW, current - WINDOW - 1, -1)
        if step >= 0 and hmac.compare_digest(totp.generate_otp(step), digits)
    ]
    return matches[0] if matches else None


def accepted_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The step that a right, fresh code stands for; None if it is wrong, or not newer than `last_step` (each code
    once: store the step given back as the next `last_step`)."""
    step = matching_step(secret, code, now)
    return step if step is not None and step > last_step else None


def new_recovery_codes(count: int = RECOVERY_CODES) -> tuple[str, ...]:
    """Fresh recovery codes, 80 random bits each, as `7K2F-9QXW-…`: too many for guessing, hashed or not."""
    return tuple("-".join("".join(secrets.choice(CROCKFORD) for _ in range(4)) for _ in range(4)) for _ in range(count))


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code: SHA-256 in hex of its sixteen signs, however it was typed."""
    return hashlib.sha256(b"countersign recovery " + _plain(code).encode()).hexdigest()


def is_recovery_code(code: str) -> bool:
    """Whether the text has the form of a recovery code, as opposed to a TOTP code."""
    return _RECOVERY.fullmatch(_plain(code)) is not None


def _plain(code: str) -> str:
    """Upper case without separators; signs that Crockford's base 32 leaves out are read as what they look like."""
    return re.sub(r"[\s-]", "", code).upper().replace("O", "0").replace("I", "1").replace("L", "1")
