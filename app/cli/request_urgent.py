"""`request break-glass`, `request emergency`, `request countersign`: the ways in beyond consent, and every second
signature (REQ-108, REQ-109, REQ-202)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import lookup
from app.cli.options import Json, Note, Otp
from app.cli.request_work import Id, alternatives, do, place_of, show
from app.cli.run import act, run
from app.policy.requests import RequestForm
from storage.errors import Misconfigured
from storage.models import EmergencyCategory, Mode, Request


class Signing(StrEnum):
    """What a second signature is for."""

    FULL = "full"
    BREAK_GLASS = "break-glass"
    EMERGENCY = "emergency"


def break_glass(
    ctx: typer.Context,
    request_id: Id,
    reason: Annotated[str, typer.Option(help="Why it cannot wait for the tenant any longer.")],
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """Declare break-glass on one's own urgent request that nobody decided; a super must countersign."""
    from app.services import break_glass as services

    do(ctx, services.declare, request_id, (reason,), otp, as_json)


def emergency(
    ctx: typer.Context,
    category: Annotated[EmergencyCategory, typer.Option(help="What kind of harm.")],
    reason: Annotated[str, typer.Option(help="What two hours would make irreparable.")],
    request_id: Annotated[str, typer.Argument(metavar="[REQUEST]", help="An open or expired request.")] = "",
    engineer: Annotated[str, typer.Option(help="Or ask anew: for whom, by e-mail.")] = "",
    tenant: Annotated[str, typer.Option(help="Anew: the tenant's id.")] = "",
    target: Annotated[str, typer.Option(help="Anew: contact id or e-mail.")] = "",
    ticket: Annotated[str, typer.Option(help="Anew: the ticket or incident.")] = "",
    request_reason: Annotated[str, typer.Option("--request-reason", help="Anew: the reason of the request.")] = "",
    scope: Annotated[str, typer.Option(help="Anew: what it will touch.")] = "",
    records: Annotated[int, typer.Option(help="Anew: about how many records.")] = 1,
    why_not: Annotated[str, typer.Option("--why-not", help="Anew: why the other ways did not do.")] = "",
    tried: Annotated[str, typer.Option(help="Anew: less invasive ways tried, by comma.")] = "",
    mode: Annotated[Mode, typer.Option(help="Anew: full needs a countersign.")] = Mode.READ_ONLY,
    minutes: Annotated[int, typer.Option(help="Anew: minutes wanted.")] = 30,
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """A super declares an emergency, for a request or for one asked anew; a second super must countersign."""
    from app.services import emergency as services

    async def work(place: Workplace) -> None:
        legal = place.launch.settings.operator.legal_email
        if bool(request_id) == bool(engineer):
            raise Misconfigured("say either a request, or --engineer with what the new request says")
        if request_id:
            key = lookup.find(place.replica.reader, Request, request_id).id
            await act(place, services.declare, key, category, reason, legal, otp=otp)
        else:
            ways = alternatives(tried)
            form = RequestForm(
                *place_of(place, tenant, target), ticket, request_reason, scope, records, mode, minutes, True, ways,
                why_not,
            )  # fmt: skip
            member = place.staff(engineer).id
            done = await act(place, services.declare_anew, member, form, category, reason, legal, otp=otp)
            key = done.answer["id"]
        show(place, key, as_json)

    run(ctx, work, as_json=as_json)


def countersign(
    ctx: typer.Context,
    request_id: Id,
    what: Annotated[
        Signing | None, typer.Option("--for", help="Which signature; else the one that is waited for.")
    ] = None,
    note: Note = "",
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """Be the second person: for an emergency, for break-glass, or for full mode."""
    from app.services import break_glass as glass
    from app.services import emergency as emergencies
    from app.services import requests

    async def work(place: Workplace) -> None:
        request = lookup.find(place.replica.reader, Request, request_id)
        match what or awaited(place, request):
            case Signing.EMERGENCY:
                legal = place.launch.settings.operator.legal_email
                await act(place, emergencies.countersign, request.id, legal, note, otp=otp)
            case Signing.BREAK_GLASS:
                await act(place, glass.countersign, request.id, note, otp=otp)
            case Signing.FULL:
                await act(place, requests.countersign, request.id, note, otp=otp)
        show(place, request.id, as_json)

    run(ctx, work, as_json=as_json)


def awaited(place: Workplace, request: Request) -> Signing:
    """The signature that somebody waits for: the one that opens a way in before the one for the mode."""
    from app.policy.request_state import emergency_waits, state_at
    from storage.models import RequestState

    now = place.clock.now()
    if emergency_waits(request, now):
        return Signing.EMERGENCY
    return Signing.BREAK_GLASS if state_at(request, now) is RequestState.DECLARED else Signing.FULL
