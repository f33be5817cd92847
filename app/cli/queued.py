"""The outbox on the command line (REQ-802): what is said when a command was kept, and when what was kept is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.bootstrap import Workplace
from app.cli.output import local, print_json, print_table, say
from storage.outbox import Kept, KeptState
from storage.shared.change import Applied

COLUMNS = ("QUEUED", "BY", "WHAT", "STATE", "WORDS")


def told_as_queued(done: Applied, *, as_json: bool) -> bool:
    """Whether the command was kept instead of applied; if so, it is said here, and nothing else is to be shown."""
    from app.services.outbox import NOT_IN_FORCE, Queued, noun_of

    if not isinstance(done, Queued) or done.kept is None:
        return False
    say(f"{NOT_IN_FORCE}: {noun_of(done.kept)}; it is sent when the shared database is back")
    if as_json:
        print_json({"queued": done.kept.id})
    return True


def tell_sent(settled: Sequence[Kept]) -> None:
    """What came of commands kept earlier, sent by this process on the way."""
    from app.services.outbox import noun_of

    for one in settled:
        if one.state is KeptState.SENT:
            say(f"sent: {one.words}")
        else:
            say(f"NOT APPLIED ({one.state.value}): {noun_of(one)}, queued {local(one.queued_at)}: {one.words}")


def document_of(one: Kept) -> dict[str, object]:
    """One command of the outbox, for scripts."""
    return {
        "id": one.id,
        "command": one.command,
        "subjects": one.subjects,
        "by": one.actor.email or one.actor.name,
        "arguments": one.arguments,
        "rev": one.rev,
        "queued_at": one.queued_at,
        "state": one.state.value,
        "words": one.words,
        "settled_at": one.settled_at,
        "seen": one.seen,
    }


def print_outbox(items: Sequence[Kept]) -> None:
    """The outbox for people: what waits, and what came back and has not been put away."""
    from app.services.outbox import NOT_IN_FORCE, noun_of

    rows = [
        (
            one.queued_at,
            one.actor.email or one.actor.name,
            noun_of(one),
            NOT_IN_FORCE if one.waits else one.state.value,
            one.words,
        )
        for one in items
    ]
    print_table(COLUMNS, rows, "the outbox is empty")


def age_of_copy(place: Workplace, now: datetime) -> str:
    """How old the newest entry of the copy is, in words; "" where there is none."""
    from app.policy.words import span
    from storage.replica.queries.age import newest_entry_at

    newest = newest_entry_at(place.replica.reader)
    return f"its newest entry is {span(now - newest)} old" if newest is not None else ""
