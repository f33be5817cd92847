"""`countersign mail`: the letters, what became of each, and another try for one that failed (REQ-503)."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli.options import Json, Limit
from app.cli.output import print_json, print_pairs, print_table, put, say
from app.cli.run import act, run
from storage.errors import Misconfigured
from storage.models import LinkKind, Mail, MailState

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@cli.callback()
def mail() -> None:
    """Letters: which wait, which went out, which failed and why."""


@cli.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[MailState | None, typer.Option(help="Only those that are queued, delivered or failed.")] = None,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Letters, the newest first."""
    from storage.replica.queries.mail import all_mail

    async def work(place: Workplace) -> None:
        found = all_mail(place.replica.reader, limit, state)
        if as_json:
            print_json([_document(one) for one in found])
            return
        columns = ("id", "state", "created", "to", "event", "attempts", "what was said")
        rows = [
            (one.id, one.state.value, one.created_at, one.to_email, one.event, one.attempts, _said(one))
            for one in found
        ]
        print_table(columns, rows, "no letters")

    run(ctx, work, as_json=as_json)


@cli.command()
def show(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The letter.")],
    as_json: Json = False,
) -> None:
    """One letter: what became of it, and its text. Links stand as their names: only the mailbox has them."""

    async def work(place: Workplace) -> None:
        from app.mail.post_office import postmark
        from app.mail.rendering import render

        one = _letter(place, key)
        text = render(one, {kind: f"<{kind.value} link>" for kind in one.links}, postmark(place, one)).plain
        if as_json:
            print_json(_document(one) | {"text": text})
            return
        print_pairs([(name, value) for name, value in _document(one).items() if name != "facts"])
        put("\n" + text)

    run(ctx, work, as_json=as_json)


@cli.command()
def retry(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The letter that failed.")],
    as_json: Json = False,
) -> None:
    """Have a failed letter tried again: for supers, once its cause is mended."""
    from app.services.mail import requeue

    async def work(place: Workplace) -> None:
        done = await act(place, requeue, key)
        if as_json:
            print_json(done.answer)
        else:
            say(f"{key} is queued again")

    run(ctx, work, as_json=as_json)


def _letter(place: Workplace, key: str) -> Mail:
    found = place.desk.view().get(Mail, key)
    if found is None:
        raise Misconfigured(f"there is no letter {key}", "`countersign mail list` names them")
    return found


def _said(one: Mail) -> str:
    return (one.answer if one.state is MailState.DELIVERED else one.last_error) or ""


def _document(one: Mail) -> dict[str, object]:
    return {
        "id": one.id,
        "state": one.state,
        "event": one.event,
        "urgent": one.urgent,
        "to": one.to_id,
        "name": one.to_name,
        "email": one.to_email,
        "tenant": one.tenant_id,
        "request": one.request_id,
        "session": one.session_id,
        "subject": one.subject,
        "links": [LinkKind(kind) for kind in one.links],
        "created_at": one.created_at,
        "attempts": one.attempts,
        "tried_at": one.tried_at,
        "last_error": one.last_error,
        "delivered_at": one.delivered_at,
        "failed_at": one.failed_at,
        "answer": one.answer,
        "facts": one.said(),
    }
