"""The guided walk-through of the demo: what to press next, told by what has happened so far."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from storage.models import Role, Staff
from storage.models.row import time_text
from widgets.dialog import Notice

Seen = str
"""SQL that finds out whether a step is done: given the person's id and since when."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: in a line, in full, and how it shows that it was done ("" cannot be told)."""

    line: str
    words: str
    seen: Seen = ""


ASK = "SELECT 1 FROM request WHERE engineer_id = ?1 AND created_at >= ?2"
DECIDED = "SELECT 1 FROM request WHERE engineer_id = ?1 AND json_extract(image, '$.decided_at') >= ?2"
APPROVED = DECIDED + " AND state <> 'vetoed'"
VETOED = DECIDED + " AND state = 'vetoed'"
STARTED = "SELECT 1 FROM session WHERE engineer_id = ?1 AND started_at >= ?2"
LOGGED = STARTED + " AND json_extract(image, '$.views') > 0"
ENDED = STARTED + " AND json_extract(image, '$.outcome') IS NOT NULL"
STAFF_DID = "SELECT 1 FROM operator_log WHERE actor_id = ?1 AND at >= ?2 AND action "

ENGINEER = (
    Step("n: ask for access", "Press n. Choose a tenant and a user, give a ticket and a specific reason; at the right "
         "stands what will happen. Ctrl+S submits, F8 types your code.", ASK),
    Step("F9: play the tenant and approve", "Press F9. The letter that the tenant's admin got is marked ▸; a approves, "
         "f approves for fewer minutes, d denies, b asks back. The console shows it within a second.", APPROVED),
    Step("1, ⏎: start the session", "On the queue (1) your request is approved: ⏎ starts it, with your code (F8). The "
         "clock starts now and cannot be extended.", STARTED),
    Step("2, l: log what you look at", "On the sessions (2) press l and note a record: names, never values. A second "
         "console sees it within a second.", LOGGED),
    Step("x: end it with an outcome", "Press x, and say what you found. Closing without an outcome is not possible: "
         "it would be owed.", ENDED),
    Step("1, b: declare break-glass", "On the queue (1) nobody at Tailspin answered for a day: b says why it cannot "
         "wait, with your code (F8). A super must agree, and then the tenant has two hours to stop it.",
         STAFF_DID + "= 'break_glass.declared'"),
    Step("F9, v: veto it as the tenant", "Another of yours, at Coho, is cooling. In the mailbox (F9) its letter is "
         "marked veto?; v stops it for good. s turns the tenant's kill switch, which ends everything.", VETOED),
    Step("3, v: verify the whole story", "On the audit (3) every step has its entry. v checks every hash; ! says "
         "how. Change one byte of the file with sqlite3 and see it found."),
)  # fmt: skip
SUPER = (
    Step("1, c: countersign a request", "Lee asks for full access: c countersigns as the second person, with your "
         "code (F8). Nobody can countersign their own.", STAFF_DID + "= 'request.countersigned'"),
    Step("1, c: countersign break-glass", "Raj reached nobody at Alpine for a day and declared break-glass: c agrees "
         "as the second person. Every admin is mailed, and has two hours to veto.",
         STAFF_DID + "= 'break_glass.countersigned'"),
    Step("2: answer who asks for full", "On the sessions (2) Mia has asked for full access while inside: u answers.",
         STAFF_DID + "IN ('elevation.granted', 'elevation.declined')"),
    Step("2, f: force-end a session", "f ends somebody's session at once, with a reason that the tenant gets to read.",
         STAFF_DID + "= 'session.force_ended'"),
    Step("1, E: declare an emergency", "On a request that waits, E lets its engineer in without the tenant, if a "
         "second super agrees: for data loss and the like. It is registered, mailed to legal, and reviewed.",
         STAFF_DID + "= 'emergency.declared'"),
    Step("4: what did the tenants set?", "The inspector (4) tells every setting, what it means, and who changed it."),
    Step("3, v: verify the whole story", "On the audit (3) v checks every hash, ! says how it was verified."),
)  # fmt: skip
AUDITOR = (
    Step("3, /: find what matters", "On the audit (3) filter: action:session.* tenant:coho since:7d. An auditor reads "
         "everything and changes nothing: the other keys are dim, and say why."),
    Step("5, s: sign what is disputed", "On the review (5) a tenant disputes a look beyond its scope: ⏎ shows the "
         "evidence, s signs with what you found. Whoever had a part in it cannot.", STAFF_DID + "= 'review.signed'"),
    Step("2: read a session", "On the sessions (2) each has its dossier: who, why, what was viewed, how long."),
    Step("4: what did the tenants set?", "The inspector (4) tells every setting, what it means, and who changed it."),
    Step("3, v: verify the whole story", "On the audit (3) v checks every hash, ! says how it was verified."),
)  # fmt: skip
STEPS = {Role.ENGINEER: ENGINEER, Role.SUPER: SUPER, Role.AUDITOR: AUDITOR}


def done(reader: sqlite3.Connection, staff: Staff, since: datetime) -> int:
    """How many steps lie behind this person. A later step that is done takes the earlier ones with it."""
    steps = STEPS[staff.role]
    for number in range(len(steps), 0, -1):
        step = steps[number - 1]
        if step.seen and reader.execute(step.seen + " LIMIT 1", (staff.id, time_text(since))).fetchone():
            return number
    return 0


def line(reader: sqlite3.Connection, staff: Staff, since: datetime) -> str:
    """The next step in a few words."""
    steps, number = STEPS[staff.role], done(reader, staff, since)
    return f"{number + 1}/{len(steps)} {steps[number].line}" if number < len(steps) else "✓ that was all"


def guide(reader: sqlite3.Connection, staff: Staff, since: datetime) -> Notice:
    """Every step, those behind marked."""
    behind = done(reader, staff, since)
    parts: list[tuple[str, str]] = []
    for number, step in enumerate(STEPS[staff.role]):
        mark, tone = (
            ("✓", "$tone-dim") if number < behind else ("▸", "bold $tone-accent") if number == behind else (" ", "")
        )
        parts.append((f"{mark} {number + 1}  {step.line}\n", tone))
        parts.append((f"     {step.words}\n\n", "$tone-dim" if number != behind else ""))
    parts.append(
        ("Everybody else here is simulated; what you ask for waits for you in the mailbox (F9). ", "$tone-dim")
    )
    parts.append(("A second `make demo --as super` in another terminal shares this world.", "$tone-dim"))
    return Notice("Walk-through", Content.assemble(*parts), wide=True)
