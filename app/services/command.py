"""What every command is made of: its Change, its second factor, and the refusal that must go on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar, cast

from app.policy.limits import Limits
from app.policy.step_up import covers
from app.policy.verdict import Refused, Verdict
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, Mail, StepUp
from storage.shared.change import Change, Write
from storage.view import View

CLOCK = Actor(ActorKind.SYSTEM, "clock", "clock", "")
"""Who records what time alone has decided."""

C = TypeVar("C", bound=Callable[..., Change])


class Command(Protocol):
    """`def command(view, actor, …, *, now) -> Change`. One that needs a code also has `.act` and takes `limits`."""

    __name__: str

    def __call__(self, view: View, actor: Actor, /, *args: object, now: datetime, **kwargs: object) -> Change: ...


def step_up_act(act: str) -> Callable[[C], C]:
    """Mark a command as needing a fresh second factor for `act`."""

    def mark(command: C) -> C:
        command.act = act  # type: ignore[attr-defined]  # functions carry attributes; typing has no word for it
        return command

    return mark


def act_of(command: Callable[..., Change]) -> str | None:
    """The act a code is needed for, or None."""
    return cast("str | None", getattr(command, "act", None))


def adds_no_privilege(command: C) -> C:
    """Mark a command that only takes privilege away or adds words: what an outbox may keep offline (REQ-802)."""
    command.adds_privilege = False  # type: ignore[attr-defined]  # as above
    return command


def adds_privilege(command: Callable[..., Change]) -> bool:
    return bool(getattr(command, "adds_privilege", True))


def in_force_at_once(tenant: Callable[..., str | None]) -> Callable[[C], C]:
    """Mark a command that turns a tenant's switch on: what it means is in force before the Change that records it waits
    for anything (REQ-110). `tenant` names, from the command's own arguments, whose switch is turned on, or None."""

    def mark(command: C) -> C:
        command.shuts = tenant  # type: ignore[attr-defined]  # as above
        return command

    return mark


def shuts(command: Callable[..., Change], *args: object, **kwargs: object) -> str | None:
    """The tenant that this run of a command shuts, or None."""
    which = getattr(command, "shuts", None)
    return cast("str | None", which(*args, **kwargs)) if which is not None else None


@dataclass(frozen=True, slots=True)
class Queueable:
    """A command that the outbox may keep (REQ-802). `name` stands in the file and never changes; `noun` is what a
    person calls it ("your withdrawal"); one that is `final` for its subject lets nothing follow it while it waits."""

    name: str
    noun: str
    command: Callable[..., Change]
    final: bool


_QUEUEABLE: dict[str, Queueable] = {}


def queueable(name: str, noun: str, *, final: bool = True) -> Callable[[C], C]:
    """Mark a command as one that is kept while the shared database is out of reach, and sent on return: it takes
    privilege away or adds words, and needs no code, which only the shared database can check (P10)."""

    def mark(command: C) -> C:
        if act_of(command) is not None:
            raise TypeError(f"{name} needs a code: it cannot be kept")
        _QUEUEABLE[name] = Queueable(name, noun, command, final)
        command.queueable = name  # type: ignore[attr-defined]  # as above
        return adds_no_privilege(command)

    return mark


def queueable_of(command: Callable[..., Change]) -> Queueable | None:
    """How a command is kept, or None where it is refused offline."""
    return _QUEUEABLE.get(str(getattr(command, "queueable", "")))


def queueable_named(name: str) -> Queueable | None:
    """The command of that name, once its module has been read."""
    return _QUEUEABLE.get(name)


class RefusedOnRecord(Refused):
    """A rule said no, and that it did must itself be recorded: whoever runs the command applies `change` first."""

    def __init__(self, verdict: Verdict, change: Change) -> None:
        super().__init__(verdict)
        self.change = change


class Proof:
    """The second factor that an actor brings for an act, and the row that says it has been used."""

    def __init__(self, view: View, actor: Actor, act: str, now: datetime, limits: Limits) -> None:
        self._view = view
        self._row = view.get(StepUp, actor.step_up) if actor.step_up is not None else None
        self.verdict = covers(self._row, actor.id, act, now, limits)

    def used(self) -> Write:
        """The write that marks it as used by this Change."""
        if self._row is None:
            raise ValueError("a command went on without its second factor")
        return Write(replace(self._row, used_by=(*self._row.used_by, self._view.change_id)))


def change(
    view: View,
    actor: Actor,
    now: datetime,
    entries: Sequence[Draft],
    writes: Sequence[Write],
    mails: Sequence[Mail] = (),
    **answer: str,
) -> Change:
    """The Change of one command, resting on everything the view has read."""
    return Change(
        id=view.change_id,
        at=now,
        actor=actor,
        entries=tuple(entries),
        reads=view.reads,
        writes=tuple(writes),
        mails=tuple(mails),
        answer=answer,
    )
