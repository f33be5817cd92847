"""What the queue's keys do: each act asks for the words it needs, then for a code where one is needed, then runs.

The queue screen's lower half. Nothing here decides whether an act is allowed: the action's verdict has, and the command
will again. Commands and dialogs are imported when first used, so that the first frame does not wait for them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.policy.request_state import CLOSED, state_at
from screens.listing import ListScreen
from screens.request_acts import Act, Signing, Verdicts, awaited, first_act
from screens.request_words import MODE_WORDS, open_question, scope_words, urgent_facts
from widgets.dialog import Confirm, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from screens.request_note import NoteDialog
    from storage.replica.queries.requests import RequestLine
    from storage.shared.change import Change


class QueueActs(ListScreen):
    """Each method is the act of one action of the queue."""

    if TYPE_CHECKING:
        _acts: Verdicts

        @property
        def line(self) -> RequestLine | None: ...

    def do_first(self) -> None:
        """Enter: the detail where it is not in sight yet, else the first thing I can do."""
        if self.line is None:
            return
        act = first_act(self._acts) if self._acts else None
        if self.detail_hidden:
            self.open_detail()
        elif act is Act.OUTCOME:
            self.do_sessions()
        else:
            self.action_perform(f"queue.{act.value}" if act is not None else "queue.explain")

    async def do_new(self) -> None:
        await self._ask(again_of=None)

    async def do_again(self) -> None:
        line = self.line
        if line is not None:
            await self._ask(again_of=line.request.id)

    async def do_anew(self) -> None:
        """For what is not on the list; from a request that is over, prefilled with what it asked."""
        from screens.new_emergency import NewEmergencyScreen

        line = self.line
        over = line is not None and state_at(line.request, self.context.now()) in CLOSED
        created = await self.app.push_screen_wait(
            NewEmergencyScreen(self.context, line.request.id if line is not None and over else None)
        )
        if created is not None:
            self._show_created(created)
            self.tell(f"{created}: emergency declared; a second super must countersign")

    async def _ask(self, again_of: str | None) -> None:
        from screens.new_request import NewRequestScreen

        created = await self.app.push_screen_wait(NewRequestScreen(self.context, again_of))
        if created is not None:
            self._show_created(created)

    def _show_created(self, request_id: str) -> None:
        self.catch_up(force=True)  # the replica has it; sync may not have told this screen yet
        self.table.move_to(request_id)

    async def do_withdraw(self) -> None:
        from app.services import requests
        from screens.request_note import NoteDialog

        line = self.line
        if line is None:
            return
        dialog = partial(
            NoteDialog,
            f"Withdraw {line.request.id}?",
            self._facts(line),
            verb="Withdraw",
            label="a note for the log, if you like",
            danger=True,
        )
        await self._with_words(requests.withdraw, line, dialog, words="withdraw the request", done="withdrawn")

    async def do_decline(self) -> None:
        from app.services import requests
        from screens.request_note import NoteDialog

        line = self.line
        if line is None:
            return
        dialog = partial(
            NoteDialog,
            f"Decline full mode for {line.request.id}?",
            self._facts(line),
            verb="Decline",
            label=f"why: {line.engineer_name} reads it",
            needed=True,
            danger=True,
        )
        await self._with_words(requests.decline, line, dialog, words="decline full mode", done="full mode declined")

    async def do_countersign(self) -> None:
        """The signature that is waited for: an emergency's, break-glass's, or that of full mode."""
        from app.services import break_glass, emergency, requests
        from screens.request_note import NoteDialog

        line = self.line
        if line is None:
            return
        signing = awaited(line.request, self.context.now())
        dialog = partial(
            NoteDialog,
            f"Countersign {signing.value} for {line.request.id}?",
            [*self._facts(line), *urgent_facts(line.request, self.context.now())],
            verb="Countersign",
            label="a note for the log, if you like; your name goes to the tenant's log",
            danger=signing is not Signing.FULL,
        )
        words, done = f"countersign {signing.value}", f"{signing.value} countersigned"
        match signing:
            case Signing.EMERGENCY:
                legal = self.context.legal_email
                await self._with_words(emergency.countersign, line, dialog, legal, words=words, done=done)
            case Signing.BREAK_GLASS:
                await self._with_words(break_glass.countersign, line, dialog, words=words, done=done)
            case Signing.FULL:
                await self._with_words(requests.countersign, line, dialog, words=words, done=done)

    async def do_declare(self) -> None:
        from app.services import break_glass
        from screens.request_note import NoteDialog

        line = self.line
        if line is None:
            return
        dialog = partial(
            NoteDialog,
            f"Declare break-glass for {line.request.id} · {line.tenant_name}?",
            self._facts(line),
            verb="Declare",
            label="why it cannot wait any longer: a super reads it, then every admin of the tenant, who can veto",
            needed=True,
            danger=True,
        )
        done = "break-glass declared; a super must countersign"
        await self._with_words(break_glass.declare, line, dialog, words="declare break-glass", done=done)

    async def do_emergency(self) -> None:
        from app.services import emergency
        from screens.request_emergency import EmergencyDialog, Said

        line = self.line
        if line is None:
            return

        async def declare(said: Said) -> bool:
            words, done = "declare an emergency", "emergency declared; a second super must countersign"
            return await self._run(emergency.declare, line, *said, self.context.legal_email, words=words, done=done)

        target = f"{line.request.id} · {line.tenant_name}"
        await self.ask_until_done(lambda said: EmergencyDialog(target, self._facts(line), said), declare)

    async def do_answer(self) -> None:
        from app.services import requests
        from screens.request_note import NoteDialog

        line = self.line
        if line is None or not open_question(line.request):
            return
        question = line.request.exchanges[-1]
        dialog = partial(
            NoteDialog,
            f"Answer {question.name} on {line.request.id}",
            (("question", question.text), ("reason", line.request.reason)),
            verb="Answer",
            label="your answer: it goes to every tenant admin, with fresh links, and to the log",
            needed=True,
        )
        await self._with_words(requests.answer, line, dialog, words="answer the question", done="answered")

    async def do_start(self) -> None:
        from app.policy.sessions import granted_minutes, granted_mode
        from app.services import reading, sessions

        line, desk, actor = self.line, self.context.desk, self.context.actor
        if line is None or desk is None or actor is None:
            return
        minutes = granted_minutes(line.request, reading.place(desk.view(), line.request.tenant_id))
        what = f"{MODE_WORDS[granted_mode(line.request)]}, {minutes} min"
        # Where an earlier code covers the start no dialog names it: it is named and confirmed here.
        if not desk.needs_code(sessions.start, actor) and not await self.app.push_screen_wait(
            Confirm(
                f"Start {line.request.id} now?",
                f"{_target(line)}\n{what}; the clock runs from now and cannot be extended.",
            )
        ):
            return
        if await self._run(sessions.start, line, words=f"start the session ({what})", done="session started"):
            self.do_sessions()

    def do_explain(self) -> None:
        from screens.request_explain import request_explained

        line = self.line
        if line is not None:
            title, words = request_explained(self.context, line, self._acts)
            self.app.push_screen(Notice(title, words, wide=True))

    async def _with_words(
        self,
        command: Callable[..., Change],
        line: RequestLine,
        dialog: partial[NoteDialog],
        *before: str,
        words: str,
        done: str,
    ) -> None:
        """Ask for the words, then run; `before` are arguments that stand before them."""
        await self.ask_until_done(
            lambda said: dialog(words=said or ""),
            lambda note: self._run(command, line, *before, note, words=words, done=done),
        )

    async def _run(
        self, command: Callable[..., Change], line: RequestLine, *arguments: str, words: str, done: str
    ) -> bool:
        """Run a command on the request; True if it was done. Errors are told by whoever performs the action."""
        from screens.step_up import run_command, told

        applied = await run_command(
            self.app,
            self.context,
            command,
            line.request.id,
            *arguments,
            act_words=words,
            target_words=_target(line),
        )
        if applied is None:
            return False
        target = f"{line.request.id} · {line.tenant_name}"
        self.tell(told(applied, f"{target}: {done}", target))
        return True

    def _facts(self, line: RequestLine) -> list[tuple[str, str]]:
        request = line.request
        return [
            ("tenant", line.tenant_name),
            ("view as", line.target_name),
            ("engineer", line.engineer_name),
            ("ticket", request.ticket),
            ("reason", request.reason),
            ("scope", scope_words(request)),
            ("access", f"{MODE_WORDS[request.mode]}, {request.minutes} min"),
        ]


def _target(line: RequestLine) -> str:
    return f"{line.request.id} · {line.tenant_name}, as {line.target_name} · {line.request.ticket}"
