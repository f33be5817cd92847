"""How every command runs: open the workplace, pull, send what was kept offline, record what time has ended, do the
work, deliver mail, close."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import typer

from app.bootstrap import Workplace, open_workplace
from app.cli.output import progress, say
from app.launch import Launch
from app.policy.verdict import Refused, Verdict
from storage.errors import CountersignError, ForkedHistory, Misconfigured, Offline
from storage.shared.change import Applied, Change

Work = Callable[[Workplace], Awaitable[int | None]]
"""What a command does with an open workplace; an exit status, or None for 0."""
Command = Callable[..., Change]


def run(ctx: typer.Context, work: Work, *, as_json: bool, tidy: bool = True, pull: bool = True) -> None:
    """Do the work; `pull`: on an up-to-date copy; `tidy`: before it record what time has ended, after it deliver the
    mail it caused."""
    ctx.obj.as_json = as_json
    status = asyncio.run(_run(ctx.obj.launch, work, tidy, pull))
    if status:
        raise typer.Exit(status)


async def _run(launch: Launch, work: Work, tidy: bool, pull: bool) -> int | None:
    from app.upkeep import deliver_queued, record_due

    place = await open_workplace(launch)
    try:
        if pull:
            tidy = await _brought_up_to_date(place) and tidy
            await _sent(place)
        if tidy:
            await _quietly(place, record_due)
        try:
            return await work(place)
        finally:
            if tidy and not place.launch.settings.mail.smtp:  # else a console or the worker: no command waits for that
                await _quietly(place, deliver_queued)
    finally:
        await place.close()


async def _sent(place: Workplace) -> None:
    """Send what the outbox keeps, and say what came of it. An outbox that cannot be read is said, and fails nothing."""
    from app.cli.queued import tell_sent
    from app.upkeep import send_queued

    if not place.sync.status.live:
        return
    try:
        tell_sent(await send_queued(place))
    except CountersignError as error:
        say(f"WARNING: {error}")
        say(error.advice)


async def _brought_up_to_date(place: Workplace) -> bool:
    """Pull. Where that fails the copy is still there to be read, and its state is said; False then."""
    try:
        faults = (await place.sync.pull(progress)).faults
    except Offline as error:
        from app.cli.queued import age_of_copy

        position = place.sync.status.position
        say(f"OFFLINE: {error}")
        age = age_of_copy(place, place.clock.now())
        copy = f"reading the copy of revision {position.head.seq:,}; {age}" if position else ""
        say(copy or "and there is no copy to read")
        return False
    except ForkedHistory as error:
        say(f"WARNING: {error}")
        say(error.advice)
        return False
    for fault in faults:
        say(f"WARNING: {fault}")
    if place.replica.rebuilt_because:
        say(f"this machine's copy was made anew: {place.replica.rebuilt_because}")
    return True


async def _quietly(place: Workplace, chore: Callable[[Workplace], Awaitable[int]]) -> None:
    """A chore that others may do as well: its failure is logged and does not fail the command it came with."""
    try:
        await chore(place)
    except (CountersignError, OSError) as error:
        from app.logfile import note

        note(place.launch, f"{chore.__name__} did not finish", error)


async def act(place: Workplace, command: Command, *args: Any, otp: str | None = None, **named: Any) -> Applied:
    """Run a command of `app.services` as whoever I am. A code that is missing is asked for when nothing else is."""
    from app.services.desk import StepUpNeeded

    actor = place.actor()
    try:
        return await place.desk.run(command, actor, *args, otp=otp, **named)
    except StepUpNeeded:
        return await place.desk.run(command, actor, *args, otp=ask_code(), **named)
    except Refused as refused:
        raise Refused(_but_for_the_code(refused.verdict)) from None


def _but_for_the_code(verdict: Verdict) -> Verdict:
    """What refuses besides the missing code, if anything does: then no code was taken, and none would have helped."""
    from app.policy.step_up import RULE

    others = tuple(finding for finding in verdict.findings if finding.passed or finding.rule != RULE)
    return Verdict(others) if any(not finding.passed for finding in others) else verdict


def ask_code() -> str:
    """The code, typed. Raises Misconfigured where nobody can type."""
    if not sys.stdin.isatty():
        raise Misconfigured("this needs a code of your second factor", "give it with --otp CODE")
    code: str = typer.prompt("Code of your second factor", err=True)
    return code.strip()
