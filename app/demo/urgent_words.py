"""What people in the demo say where a tenant cannot be asked, or disagrees: break-glass, vetoes, emergencies, disputes,
reviews. `{a}` and `{b}` stand for record numbers, as in `cases`."""

from __future__ import annotations

CANNOT_WAIT: tuple[str, ...] = (
    "Payroll run {a} must reach the bank before its cut-off at 18:00 or 212 salaries are paid late; both admins were "
    "called three times since yesterday and nobody picked up.",
    "The auditor of the customer closes the file on job {b} tonight, and the missing order lines can only be read from "
    "the job's live row; phone and chat to every admin stayed unanswered.",
)
VETOES: tuple[str, ...] = (
    "We were at the fair and saw this only now. Nobody enters: the export is run again by our own people tonight.",
    "Payroll was booked by hand an hour ago; there is nothing left to look at.",
)
EMERGENCIES: tuple[str, ...] = (
    "The returns job cancels paid orders of today every minute since article {a} went below zero, and a cancelled "
    "order cannot be restored; in two hours about 300 would be lost.",
)
CLAIMS: tuple[str, ...] = (
    "A search over customers named Brooks answers 212 people; the ticket that we approved speaks of one record.",
    "We approved a look at what the ticket names. This is none of it, and we want to know what it was read for.",
)
EMERGENCY_FINDING = (
    "Read the dossier, the job's log and both declarations: orders were lost until the job was stopped; what was "
    "viewed stands in the scope, and the session ended as soon as the cause was known."
)
DISPUTE_FINDING = (
    "The search was typed too wide by mistake and was ended by a super after three minutes; no record of its result "
    "was opened. The engineer was talked to, and searches now ask for a number."
)
