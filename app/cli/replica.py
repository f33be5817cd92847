"""`countersign replica`: this machine's copy of the shared database."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli.options import Json
from app.cli.output import print_json, print_pairs, progress, put, say
from app.cli.queued import document_of, print_outbox
from app.cli.run import run
from storage.replica.queries.age import newest_entry_at

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@cli.callback()
def replica() -> None:
    """This machine's copy: everything a screen shows comes from it."""


@cli.command()
def status(
    ctx: typer.Context,
    seen: Annotated[bool, typer.Option("--seen", help="Put away what came back from the outbox.")] = False,
    as_json: Json = False,
) -> None:
    """How far the copy has verified the history, how that compares with the shared database, and what the outbox keeps
    that was decided while it was out of reach."""

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
            "newest_entry": newest_entry_at(place.replica.reader),
        }
        outbox = place.desk.outbox
        items = [one for one in outbox.items() if one.waits or not one.seen] if outbox is not None else []
        if as_json:
            print_json({**found, "outbox": [document_of(one) for one in items]})
        else:
            print_pairs(list(found.items()))
            put("")
            print_outbox(items)
        if seen and outbox is not None:
            outbox.saw(tuple(one.id for one in items if not one.waits))

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
