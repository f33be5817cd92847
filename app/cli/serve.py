"""`countersign serve`: the tenants' portal over HTTP, until Ctrl+C."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli.output import say
from app.cli.run import run

cli = typer.Typer(rich_markup_mode=None, add_completion=False)


@cli.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
) -> None:
    """The portal for tenants' admins, and the API, over HTTP. Put it behind a TLS proxy."""

    async def work(place: Workplace) -> None:
        from app.portal.serving import serve as serve_portal

        def ready(number: int) -> None:
            shown = f"[{host}]" if ":" in host else host
            say(f"serving on http://{shown}:{number}; links in mail begin with {place.launch.settings.portal.url}")

        await serve_portal(place, host, port, ready)

    run(ctx, work, as_json=False, tidy=False)
