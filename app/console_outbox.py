"""What comes of the outbox, told whichever screen is in front: sent, refused, or someone was faster (REQ-802)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.context import ConsoleContext
from screens.queued import noun, outbox_now
from storage.outbox import Kept, KeptState
from widgets.text import visible

if TYPE_CHECKING:
    from app.console import CountersignApp


class OutboxWatch:
    """Looks every second; the file is read only when it has changed, by this process or by another of the home."""

    def __init__(self, app: CountersignApp) -> None:
        self._app = app
        self._items: tuple[Kept, ...] = ()
        self._told: set[str] = set()

    def look(self, context: ConsoleContext) -> bool:
        """Tell what came back and has not been seen; whether anything has changed, so that marks must be drawn."""
        items = outbox_now(context).items
        if items is self._items:
            return False
        changed, self._items = items != self._items, items
        for one in items:
            if not one.waits and not one.seen and one.id not in self._told:
                self._told.add(one.id)
                self._tell(one)
        return changed

    def _tell(self, one: Kept) -> None:
        applied = one.state is KeptState.SENT
        if not applied:
            self._app.bell()
        self._app.notify(
            visible(one.words),
            title="Sent" if applied else f"Not applied: {noun(one)}",
            severity="information" if applied else "warning",
            markup=False,
            timeout=8 if applied else 20,
        )
