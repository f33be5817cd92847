"""The JSON API: the tenant's programs and the operator's platform (REQ-404, REQ-602, REQ-603; interface.md, "HTTP")."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from app.portal.rates import BAD_KEYS
from app.services import api_keys
from storage.log.pack import verify_pack
from storage.models import ApiKey, KeyRight, Session, Settings
from tests.web.inside import Inside

TENANT = {
    "id": "acme",
    "name": "Acme",
    "plan": "basic",
    "contacts": [{"id": "a", "name": "A", "email": "a@acme.example", "roles": ["tenant_admin", "user"]}],
}


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    """An RFC 9457 document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, object] = answer.json()
    assert found["status"] == status and found["title"] and found["type"] == "about:blank"
    return found


async def test_a_tenants_program_reads_and_changes_its_settings(inside: Inside) -> None:
    """REQ-110, REQ-602: the kill switch included, with what it ended."""
    key = await inside.key(KeyRight.SETTINGS, "northwind")
    session = await inside.world.inside()
    async with inside.browser() as client:
        assert (await client.get("/api/tenant/settings", headers=key)).json()["max_minutes"] == 60
        done = await client.patch("/api/tenant/settings", headers=key, json={"kill_switch": True, "max_minutes": 30})
        assert done.status_code == 200, done.text
        assert done.json()["sessions_ended"] == 1 and done.json()["settings"]["kill_switch"] is True
        assert inside.world.row(Session, session.id).ended_at is not None
        problem(await client.patch("/api/tenant/settings", headers=key, json={"max_minutes": 30}), 409)
        for wrong in ({}, {"max_minutes": 5}, {"max_minutes": "30"}, {"kill_switch": 1}, {"surplus": 1}, [], None):
            problem(await client.patch("/api/tenant/settings", headers=key, json=wrong), 422)


async def test_a_reading_key_changes_nothing_and_a_signed_in_admin_may_use_the_api(inside: Inside) -> None:
    key = await inside.key(KeyRight.READ, "northwind")
    browser = await inside.signed_in()
    async with inside.browser() as client:
        problem(await client.patch("/api/tenant/settings", headers=key, json={"kill_switch": True}), 403)
    assert (await browser.patch("/api/tenant/settings", json={"max_minutes": 20})).status_code == 200
    evil = {"origin": "https://evil.example"}
    assert (await browser.patch("/api/tenant/settings", json={"max_minutes": 30}, headers=evil)).status_code == 403
    assert inside.world.row(Settings, "northwind").max_minutes == 20


async def test_the_log_is_read_narrowed_and_paged(inside: Inside) -> None:
    """REQ-404, REQ-407: the exact entries, newest first, the tenant's own alone."""
    for number in range(4):
        await inside.world.ask(ticket=f"T-{number}")
    await inside.world.ask(tenant_id="contoso", target_id="contoso/omar")
    key = await inside.key(KeyRight.READ, "northwind")
    async with inside.browser() as client:
        whole = (await client.get("/api/audit", headers=key)).json()
        numbers = [one["seq"] for one in whole["entries"]]
        assert numbers == list(range(numbers[0], 0, -1)) and whole["older"] is None
        assert {one["log"] for one in whole["entries"]} == {"tenant:northwind"}
        for newer, older in zip(whole["entries"], whole["entries"][1:], strict=False):
            assert newer["prev"] == older["hash"]

        paged: list[int] = []
        before: int | None = None
        while True:
            asked = {"limit": 2, **({"before": before} if before else {})}
            part = (await client.get("/api/audit", headers=key, params=asked)).json()
            paged += [one["seq"] for one in part["entries"]]
            before = part["older"]
            if before is None:
                break
        assert paged == numbers
        narrowed = await client.get("/api/audit", headers=key, params={"ticket": "T-2", "action": "request.*"})
        assert [one["ticket"] for one in narrowed.json()["entries"]] == ["T-2"]
        for wrong in ({"limit": 0}, {"before": "x"}, {"since": "never"}, {"until": "0.5"}, {"action": ""}):
            problem(await client.get("/api/audit", headers=key, params=wrong), 422)


async def test_verify_and_export_speak_of_the_shared_database(inside: Inside, tmp_path: Path) -> None:
    """REQ-404: what was checked; a pack that verifies offline; both on record where they are acts."""
    key = await inside.key(KeyRight.READ, "northwind")
    async with inside.browser() as client:
        report = (await client.get("/api/audit/verify", headers=key)).json()
        assert report["verified"] and report["checked"] and report["faults"] == []
        pack = await client.get("/api/audit/export", headers=key)
        assert pack.headers["content-type"] == "application/zip"
        (tmp_path / "pack.zip").write_bytes(pack.content)
        found = verify_pack(tmp_path / "pack.zip")
        assert found.whole and not found.faults and found.last_hash == report["head"]["hash"]
        assert "log.jsonl" in zipfile.ZipFile(BytesIO(pack.content)).namelist()
        newest = (await client.get("/api/audit", headers=key, params={"limit": 1})).json()["entries"][0]
        assert newest["action"] == "log.exported" and newest["actor"]["name"] == "API key program"


