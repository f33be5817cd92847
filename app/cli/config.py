"""`countersign config show`."""

from __future__ import annotations

import typer

from app.cli.options import Json
from app.cli.output import print_json, put

cli = typer.Typer(rich_markup_mode=None, add_completion=False)


@cli.callback()
def config() -> None:
    """Settings."""


@cli.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Every setting, documented, as a config file; with where each value comes from."""
    from app.settings_layers import as_toml, described

    ctx.obj.as_json = as_json
    if as_json:
        found = described(ctx.obj.launch)
        print_json({one.name: {"value": one.value, "from": one.origin, "meaning": one.meaning} for one in found})
    else:
        put(as_toml(ctx.obj.launch).rstrip())
