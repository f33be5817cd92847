"""`/access`: a tenant's own support-access page. The switch, the settings, the keys of its programs (REQ-110, REQ-602).

A change is shown first, with what it does to whom, and made by the second form. If the settings have changed in
between, it is shown again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.policy.tenants import is_open
from app.policy.verdict import Refused
from app.portal.door import Door, door_of
from app.portal.pages import page, told
from app.portal.settings_words import MODES, NAMES, SWITCHES, Step, Value, said, steps, wanted_of
from app.portal.who import Admin, Posting, Somebody
from app.services import api_keys, reading, tenants
from storage.errors import Conflict, GuardRefused, Offline
from storage.models import Settings, TenantMode
from storage.models.row import digest
from storage.replica.queries.portal import keys_of, running_in
from storage.replica.queries.requests import names
from storage.replica.queries.tenants import log_head, setting_changes

router = APIRouter(include_in_schema=False)

CHANGED_MEANWHILE = (
    "The settings have changed meanwhile. Nothing was done: look again, and confirm if you still mean it."
)


@router.api_route("/access", methods=["GET", "HEAD"])
async def show(request: Request, somebody: Admin) -> Response:
    return _page(request, somebody)


@router.post("/access/review")
async def review(request: Request, somebody: Posting) -> Response:
    """What would change, and what that does. Changes nothing."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        wanted = wanted_of(form)
    except ValueError as wrong:
        return _page(request, somebody, status=400, trouble=f"Nothing was changed: {wrong}.")
    return _confirm(request, somebody, wanted)


@router.post("/access/change")
async def change(
    request: Request, somebody: Posting, wanted: Annotated[str, Form()] = "", seal: Annotated[str, Form()] = ""
) -> Response:
    """What was shown, if nothing has changed since it was."""
    door = door_of(request)
    try:
        values = _read(wanted)
    except ValueError:
        return _page(request, somebody, status=400, trouble="Nothing was changed: start again from here.")
    opened = door.sealer.open(seal, _subject(door, somebody, wanted), somebody.session.id)
    if opened is None:
        return _confirm(request, somebody, values, trouble=CHANGED_MEANWHILE)
    try:
        await door.run(
            tenants.change_settings, somebody.actor, somebody.tenant.id, change_id=opened.change_id, **values
        )
    except (Refused, Conflict, GuardRefused) as refused:
        return _page(request, somebody, status=409, trouble=f"Not done: {refused}.")
    except Offline as offline:
        if not values.get("kill_switch"):
            return told(request, "Not changed", f"{offline}. Try again in a minute.", status=503)
        return told(request, "The log is out of reach", f"{offline}. Press the switch again in a moment.", status=503)
    return RedirectResponse("/access?changed", 303)


@router.post("/access/keys")
async def keys(
    request: Request, somebody: Posting, key: Annotated[str, Form()] = "", act: Annotated[str, Form()] = ""
) -> Response:
    """Accept or revoke a program's key."""
    door = door_of(request)
    command = {"accept": api_keys.accept, "revoke": api_keys.revoke}.get(act)
    if command is None:
        return _page(request, somebody, status=400, trouble="Choose what to do with the key.")
    try:
        await door.run(command, somebody.actor, key)
    except (Refused, Conflict, GuardRefused) as refused:
        return _page(request, somebody, status=409, trouble=f"Not done: {refused}.")
    except Offline as offline:
        return told(request, "Not done", f"{offline}. Try again in a minute.", status=503)
    return RedirectResponse("/access?changed", 303)


def _page(request: Request, somebody: Somebody, *, status: int = 200, trouble: str = "") -> Response:
    door = door_of(request)
    place = reading.place(door.view(), somebody.tenant.id)
    changes = setting_changes(door.reader, somebody.tenant.id, 8)
    every_key = keys_of(door.reader, somebody.tenant.id)
    return page(
        request,
        "access.html",
        status=status,
        trouble=trouble,
        changed=request.url.query == "changed",
        place=place,
        settings=place.settings,
        inside=running_in(door.reader, somebody.tenant.id, door.now()),
        open=is_open(place),
        modes=[(mode.value, *words) for mode, words in MODES.items()],
        switches=[(name, *words) for name, words in SWITCHES.items()],
        changes=[(one, _said(one.before), _said(one.after)) for one in changes],
        head=log_head(door.reader, somebody.tenant.id),
        keys=every_key,
        made_by=names(door.reader, [key.created_by for key in every_key]),
    )


def _said(values: Mapping[str, object]) -> str:
    """Settings of an entry, for a person; one that this version does not know is shown as it is."""
    parts = []
    for name, value in values.items():
        try:
            parts.append(f"{NAMES[name].lower()}: {said(name, value)}")  # type: ignore[arg-type]  # as stored
        except (KeyError, ValueError):
            parts.append(f"{name}: {value}")
    return ", ".join(parts)


def _confirm(request: Request, somebody: Somebody, wanted: dict[str, Value], *, trouble: str = "") -> Response:
    door = door_of(request)
    settings = _settings(door, somebody)
    inside = running_in(door.reader, somebody.tenant.id, door.now())
    found: list[Step] = steps(settings, wanted, len(inside))
    if not found:
        return _page(request, somebody, trouble="Nothing would change: it is so already.")
    text = json.dumps({name: value for name, value in wanted.items() if getattr(settings, name) != value})
    subject = _subject(door, somebody, text)
    shuts = bool(wanted.get("kill_switch")) or wanted.get("mode") is TenantMode.FORBIDDEN
    return page(
        request,
        "confirm.html",
        trouble=trouble,
        steps=found,
        wanted=text,
        own_seal=door.sealer.seal(subject, somebody.session.id),
        inside=inside if shuts else [],
        shuts=shuts,
    )


def _settings(door: Door, somebody: Somebody) -> Settings:
    return reading.place(door.view(), somebody.tenant.id).settings


def _subject(door: Door, somebody: Somebody, wanted: str) -> str:
    """What a confirmation is bound to: what is wanted, and the settings that were shown as they are."""
    return f"settings {somebody.tenant.id} {digest(_settings(door, somebody).image())} {wanted}"


def _read(text: str) -> dict[str, Value]:
    """The wanted settings as the confirmation carries them. Raises ValueError."""
    values = json.loads(text)
    if not isinstance(values, dict) or not values or not values.keys() <= set(tenants.SETTINGS):
        raise ValueError(text)
    return {name: TenantMode(value) if name == "mode" else value for name, value in values.items()}
