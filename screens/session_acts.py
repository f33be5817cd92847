"""What the board's keys do: each act asks for the words it needs, then for a code where one is needed, then runs.

Nothing here decides whether an act is allowed: the action's verdict has, and the command will again. Commands are
imported when first used, so that no frame waits for them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from screens.listing import ListScreen
from screens.request_note import NoteDialog
from screens.session_panel import SessionPanel
from screens.step_up import run_command, told
from storage.errors import CountersignError

if TYPE_CHECKING:
    from collections.abc import Callable

    from screens.session_forms import OutcomeWords, Viewed
    from storage.replica.queries.sessions import SessionCard
    from storage.shared.change import Change


class SessionActs(ListScreen):
    """A screen with a session panel. Each method is the act of one action of the board."""

    @property
    def panel(self) -> SessionPanel:
        return self.query_one(SessionPanel)

    async def do_log(self) -> None:
        from app.services import sessions
        from screens.session_forms import LogViewForm

        card = self.panel.card
        if card is None:
            return

        async def submit(seen: Viewed) -> str:
            values = (seen.kind, seen.name, seen.fields, seen.count, seen.within_scope)
            done = f"logged in {card.session.id}, and in the log of {card.tenant}"
            return await self._in_form(sessions.log_view, card, *values, words="log a view", done=done)

        await self.app.push_screen_wait(LogViewForm(card, submit))

    async def do_end(self) -> None:
        await self._outcome(ending=True)

    async def do_outcome(self) -> None:
        await self._outcome(ending=False)

    async def _outcome(self, *, ending: bool) -> None:
        from app.services import endings
        from screens.session_forms import OutcomeForm

        card = self.panel.card
        if card is None:
            return
        command, verb = (endings.end, "ended") if ending else (endings.give_outcome, "outcome given")

        async def submit(said: OutcomeWords) -> str:
            values = (said.cause, said.changed, said.beyond_scope, said.follow_up, said.ticket_closed)
            done = f"{_name(card)}: {verb}; the receipt is on its way to the tenant's admins"
            return await self._in_form(command, card, *values, words=verb, done=done)

        await self.app.push_screen_wait(OutcomeForm(card, submit, ending=ending))

    async def do_elevate(self) -> None:
        from app.services import sessions

        card = self.panel.card
        if card is not None:
            await self._with_words(
                sessions.ask_elevation,
                card,
                partial(
                    NoteDialog,
                    f"Ask for full mode in {card.session.id}",
                    (*_facts(card), ("what then", "a second person must countersign; the clock goes on")),
                    verb="Ask",
                    label="why reading does not do: what must be changed",
                    needed=True,
                ),
                words="ask for full mode",
                done="full mode asked; it waits for a second person",
            )

    async def do_countersign(self) -> None:
        from app.services import sessions

        card = self.panel.card
        if card is None or card.session.elevation is None:
            return
        await self._with_words(
            sessions.countersign_elevation,
            card,
            partial(
                NoteDialog,
                f"Countersign full mode in {card.session.id}?",
                (*_facts(card), ("asks why", card.session.elevation.reason)),
                verb="Countersign",
                label="a note for the log, if you like; your name goes to the tenant's log",
            ),
            words="countersign full mode",
            done="full mode countersigned",
        )

    async def do_decline(self) -> None:
        from app.services import sessions

        card = self.panel.card
        if card is None or card.session.elevation is None:
            return
        await self._with_words(
            sessions.decline_elevation,
            card,
            partial(
                NoteDialog,
                f"Decline full mode in {card.session.id}?",
                (*_facts(card), ("asks why", card.session.elevation.reason)),
                verb="Decline",
                label=f"why: {card.engineer} reads it; the session goes on read-only",
                needed=True,
                danger=True,
            ),
            words="decline full mode",
            done="full mode declined; the session goes on read-only",
        )

    async def do_force_end(self) -> None:
        from app.services import endings

        card = self.panel.card
        if card is not None:
            await self._with_words(
                endings.force_end,
                card,
                partial(
                    NoteDialog,
                    f"Force-end {card.engineer}'s session in {card.tenant}?",
                    (*_facts(card), ("what then", "it is over at once; the reason goes to the log and to the admins")),
                    verb="End it now",
                    label="the reason",
                    needed=True,
                    danger=True,
                ),
                words="force-end the session",
                done="force-ended",
            )

    async def do_dossier(self) -> None:
        from screens.session_dossier import dossier_of

        card = self.panel.card
        if card is not None:
            await self.app.push_screen_wait(dossier_of(self.context, card.session.id))

    async def _with_words(
        self, command: Callable[..., Change], card: SessionCard, dialog: partial[NoteDialog], *, words: str, done: str
    ) -> None:
        """Ask for the sentence, then run."""
        await self.ask_until_done(
            lambda said: dialog(words=said or ""),
            lambda note: self._run(command, card, note, words=words, done=f"{_name(card)}: {done}"),
        )

    async def _in_form(
        self, command: Callable[..., Change], card: SessionCard, *values: object, words: str, done: str
    ) -> str:
        """Run from a form that stays open until it is done: "" or what went wrong, in words."""
        try:
            ran = await self._run(command, card, *values, words=words, done=done)
        except CountersignError as error:
            return f"{error} — {error.advice}" if error.advice else str(error)
        return "" if ran else "nothing was done: no code was given"

    async def _run(
        self, command: Callable[..., Change], card: SessionCard, *values: object, words: str, done: str
    ) -> bool:
        """Run, and tell what was done, or that it is kept; False where no code was given."""
        target = f"{card.session.id} · {card.engineer} in {card.tenant}, as {card.target} · {card.session.ticket}"
        applied = await run_command(
            self.app, self.context, command, card.session.id, *values, act_words=words, target_words=target
        )
        if applied is None:
            return False
        self.tell(told(applied, done, _name(card)))
        return True


def _name(card: SessionCard) -> str:
    return f"{card.session.id} · {card.tenant}"


def _facts(card: SessionCard) -> tuple[tuple[str, str], ...]:
    session = card.session
    beyond = f", {session.beyond_scope} beyond the scope" if session.beyond_scope else ""
    return (
        ("engineer", card.engineer),
        ("tenant", f"{card.tenant}, as {card.target}"),
        ("ticket", session.ticket),
        ("reason", card.reason),
        ("scope", f"{card.scope} (about {card.declared:,} records)"),
        ("seen", f"{session.records_seen:,} records in {session.views:,} views{beyond}"),
    )
