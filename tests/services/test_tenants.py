"""Tenants: what is imported, and what they set themselves (REQ-110, REQ-201, REQ-601)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.policy.verdict import Refused
from app.services import tenants
from app.services.tenants import ContactRecord, TenantRecord
from storage.models import Contact, EndKind, Session, Settings, Tenant, TenantMode, TenantStatus
from tests.services.world import ADMIN, CONTOSO, NORTHWIND, PLATFORM, USER, World

ACME = TenantRecord("acme", "Acme", "basic", contacts=(ContactRecord("a", "A", "a@acme.example", (*ADMIN, *USER)),))


async def test_importing_the_same_twice_changes_nothing(world: World) -> None:
    """Issue 2, interface: idempotent; settings of a tenant that exists stay the tenant's."""
    await world.run(tenants.change_settings, world.admin("contoso/ines"), "contoso", max_minutes=30)
    before = world.row(Tenant, "contoso")
    done = await world.desk.run(tenants.import_records, PLATFORM, [NORTHWIND, CONTOSO])
    assert done.answer == {"tenants": "2", "changed": "0"}
    assert world.row(Tenant, "contoso") == before
    assert world.row(Settings, "contoso").max_minutes == 30


async def test_a_contact_that_is_gone_is_kept_as_removed(world: World) -> None:
    """REQ-601: history stays readable; whoever comes back is the same contact."""
    fewer = replace(NORTHWIND, contacts=NORTHWIND.contacts[:2])
    await world.desk.run(tenants.import_records, PLATFORM, [fewer])
    assert world.row(Contact, "northwind/eva").removed
    with pytest.raises(Refused, match="no user"):
        await world.ask()
    await world.desk.run(tenants.import_records, PLATFORM, [NORTHWIND])
    assert not world.row(Contact, "northwind/eva").removed
    assert (await world.ask()).target_id == "northwind/eva"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (replace(ACME, id=""), "no tenant id"),
        (replace(ACME, id="a/b"), "no tenant id"),
        (replace(ACME, id="a b"), "no tenant id"),
        (replace(ACME, name=""), "name of tenant 'acme' is missing"),
        (replace(ACME, name="A\x1b]52;c;x\x07"), "U+001B"),
        (replace(ACME, settings=Settings("acme", max_minutes=300)), "15 to 240"),
        (replace(ACME, contacts=(ContactRecord("a", "A", "nobody", ADMIN),)), "no e-mail address"),
        (replace(ACME, contacts=(ContactRecord("", "A", "a@acme.example", ADMIN),)), "no contact id"),
        (replace(ACME, contacts=ACME.contacts * 2), "stands there twice"),
    ],
)
async def test_an_unsound_record_imports_nothing_at_all(world: World, record: TenantRecord, words: str) -> None:
    """Issue 2, section 5: nothing of the file is applied."""
    good = replace(ACME, id="good")
    with pytest.raises(Refused, match=words.replace("+", r"\+")):
        await world.desk.run(tenants.import_records, PLATFORM, [good, record])
    assert world.desk.view().get(Tenant, "good") is None


async def test_only_a_super_imports(world: World) -> None:
    """REQ-701."""
    with pytest.raises(Refused, match="only a super"):
        await world.run(tenants.import_records, world.ann, [ACME])
    with pytest.raises(Refused, match="staff import"):
        await world.run(tenants.import_records, world.admin("northwind/maria"), [ACME])
    assert (await world.run(tenants.import_records, world.dana, [ACME])).answer["changed"] == "1"


async def test_suspending_an_account_ends_its_sessions(world: World) -> None:
    """REQ-110."""
    session = await world.inside()
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, status=TenantStatus.SUSPENDED)])
    assert world.row(Session, session.id).end_kind is EndKind.TENANT
    with pytest.raises(Refused, match="suspended"):
        await world.ask()


async def test_forbidding_access_ends_sessions_and_refuses_new_ones(world: World) -> None:
    """REQ-110."""
    session = await world.inside()
    maria = world.admin("northwind/maria")
    await world.run(tenants.change_settings, maria, "northwind", mode=TenantMode.FORBIDDEN)
    assert world.row(Session, session.id).end_kind is EndKind.TENANT
    with pytest.raises(Refused, match="forbidden"):
        await world.ask()


async def test_settings_are_logged_with_before_and_after_in_both_logs(world: World) -> None:
    """REQ-401, REQ-402, REQ-601."""
    maria = world.admin("northwind/maria")
    await world.run(tenants.change_settings, maria, "northwind", max_minutes=90, standing_consent=True)
    await world.run(tenants.set_kill_switch, maria, "northwind", True)
    own = [json.loads(one.body) for one in await world.shared.entries("tenant:northwind", 0)][-2:]
    assert [entry["action"] for entry in own] == ["settings.changed", "kill_switch.turned_on"]
    assert own[0]["before"] == {"max_minutes": 60, "standing_consent": False}
    assert own[0]["after"] == {"max_minutes": 90, "standing_consent": True}
    assert all(entry["actor"]["id"] == maria.id and entry["ref"]["log"] == "operator" for entry in own)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_minutes": 14}, "15 to 240"),
        ({"max_minutes": 241}, "15 to 240"),
        ({"color": 1}, "no setting color"),
        ({"max_minutes": 60}, "so already"),
    ],
)
async def test_settings_that_are_refused(world: World, changes: dict[str, int], words: str) -> None:
    """REQ-201: 15 minutes to 4 hours."""
    with pytest.raises(Refused, match=words):
        await world.run(tenants.change_settings, world.admin("northwind/maria"), "northwind", **changes)


async def test_only_a_tenants_own_admins_change_its_settings(world: World) -> None:
    """REQ-110, P5: not another tenant's, not a mere user, not staff."""
    eva = world.admin("northwind/eva")
    for actor in (world.admin("contoso/ines"), eva, world.actor(world.dana)):
        with pytest.raises(Refused, match="tenant's own"):
            await world.desk.run(tenants.set_kill_switch, actor, "northwind", True)
