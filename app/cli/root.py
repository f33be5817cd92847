"""The top of the command line. Each noun's module is imported only when the noun is used, so that `--help` stays quick;
the words that `--help` shows stand in one table here."""

from __future__ import annotations

import difflib
import gc
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from app.launch import Launch
from storage.errors import Misconfigured

NOUNS: dict[str, tuple[str, str]] = {
    "init": ("app.cli.init", "Make the shared database and the first super"),
    "staff": ("app.cli.staff", "Named accounts: add, list, deactivate"),
    "tenant": ("app.cli.tenant", "Tenants: import, list, show"),
    "request": ("app.cli.request", "Requests for access: create, decide, explain"),
    "consent": ("app.cli.consent", "What the link in a mail does: show, approve, deny, veto"),
    "session": ("app.cli.session", "Sessions: start, log what is viewed, end"),
    "review": ("app.cli.review", "Reviews: what somebody uninvolved must sign; disputes"),
    "rota": ("app.cli.rota", "Office hours, and who is on call when"),
    "mail": ("app.cli.mail", "Letters: list, show, retry one that failed"),
    "audit": ("app.cli.audit", "The logs: list, verify, export; a session's dossier"),
    "report": ("app.cli.report", "The transparency report over any period"),
    "apikey": ("app.cli.apikey", "Keys for programs: create, list, revoke"),
    "serve": ("app.cli.serve", "The portal for tenants' admins, over HTTP"),
    "worker": ("app.cli.worker", "Deliver mail and record what time has ended"),
    "demo": ("app.cli.demo", "The demo world; demo fill makes a large one"),
    "over-ssh": ("app.cli.over_ssh", "For authorized_keys: who comes in with a key is that person"),
    "doctor": ("app.cli.doctor", "Check this installation"),
    "replica": ("app.cli.replica", "This machine's copy: status, rebuild"),
    "config": ("app.cli.config", "Settings, documented, with where each value comes from"),
}


@dataclass
class Invocation:
    """One run of the command line. `launch` is set once the global flags are read; `as_json` once a command knows."""

    launch: Launch | None = None
    as_json: bool = False


class Nouns(TyperGroup):
    """A group whose commands are modules, imported on use."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in NOUNS:
            return None
        command = typer.main.get_command(import_module(NOUNS[cmd_name][0]).cli)
        command.name, command.help = cmd_name, command.help or NOUNS[cmd_name][1]
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in NOUNS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], NOUNS, 1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in NOUNS.items()])


cli = typer.Typer(
    cls=Nouns,
    name="countersign",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@cli.callback()
def countersign(
    ctx: typer.Context,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="sqlite:///path or postgresql://user@host/name.")
    ] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="Keep config, data, state and logs here.")] = None,
    identity: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="Who I am.")] = None,
) -> None:
    """Access to customers' accounts: asked for, consented to, timed, and logged. Without a command: the console."""
    ctx.obj.launch = Launch.of(database=database, home=home, identity=identity)
    if ctx.obj.launch.fixed_identity is not None:
        assert ctx.obj.launch.identity  # refused here, whatever the command, where somebody says to be somebody else
    if ctx.invoked_subcommand is None:
        needs_terminal()
        gc.disable()  # what is made until the console stands stays: collecting meanwhile finds nothing, takes a tenth
        from app.console import run_console

        run_console(ctx.obj.launch)


def needs_terminal() -> None:
    """Raises Misconfigured where there is no terminal to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Misconfigured("the console needs a terminal", "`countersign --help` names the commands that need none")


def command() -> TyperCommand | TyperGroup:
    """The whole command line."""
    found: TyperCommand | TyperGroup = typer.main.get_command(cli)  # type: ignore[assignment]  # one of the two
    return found
