"""Which rules of `app/policy` the database makes no promise of, and why: the one table of exceptions.

An exception is about a rule, never about a command: a command that another rule refuses as well must be refused.
"""

from __future__ import annotations

from tests.guards.rules_off.switch import Rule

WORDS = "wording, which no promise of P1 to P12 is about: the people who decide read it"
EXCUSED: dict[Rule, str] = {
    Rule("REQ-102", "judge"): WORDS,
    Rule("REQ-103", "explains_why_not"): WORDS,
    Rule("REQ-103", "is_clean"): WORDS,
    Rule("REQ-107", "is_clean"): WORDS,
    Rule("REQ-109", "can_be_told"): "which address that is the owner says (p92); until then it is a setting of the"
    " console's, and no part of what is declared",
    Rule("REQ-502", "is_finding"): WORDS,
}
