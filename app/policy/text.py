"""What text people may give: long enough to say something, short enough to read, no control characters.

Refusing them here keeps logs, letters and terminals clean at the source; the gates on the way out (widgets, letters)
do not rely on it.
"""

from __future__ import annotations

import unicodedata

from app.policy.verdict import Verdict, rule

TICKET_MAX = 64
REASON_MAX = 2000
SCOPE_MAX = 1000
WHY_NOT_MAX = 1000
NOTE_MAX = 1000
NAME_MAX = 200
EMAIL_MAX = 254
OUTCOME_MAX = 2000
VIEWED_NAME_MAX = 300
FIELDS_MAX = 100

_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}  # controls, lone surrogates (no UTF-8), line and paragraph separators


def odd_characters(text: str, several_lines: bool) -> list[str]:
    """The characters that may not stand in `text`, as code points for people: "U+001B"."""
    return [
        f"U+{ord(c):04X}"
        for c in dict.fromkeys(text)
        if unicodedata.category(c) in _FORBIDDEN and not (several_lines and c == "\n")
    ]


def is_clean(name: str, label: str, text: str, maximum: int, *, needed: bool = True, lines: bool = True) -> Verdict:
    """Rule `name`: `label` is there (where needed), at most `maximum` characters, free of control characters."""
    odd = odd_characters(text, lines)
    if odd:
        what = "control characters" + ("" if lines else " or line breaks")
        return rule(name, False, "", f"the {label} holds {what} ({', '.join(odd[:3])}): remove them")
    if needed and not is_visible(text):
        return rule(name, False, "", f"the {label} is missing")
    return rule(
        name,
        len(text) <= maximum,
        f"the {label} is given" if text.strip() else f"no {label}",
        f"the {label} has {len(text):,} characters; at most {maximum:,}",
    )


def is_visible(text: str) -> bool:
    """Whether anything in it would be seen: spaces and zero-width characters alone are nothing."""
    return any(unicodedata.category(c) not in ("Zs", "Cc", "Cf", "Zl", "Zp") for c in text)


def is_ticket(ticket: str) -> Verdict:
    """REQ-101: nothing opens without a ticket reference."""
    return is_clean("REQ-101", "ticket", ticket, TICKET_MAX, lines=False)


def is_email(email: str) -> Verdict:
    """REQ-701: an address that letters can reach and that two people cannot share by accident."""
    local, at, domain = email.rpartition("@")
    plausible = bool(local and at and domain) and not any(c.isspace() or c in '<>(),;:"[]\\' for c in email)
    return is_clean("REQ-701", "e-mail address", email, EMAIL_MAX, lines=False) & rule(
        "REQ-701",
        plausible and "@" not in local,
        "the e-mail address is well-formed",
        f"{email!r} is no e-mail address",
    )
