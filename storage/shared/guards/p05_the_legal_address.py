"""P5, told in time: an emergency is told to the operator's own legal address as well, and to no other in its place
(REQ-109). Where the guards do not know which address that is, a letter to it must do, wherever it goes."""

from __future__ import annotations

from storage.log.actions import Action
from storage.shared.guards.case import Case, refuse

LEGAL = "operator/legal"


def check(case: Case) -> None:
    if Action.EMERGENCY_COUNTERSIGNED not in case.actions:
        return
    address = case.limits.legal_email.casefold()
    letters = [mail for mail in case.change.mails if mail.to_id == LEGAL]
    if not any(address in ("", mail.to_email.casefold()) for mail in letters):
        refuse("P5", "the operator's legal address must be told of an emergency")
