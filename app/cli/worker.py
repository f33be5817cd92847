"""`countersign worker`: send what was kept offline, deliver mail and record what time has ended, once or for as long as
it runs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from app.bootstrap import Workplace
from app.cli.options import Json
from app.cli.output import print_json, say
from app.cli.run import run

if TYPE_CHECKING:
    from app.mail.postman import Round

cli = typer.Typer(rich_markup_mode=None, add_completion=False)

_SECONDS_BETWEEN_LOOKS = 2
_SECONDS_BETWEEN_ROUNDS = 1.0


class _Told:
    """What the worker says of the mail: each trouble once, and when it is over."""

    def __init__(self) -> None:
        self._trouble = ""

    def of(self, done: Round | None) -> int:
        """Say what is new; how many letters were delivered."""
        if done is None:
            return 0
        if done.failed:
            say(f"{done.failed} letters FAILED for good: `countersign mail list --state failed`")
        if done.trouble and done.trouble != self._trouble:
            say(f"mail waits: {done.trouble}")
        elif done.delivered and self._trouble:
            say("mail goes out again")
        if done.trouble or done.delivered:
            self._trouble = done.trouble
        return done.delivered


@cli.command()
def worker(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    as_json: Json = False,
) -> None:
    """Deliver queued mail and record what time has ended; until Ctrl+C, or once."""
    from app.cli.queued import tell_sent
    from app.mail.post_office import where_to
    from app.upkeep import postal_round, raise_alarm, record_due, send_queued, write_digests
    from storage.errors import Offline

    async def round_(place: Workplace) -> tuple[int, int]:
        try:
            await place.sync.pull()
        finally:
            await raise_alarm(place)
        tell_sent(await send_queued(place))
        if place.launch.on_postgres:
            from app.server import watch_over

            for words in await watch_over(place):
                say(words)
        recorded = await record_due(place) + await write_digests(place)
        return recorded, told.of(await postal_round(place))

    told = _Told()

    async def work(place: Workplace) -> None:
        if place.launch.on_postgres:
            from app.server import must_be_worker

            must_be_worker(place)
        destination = where_to(place)  # a mail server that cannot be used as the settings say is told at once
        if "ANYBODY" in destination:
            say(f"WARNING: mail goes to {destination}")
        recorded, delivered = await round_(place)
        if once:
            if as_json:
                print_json({"recorded": recorded, "delivered": delivered})
            else:
                say(f"{recorded} recorded, {delivered} delivered")
            return
        watching = asyncio.create_task(_watched(place)) if place.launch.on_postgres else None
        say(f"working; mail goes to {destination}; Ctrl+C ends it")
        try:
            while True:
                await asyncio.sleep(_SECONDS_BETWEEN_ROUNDS)
                with contextlib.suppress(Offline):  # out of reach for now: the next round tries again
                    await place.sync.measure_clock()
                    await round_(place)
        finally:
            if watching is not None:
                watching.cancel()

    run(ctx, work, as_json=as_json, tidy=False)


async def _watched(place: Workplace) -> None:
    """Look for whoever keeps everybody waiting, beside the rounds: a round waits for the log's head itself."""
    from app.server import watch_over
    from storage.errors import Offline

    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        with contextlib.suppress(Offline):
            for words in await watch_over(place):
                say(words)
