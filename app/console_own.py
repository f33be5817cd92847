"""My own running session: a countdown in the terminal's title, bell and words at 5 minutes and at 1 (REQ-209)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from screens.context import ConsoleContext
from storage.models import ElevationState, EndKind, Session
from widgets.countdown import LAST_SECONDS, SOON_SECONDS, left_text
from widgets.text import visible

if TYPE_CHECKING:
    from app.console import CountersignApp

_BY_OTHERS = {
    EndKind.SUPER: "a super",
    EndKind.TENANT: "the tenant",
    EndKind.DEACTIVATED: "the account was deactivated",
}


class OwnSession:
    """Looks again when data changes, counts down in between."""

    def __init__(self, app: CountersignApp) -> None:
        self._app = app
        self._session: Session | None = None
        self._tenant = ""
        self._warned: set[tuple[str, int]] = set()
        self._title = ""

    def look(self, context: ConsoleContext) -> None:
        """Read which session of mine runs."""
        from storage.replica.queries.mine import running_of

        if context.staff is None:
            self._session = None
            return
        mine = running_of(context.reader, context.staff.id, context.now())
        before, self._session = self._session, mine.session
        if before is not None and before.engineer_id == context.staff.id:
            self._tell_what_others_did(before, context)
        self._tenant = visible(mine.tenant)

    def tick(self, now: datetime) -> None:
        """A second has passed."""
        session = self._session
        if session is None:
            self._retitle("Countersign")
            return
        left = (session.expires_at - now).total_seconds()
        if left <= 0:
            self._session = None
            self._app.bell()
            self._say(f"{session.id} at {self._tenant} is over: its time has run out. Its outcome is owed.", "error")
            return
        self._retitle(f"{left_text(left)} {session.id} {self._tenant}")
        for mark, words in ((LAST_SECONDS, "one minute"), (SOON_SECONDS, "five minutes")):
            if left <= mark and (session.id, mark) not in self._warned:
                self._warned |= {(session.id, other) for other in (LAST_SECONDS, SOON_SECONDS) if other >= mark}
                self._app.bell()
                self._say(f"{words} left in {session.id} at {self._tenant}", "warning")
                break

    def _tell_what_others_did(self, before: Session, context: ConsoleContext) -> None:
        """Somebody ended my session, or decided on my elevation: I must not find out by chance (REQ-202, REQ-204)."""
        from storage.replica.queries.sessions import session_card

        card = session_card(context.reader, before.id)
        if card is None:
            return
        now, where = card.session, f"{before.id} at {visible(card.tenant)}"
        if now.ended_at is not None and now.end_kind in _BY_OTHERS:
            why = f": “{visible(now.end_reason)}”" if now.end_reason else ""
            owed = "" if now.outcome is not None else " Its outcome is owed."
            by = visible(card.ended_by or _BY_OTHERS[now.end_kind])
            self._app.bell()
            self._say(f"{where} was ended by {by} ({_BY_OTHERS[now.end_kind]}){why}.{owed}", "error")
        elif now.elevation is not None and now.elevation != before.elevation and now.elevation.decided_by:
            by = visible(card.elevation_decided_by or "")
            granted = now.elevation.state is ElevationState.GRANTED
            self._app.bell()
            self._say(f"full mode in {where} was {'countersigned' if granted else 'declined'} by {by}", "warning")

    def _say(self, words: str, severity: str) -> None:
        self._app.notify(
            words,
            title="Session",
            severity="error" if severity == "error" else "warning",
            markup=False,
            timeout=15,
        )

    def _retitle(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self._app.set_terminal_title(title)
