"""A fresh second factor: what its owner is shown once, and what is stored of it (REQ-702)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.shared import totp

if TYPE_CHECKING:
    from storage.shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`secret`, `otpauth` and `recovery_codes` are shown once and kept nowhere; the other two are stored."""

    secret: str
    otpauth: str
    recovery_codes: tuple[str, ...]
    sealed_secret: str
    recovery_hashes: tuple[str, ...]


def new_enrolment(email: str, vault: Vault) -> Enrolment:
    """A secret and ten recovery codes for the person with that address."""
    secret, codes = totp.new_secret(), totp.new_recovery_codes()
    return Enrolment(
        secret,
        totp.otpauth_uri(secret, email),
        codes,
        vault.seal(secret),
        tuple(totp.recovery_hash(code) for code in codes),
    )
