"""The promises that the database itself keeps (design.md), as the SQLite form can keep them: one module a promise,
each opening with its promise in words. A guard is a function of a `Case` that raises `GuardRefused`.

They are an honest program's second pair of eyes, written without a look at `app.policy`: a mistake there is stopped
here. PostgreSQL keeps the same promises in its own words, against everyone. To add one: write its module, list it in
GUARDS.
"""

from __future__ import annotations

from collections.abc import Callable

from storage.shared.guards import (
    p01_entries_name_their_actor,
    p02_no_row_without_entry,
    p03_states_move_along_the_table,
    p04_nobody_decides_their_own,
    p05_tenants_decide_for_themselves,
    p05_the_legal_address,
    p05_the_tenants_door,
    p06_no_start_against_the_tenant,
    p07_no_start_without_approval,
    p08_no_full_without_countersign,
    p09_no_session_too_long,
    p10_step_up,
    p11_rate_limits,
    p12_reviews,
    p12_who_may_act_at_all,
)
from storage.shared.guards.case import Case

Guard = Callable[[Case], None]

GUARDS: tuple[Guard, ...] = (
    p01_entries_name_their_actor.check,
    p02_no_row_without_entry.check,
    p12_who_may_act_at_all.check,
    p12_reviews.check,
    p03_states_move_along_the_table.check,
    p04_nobody_decides_their_own.check,
    p05_tenants_decide_for_themselves.check,
    p05_the_legal_address.check,
    p05_the_tenants_door.check,
    p06_no_start_against_the_tenant.check,
    p07_no_start_without_approval.check,
    p08_no_full_without_countersign.check,
    p09_no_session_too_long.check,
    p10_step_up.check,
    p11_rate_limits.check,
)


def check_all(case: Case) -> None:
    """Let every guard look. Raises GuardRefused at the first broken promise."""
    for guard in GUARDS:
        guard(case)
