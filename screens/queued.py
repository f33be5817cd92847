"""What was decided offline and is not in force yet, as every screen tells it: a mark on the row, words beside it, a
counter in the status line (REQ-802)."""

from __future__ import annotations

from dataclasses import dataclass

from screens.context import ConsoleContext
from storage.errors import CountersignError
from storage.outbox import Kept, KeptState
from widgets.text import visible

MARK = "⇡"
NOT_IN_FORCE = "queued, not in force"


@dataclass(frozen=True, slots=True)
class OutboxNow:
    """The outbox as it is: what waits, what came back and has not been looked at. `trouble`: it cannot be read."""

    items: tuple[Kept, ...] = ()
    trouble: str = ""

    @property
    def waiting(self) -> tuple[Kept, ...]:
        return tuple(one for one in self.items if one.waits)

    @property
    def came_back(self) -> tuple[Kept, ...]:
        """Not applied, and not seen yet."""
        return tuple(one for one in self.items if not one.seen and one.state in _NOT_APPLIED)


_NOT_APPLIED = (KeptState.REFUSED, KeptState.CONFLICT)


def outbox_now(context: ConsoleContext) -> OutboxNow:
    """What this home keeps for the shared database. Cheap: the file is read when it has changed."""
    outbox = context.desk.outbox if context.desk is not None else None
    if outbox is None:
        return OutboxNow()
    try:
        return OutboxNow(outbox.items())
    except CountersignError as error:
        return OutboxNow(trouble=str(error))


def marked(context: ConsoleContext) -> frozenset[str]:
    """The ids of requests and sessions about which something waits."""
    return frozenset(subject for one in outbox_now(context).waiting for subject in one.subjects)


def waits_on(context: ConsoleContext, key: str) -> str:
    """What waits about this request or session, in visible words; "" when nothing does."""
    nouns = [noun(one) for one in outbox_now(context).waiting if key in one.subjects]
    return f"{MARK} {', '.join(nouns)}: {NOT_IN_FORCE}" if nouns else ""


def noun(one: Kept) -> str:
    """`withdrawal of R-7K2F9Q`, with whose it is."""
    from app.services.outbox import noun_of  # the commands are loaded after the first frame

    return visible(f"{noun_of(one)} by {one.actor.name}")


def counter(context: ConsoleContext) -> str:
    """For the status line: how many wait, how many came back; "" when there is nothing to say."""
    now = outbox_now(context)
    if now.trouble:
        return "the outbox cannot be read: press O"
    parts = []
    if now.waiting:
        parts.append(f"{len(now.waiting)} {NOT_IN_FORCE}")
    if now.came_back:
        parts.append(f"{len(now.came_back)} not applied: press O")
    return " · ".join(parts)
