"""The first run: no shared database where the default one would be, so the person in front makes it (REQ-702)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from app.launch import Launch
from screens.context import ConsoleContext
from storage.errors import CountersignError
from widgets.text import visible

if TYPE_CHECKING:
    from app.enrolment import Enrolment


async def first_run(app: App[None], launch: Launch) -> Enrolment | None:
    """Ask for the first super and make the database with them; None where it is there, or where the person left.
    Another database than the default one is never made: its address may be mistyped."""
    if launch.on_postgres or launch.database_path.exists() or launch.database_path != launch.paths.shared_database:
        return None
    from app.bootstrap import create_workplace
    from screens.enrolment import FirstRunDialog

    while True:
        answer = await app.push_screen_wait(FirstRunDialog(str(launch.database_path)))
        if answer is None:
            app.exit()
            return None
        try:
            _, enrolment = await create_workplace(launch, *answer)
        except CountersignError as error:
            words = f"{error}\n{error.advice}"
            app.notify(visible(words, lines=True), title="Not made", severity="error", markup=False)
            continue
        return enrolment


async def confirm_first_run(app: App[None], context: ConsoleContext, enrolment: Enrolment) -> None:
    """Show the enrolment once and have its first code proved."""
    from screens.enrolment import EnrolmentDialog, checker

    await app.push_screen_wait(EnrolmentDialog(enrolment, checker(context)))