@pytest.mark.parametrize("path", ["tenant/settings", "audit", "audit/verify", "audit/export"])
async def test_without_a_key_that_is_known_there_is_nothing(inside: Inside, path: str) -> None:
    foreign = await inside.key(KeyRight.PLATFORM)
    async with inside.browser() as client:
        answer = await client.get(f"/api/{path}")
        assert problem(answer, 401) and "Bearer" in answer.headers["www-authenticate"]
        for header in (
            "Bearer x",
            "Basic eDp5",
            foreign["authorization"][:-1] + "x",
            "Bearer csk_K-000000_" + "a" * 43,
        ):
            problem(await client.get(f"/api/{path}", headers={"authorization": header}), 401)
        problem(await client.get(f"/api/{path}", headers=foreign), 403)


async def test_keys_are_not_guessed_and_a_revoked_one_is_gone_at_once(inside: Inside) -> None:
    key = await inside.key(KeyRight.READ, "northwind")
    async with inside.browser("198.51.100.9") as guesser, inside.browser() as client:
        for _ in range(BAD_KEYS.times):
            await guesser.get("/api/audit", headers={"authorization": "Bearer csk_K-000000_" + "a" * 43})
        limited = await guesser.get("/api/audit", headers={"authorization": "Bearer x"})
        assert problem(limited, 429) and limited.headers["retry-after"]
        assert (await client.get("/api/audit", headers=key)).status_code == 200
        (row,) = inside.world.desk.view().find(ApiKey)
        await inside.world.run(api_keys.revoke, inside.world.dana, row.id)
        problem(await client.get("/api/audit", headers=key), 401)


async def test_the_platform_makes_and_moves_a_tenant(inside: Inside) -> None:
    """REQ-603: the whole life over HTTP; each refusal a problem that names its rule."""
    key = await inside.key(KeyRight.PLATFORM)
    tenants_key = await inside.key(KeyRight.SETTINGS, "northwind")
    async with inside.browser() as client:

        async def post(path: str, body: object, headers: dict[str, str] = key) -> httpx.Response:
            return await client.post(f"/api/platform/tenants{path}", json=body, headers=headers)

        problem(await post("", TENANT, tenants_key), 403)
        made = await post("", TENANT)
        assert made.status_code == 201 and made.json()["status"] == "active"
        refused = problem(await post("", TENANT), 409)
        assert refused["refused"] and refused["refused"][0]["rule"] == "REQ-603"  # type: ignore[index]  # a document
        assert (await post("/acme/plan", {"plan": "pro"})).json()["plan"] == "pro"
        assert (await post("/acme/flags", {"flags": {"beta": "on"}})).json()["flags"] == {"beta": "on"}
        assert (await post("/acme/flags", {"flags": {"beta": None}})).json()["flags"] == {}
        assert (await post("/acme/suspend", {"reason": "unpaid"})).json()["status"] == "suspended"
        problem(await post("/acme/suspend", {"reason": "unpaid"}), 409)
        assert (await post("/acme/resume", {"reason": "paid"})).json()["status"] == "active"
        assert (await post("/acme/deprovision", {"reason": "left"})).json()["status"] == "deprovisioned"
        problem(await post("/acme/resume", {"reason": "back"}), 409)
        problem(await post("/nobody/suspend", {"reason": "x"}), 404)
        for wrong in ({}, {"reason": ""}, {"reason": "a\x1b[2J"}, {"reason": "x", "more": 1}):
            problem(await post("/northwind/suspend", wrong), 422)
        assert (await client.get("/api/platform/tenants/northwind", headers=key)).json()["status"] == "active"


async def test_the_openapi_document_says_every_problem(inside: Inside) -> None:
    async with inside.browser() as client:
        document = (await client.get("/openapi.json")).json()
        for path in ("/api/nothing", "/api/platform/nothing"):
            problem(await client.get(path), 404)
        problem(await client.delete("/api/audit"), 405)
        assert (await client.delete("/api/tenant/settings")).headers["allow"] == "GET, PATCH"
    assert document["openapi"].startswith("3.1")
    wanted = {
        "/api/tenant/settings",
        "/api/audit",
        "/api/audit/verify",
        "/api/audit/export",
        "/api/platform/tenants",
        "/healthz",
    }
    assert wanted <= document["paths"].keys()
    assert not any(path.startswith(("/access", "/consent", "/gate")) for path in document["paths"])
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if path.startswith("/api") and int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)
