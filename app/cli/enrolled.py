"""How `init` and `staff add` show a fresh enrolment: once, as JSON, or as a QR code and words."""

from __future__ import annotations

import io
import sys

from app.cli.output import print_json, print_pairs, put, say
from app.enrolment import Enrolment


def show(staff_id: str, email: str, enrolment: Enrolment, database: str | None = None, *, as_json: bool) -> None:
    """Print what the person needs and nobody can read again; `database`: their own address of it, on PostgreSQL."""
    document: dict[str, object] = {
        "id": staff_id,
        "email": email,
        "otpauth": enrolment.otpauth,
        "secret": enrolment.secret,
        "recovery_codes": list(enrolment.recovery_codes),
    }
    if database is not None:
        document["database"] = database
    if as_json:
        print_json(document)
        return
    if sys.stdout.isatty():
        sys.stdout.write(qr_code(enrolment.otpauth))
    print_pairs([(name, document[name]) for name in document if name != "recovery_codes"])
    put("recovery codes, each good once:")
    for code in enrolment.recovery_codes:
        put(f"  {code}")
    say("This is shown once. Scan the code or type the secret into an authenticator, and keep the recovery codes.")


def qr_code(text: str) -> str:
    """A QR code in half blocks."""
    import segno

    out = io.StringIO()
    segno.make(text, error="l").terminal(out, compact=True)
    return out.getvalue()
