"""Second factors: TOTP as RFC 6238 says, each code once; recovery codes (REQ-702)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pyotp
import pytest

from storage.shared import totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_VECTORS = [  # RFC 6238, appendix B, SHA-1, 8 digits
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "digits"), RFC_VECTORS)
def test_pyotp_gives_the_codes_of_rfc_6238(seconds: int, digits: str) -> None:
    assert pyotp.TOTP(RFC_SECRET, digits=8).at(seconds) == digits


@pytest.mark.parametrize(("seconds", "digits"), RFC_VECTORS)
def test_the_codes_of_rfc_6238_are_accepted_at_their_time(seconds: int, digits: str) -> None:
    assert totp.code_at(RFC_SECRET, _at(seconds)) == digits[-6:]
    assert totp.accepted_step(RFC_SECRET, digits[-6:], _at(seconds), last_step=0) == seconds // 30


@pytest.mark.parametrize("offset", [-30, 0, 30])
def test_a_code_of_the_step_before_or_after_is_accepted(offset: int) -> None:
    now = 1111111111
    code = totp.code_at(RFC_SECRET, _at(now + offset))
    assert totp.accepted_step(RFC_SECRET, code, _at(now), last_step=0) == (now + offset) // 30


@pytest.mark.parametrize("offset", [-60, 60, 3600])
def test_a_code_further_off_is_refused(offset: int) -> None:
    code = totp.code_at(RFC_SECRET, _at(1111111111 + offset))
    assert totp.accepted_step(RFC_SECRET, code, _at(1111111111), last_step=0) is None


def test_each_code_is_accepted_once_and_no_older_one_after_it() -> None:
    now = _at(1111111111)
    before, code = totp.code_at(RFC_SECRET, _at(1111111081)), totp.code_at(RFC_SECRET, now)
    step = totp.accepted_step(RFC_SECRET, code, now, last_step=0)
    assert step is not None
    assert totp.accepted_step(RFC_SECRET, code, now, last_step=step) is None
    assert totp.accepted_step(RFC_SECRET, before, now, last_step=step) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "12345a", "٠٥٠٤٧١", "-50471", "+50471"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert totp.accepted_step(RFC_SECRET, code, _at(1111111111), last_step=0) is None


def test_a_code_may_be_typed_with_a_space() -> None:
    assert totp.accepted_step(RFC_SECRET, "050 471", _at(1111111111), last_step=0) is not None


def test_recovery_codes_differ_and_hash_alike_however_they_are_typed() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    for code in codes:
        assert totp.is_recovery_code(code)
        typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
        assert totp.recovery_hash(typed) == totp.recovery_hash(code)
    assert not totp.is_recovery_code("050471")


def test_the_otpauth_address_carries_secret_and_name() -> None:
    uri = totp.otpauth_uri(RFC_SECRET, "ada@operator.example")
    parsed = pyotp.parse_uri(uri)
    assert (parsed.secret, parsed.name, parsed.issuer) == (RFC_SECRET, "ada@operator.example", "Countersign")
