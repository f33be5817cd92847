"""`countersign replica`: this machine's copy of the shared database."""

from __future__ import annotations

import typer

from app.bootstrap import Workplace
from app.cli.options import Json
from app.cli.output import print_json, print_pairs, progress, say
from app.cli.run import run

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@cli.callback()
def replica() -> None:
    """This machine's copy: everything a screen shows comes from it."""


@cli.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """How far the copy has verified the history, and how that compares with the shared database."""

    async def work(place: Workplace) -> None:
        state, head = place.sync.status, None
        if state.live:
            head = (await place.shared.position()).head.seq
        found: dict[str, object] = {
            "file": str(place.replica.path),
            "bytes": place.replica.path.stat().st_size,
            "epoch": state.position.epoch if state.position else None,
            "rev": state.position.head.seq if state.position else 0,
            "hash": state.position.head.hash if state.position else None,
            "shared_rev": head,
            "live": state.live,
            "forked": state.forked,
            "faults": [str(fault) for fault in state.faults],
            "rebuilt_because": place.replica.rebuilt_because or None,
            "last_pull": state.last_pull,
        }
        if as_json:
            print_json(found)
        else:
            print_pairs(list(found.items()))

    run(ctx, work, as_json=as_json, tidy=False)


@cli.command()
def rebuild(ctx: typer.Context, as_json: Json = False) -> None:
    """Make the copy anew from the shared database, verifying everything on the way. The heads seen are kept."""

    async def work(place: Workplace) -> None:
        def anew() -> None:
            with place.replica.locked():
                place.replica.rebuild("it was asked for", keep=False)

        await place.sync.in_thread(anew)

        changes = await place.sync.pull(progress)
        if as_json:
            print_json({"entries": changes.entries, "rev": changes.rev, "faults": [str(one) for one in changes.faults]})
        else:
            say(f"{changes.entries:,} entries read and verified; the copy stands at revision {changes.rev:,}")

    run(ctx, work, as_json=as_json, tidy=False, pull=False)
