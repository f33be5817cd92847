"""What happens to a command while the shared database is out of reach, and when it is back (REQ-802).

Kept: decided first on the copy, so that what a rule refuses anyway is refused at once; then written to the outbox under
the id of its Change, *queued, not in force*. Sent on return, in order, by one process of the home, each as the same
pure command by the same person with the same id; whatever comes of one never holds up the next.
"""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from app.policy.verdict import Refused, rule
from app.policy.words import moment
from app.services import consent, endings, requests, sessions
from app.services.command import Queueable, queueable_named
from app.services.outbox_words import came_to_nothing
from storage.errors import Conflict, CountersignError, GuardRefused, Offline
from storage.models import Actor, ActorKind, time_text
from storage.models.row import decode, encode
from storage.outbox import Kept, KeptState, Outbox, already_waiting
from storage.shared.change import Applied, Change
from storage.view import View

NOT_IN_FORCE = "queued, not in force"
COMMANDS = (consent.deny, endings.end, requests.withdraw, sessions.log_view)
"""One of each module that declares a queueable command: reading them is what registers all of them."""
_WORTH_SAYING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Queued(Applied):
    """The command was not applied: it is kept, and sent when the shared database is back. `rev` is the revision it was
    decided on, `at` when; `answer` holds its id as `queued`."""

    kept: Kept | None = None


Sends = Callable[[Actor], bool]
"""Whether what this actor decided may be sent from here."""


class Carrying(Protocol):
    """What sending needs of the desk."""

    def view(self) -> View: ...

    def now(self) -> datetime: ...

    async def carry_out(
        self,
        command: Callable[..., Change],
        actor: Actor,
        *args: object,
        otp: str | None = None,
        change_id: str | None = None,
        decided_at: datetime | None = None,
        **kwargs: object,
    ) -> Applied: ...


def kept(
    outbox: Outbox,
    how: Queueable,
    view: View,
    actor: Actor,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    now: datetime,
    rev: int,
) -> Queued:
    """Decide on the copy, and keep. Raises Refused as the command does, and where this person's earlier command on the
    same subject, still waiting, leaves no room for another."""
    change = how.command(view, actor, *args, now=now, **kwargs)
    about = change.entries[0]
    subjects = tuple(dict.fromkeys(filter(None, (about.session, about.request, *map(str, args[:1])))))
    _is_first(outbox.items(), actor, subjects[0], now)
    named = inspect.signature(how.command).bind(view, actor, *args, now=now, **kwargs).arguments
    arguments = {name: encode(value) for name, value in list(named.items())[2:] if name != "now"}
    one = Kept(view.change_id, how.name, subjects, actor, arguments, rev, now)
    outbox.keep(one)
    return Queued(rev, now, {"queued": one.id}, kept=one)


def _is_first(items: tuple[Kept, ...], actor: Actor, subject: str, now: datetime) -> None:
    earlier = already_waiting(items, actor, subject)
    how = queueable_named(earlier.command) if earlier is not None else None
    if earlier is not None and how is not None and how.final:
        words = f"your {how.noun} of {subject} has been waiting since {moment(earlier.queued_at, now)}"
        raise Refused(rule("REQ-802", False, "", f"{words}, {NOT_IN_FORCE}", "it is sent when the database is back"))


def noun_of(one: Kept) -> str:
    """What a person calls it: `withdrawal of R-7K2F9Q`."""
    how = queueable_named(one.command)
    return f"{how.noun if how is not None else one.command} of {one.subjects[0] if one.subjects else 'nothing'}"


def with_decision(change: Change, decided_at: datetime) -> Change:
    """The Change with an entry that also says when it was decided, by the clock of the one who did. It is in force from
    the entry's own time on, never from then."""
    if change.at - decided_at < _WORTH_SAYING:
        return change
    first, *others = change.entries
    first = replace(first, data={**first.data, "decided_at": time_text(decided_at)})
    return replace(change, entries=(first, *others))


async def send(outbox: Outbox, desk: Carrying, mine: Sends | None = None) -> tuple[Kept, ...]:
    """Send what waits, in order, on a server only what this log-in may (`mine`); what was settled here. Another process
    of the home may be at it: then nothing. Stops where the shared database is out of reach again."""
    if not outbox.waiting():
        return ()
    settled: list[Kept] = []
    with outbox.sending() as alone:
        for one in outbox.waiting() if alone else ():
            if mine is not None and not mine(one.actor):
                await asyncio.to_thread(outbox.waits_because, one.id, _waits_for(one.actor))
                continue
            try:
                state, words = await _sent(one, desk)
            except Offline:
                break
            except CountersignError as error:  # it may pass: a clock, a history in doubt. The next is not held up
                await asyncio.to_thread(outbox.waits_because, one.id, str(error))
                continue
            await asyncio.to_thread(outbox.settle, one.id, state, words, desk.now())
            settled.append(one)
    by_id = {one.id: one for one in outbox.items()}
    return tuple(by_id[one.id] for one in settled if one.id in by_id)


def _waits_for(actor: Actor) -> str:
    """Over which log-in it is sent, where this one may not: nobody acts for another on a server."""
    if actor.kind is ActorKind.TENANT_ADMIN:
        return "a tenant decides over the portal's log-in: it is sent when this home uses that one"
    return f"it is sent over the log-in of {actor.email or actor.name}"


async def _sent(one: Kept, desk: Carrying) -> tuple[KeptState, str]:
    """What came of one command, in words."""
    how = queueable_named(one.command)
    if how is None:
        return KeptState.REFUSED, f"this version knows no command {one.command}: nothing was done"
    try:
        arguments = arguments_of(how, one)
    except (ValueError, TypeError) as error:
        return KeptState.REFUSED, f"what was kept is not readable any more ({error}): nothing was done"
    try:
        done = await desk.carry_out(
            how.command, one.actor, change_id=one.id, decided_at=one.queued_at, otp=None, **arguments
        )
    except (Refused, Conflict, GuardRefused) as error:
        words = came_to_nothing(desk.view(), how, one, error, desk.now())
        by_rule_alone = isinstance(error, GuardRefused) or not _moved(desk.view(), one)
        return (KeptState.REFUSED if by_rule_alone else KeptState.CONFLICT), words
    return KeptState.SENT, f"{how.noun} of {one.subjects[0]} in force since {moment(done.at, desk.now())}"


def arguments_of(how: Queueable, one: Kept) -> dict[str, Any]:
    """The arguments as the command takes them. Raises ValueError, TypeError where they do not fit."""
    hints = typing.get_type_hints(how.command)
    arguments = {name: decode(hints[name], value) for name, value in one.arguments.items() if name in hints}
    if len(arguments) != len(one.arguments):
        raise ValueError("another form")
    inspect.signature(how.command).bind(None, one.actor, now=None, **arguments)
    return arguments


def _moved(view: View, one: Kept) -> bool:
    """Whether what it is about has changed since it was decided."""
    from storage.models import Request, Session

    for subject in one.subjects:
        view.get(Request, subject)
        view.get(Session, subject)
    return any(read.rev > one.rev for read in view.reads)
