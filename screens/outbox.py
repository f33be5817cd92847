"""The outbox: what was decided offline, what waits, and what came of the rest (REQ-802). Opening it is having seen it:
what came back is told here, and then no longer in the status line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult

from screens.context import ConsoleContext
from screens.queued import MARK, NOT_IN_FORCE, OutboxNow, noun, outbox_now
from storage.errors import CountersignError
from storage.outbox import Kept, KeptState
from widgets.cells import Tone, Toned
from widgets.dialog import CLOSE, Dialog
from widgets.fields import BLANK, Field, FieldList, field, line
from widgets.moments import near_text
from widgets.text import visible

Times = Callable[[datetime], str]

SIGNS = {
    KeptState.QUEUED: (MARK, NOT_IN_FORCE, Tone.SOON),
    KeptState.SENT: ("✓", "sent, in force", Tone.GOOD),
    KeptState.REFUSED: ("✗", "not applied: refused", Tone.BAD),
    KeptState.CONFLICT: ("✗", "not applied: someone was faster", Tone.BAD),
}
HOW = (
    "Kept in a file of its own while the shared database is out of reach, and sent in this order when it is back; "
    "each is applied once, and none holds up the next."
)


class OutboxDialog(Dialog[None]):
    """What is kept, the newest last; those with words from the outside gated."""

    choices = (CLOSE,)

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__("Outbox", wide=True)
        self._given = context
        self._shown = outbox_now(context)

    def body(self) -> ComposeResult:
        yield FieldList(self._given.now, outbox_fields(self._shown, self._when))

    def _when(self, at: datetime) -> str:
        return near_text(at, self._given.now(), self._given.zone)

    def on_mount(self) -> None:
        super().on_mount()
        outbox = self._given.desk.outbox if self._given.desk is not None else None
        settled = tuple(one.id for one in self._shown.items if not one.waits and not one.seen)
        if outbox is not None and settled:
            try:
                outbox.saw(settled)
            except CountersignError as error:  # it will be told again: no harm
                self.problem(str(error))


def outbox_fields(shown: OutboxNow, when: Times) -> list[Field]:
    """What waits and what has not been seen, in order."""
    if shown.trouble:
        return [line(Toned(visible(shown.trouble), Tone.BAD))]
    wanted = [one for one in shown.items if one.waits or not one.seen]
    if not wanted:
        return [
            line("nothing waits: what was decided here is in the shared database"),
            BLANK,
            line(Toned(HOW, Tone.DIM)),
        ]
    fields: list[Field] = []
    for one in wanted:
        fields += [*_fields(one, when), BLANK]
    return [*fields, line(Toned(HOW, Tone.DIM))]


def _fields(one: Kept, when: Times) -> list[Field]:
    sign, words, tone = SIGNS[one.state]
    fields = [line(Toned(f"{sign} {noun(one)}: {words}", tone)), field("queued", when(one.queued_at))]
    if one.settled_at is not None:
        fields.append(field("sent", when(one.settled_at)))
    if one.words:
        fields.append(field("not yet", visible(one.words)) if one.waits else field("came of it", visible(one.words)))
    said = [visible(str(value)) for value in one.arguments.values() if isinstance(value, str) and " " in value]
    if said and one.state is not KeptState.SENT:
        fields.append(field("your words", *said))
    return fields
