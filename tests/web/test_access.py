"""Signing in and the tenant's own pages against everybody else (REQ-602)."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from app.mail.links import make_tokens
from app.portal.rates import SIGN_IN_BY_ADDRESS
from app.services import tenants
from storage.models import LinkKind, Session, Settings
from tests.services.world import CONTOSO, PLATFORM, World
from tests.web.inside import MAIL_KEY, Inside, fields

PAGES = ("/access", "/access/log", "/access/log/1", "/access/sessions", "/access/verify")


async def test_nobody_sees_a_tenants_pages_without_signing_in(inside: Inside) -> None:
    browser = inside.browser()
    for path in PAGES:
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    for path in ("/access/review", "/access/change", "/access/export", "/access/verify", "/access/keys", "/sign-out"):
        answer = await browser.post(path, data={"csrf": "x", "kill_switch": "on"})
        assert answer.status_code == 303


async def test_a_signed_in_admin_sees_the_own_tenant_and_no_other(inside: Inside) -> None:
    """REQ-402: whatever number, session or filter is asked for."""
    foreign = await inside.world.inside(tenant_id="contoso", target_id="contoso/omar")
    browser = await inside.signed_in()
    for path in PAGES:
        answer = await browser.get(path)
        assert answer.status_code == 200 and "Contoso" not in answer.text, path
    assert (await browser.get(f"/access/sessions/{foreign.id}")).status_code == 404
    assert (await browser.get(f"/access/sessions/{foreign.id}.json")).status_code == 404
    for words in ("tenant:contoso", foreign.id, "contoso"):
        assert foreign.id not in (await browser.get("/access/log", params={"words": words})).text.partition("<table")[2]


async def test_the_link_to_sign_in_is_used_by_the_button_alone(inside: Inside) -> None:
    """A scanner that opens it, any way it likes, uses nothing up; a second button does nothing."""
    browser, scanner = inside.browser(), inside.browser("198.51.100.1")
    letter = await inside.letter_to_sign_in(browser, "northwind/maria")
    token = make_tokens(MAIL_KEY, letter)[LinkKind.SIGN_IN]
    before = await inside.head()
    for method in ("GET", "HEAD") * 2:
        assert (await scanner.request(method, f"/sign-in/{token}")).status_code == 200
    assert (await scanner.post(f"/sign-in/{token}", data={})).status_code == 400, "a bare post signs nobody in"
    assert await inside.head() == before

    shown = await browser.get(f"/sign-in/{token}")
    assert (await browser.post(f"/sign-in/{token}", data=fields(shown))).status_code == 303
    assert (await browser.get("/access")).status_code == 200
    assert (await scanner.get(f"/sign-in/{token}")).status_code == 404
    assert (await scanner.get("/access")).status_code == 303


async def test_a_link_that_is_opened_before_its_delivery_is_on_record_works(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter is there a moment earlier than the record of it: who is that fast waits, and signs in."""
    browser, looked, pull = inside.browser(), asyncio.Event(), inside.world.sync.pull
    admin = inside.world.admin("northwind/maria")
    await browser.post("/sign-in", data={**fields(await browser.get("/sign-in")), "email": admin.email})
    (letter,) = inside.world.letters("sign_in.asked")

    async def looks(*args: object) -> object:
        looked.set()
        return await pull()

    with monkeypatch.context() as patch:
        patch.setattr(inside.world.sync, "pull", looks)
        opening = asyncio.create_task(browser.get(f"/sign-in/{make_tokens(MAIL_KEY, letter)[LinkKind.SIGN_IN]}"))
        await looked.wait()
    await inside.deliver()
    shown = await opening
    assert shown.status_code == 200 and "Sign in with this browser" in shown.text


async def test_known_and_unknown_addresses_get_the_same_answer(inside: Inside) -> None:
    """No enumeration: same status, same bytes, and the letter is written after the answer has gone."""
    answers = []
    for number, email in enumerate(("maria@northwind.example", "eva@northwind.example", "x@nowhere.example")):
        browser = inside.browser(f"203.0.113.{number}")
        form = {**fields(await browser.get("/sign-in")), "email": email}
        answers.append(await browser.post("/sign-in", data=form))
    assert len({(one.status_code, one.text, tuple(sorted(one.headers))) for one in answers}) == 1
    assert {one.to_id for one in inside.world.letters("sign_in.asked")} == {"northwind/maria"}


async def test_an_address_that_asks_much_waits_and_an_account_gets_few_letters(inside: Inside) -> None:
    browser = inside.browser("203.0.113.77")
    statuses = []
    for _ in range(SIGN_IN_BY_ADDRESS.times + 2):
        form = {**fields(await browser.get("/sign-in")), "email": "maria@northwind.example"}
        statuses.append((await browser.post("/sign-in", data=form)).status_code)
    assert statuses[-1] == 429 and statuses[0] == 200
    assert len(inside.world.letters("sign_in.asked")) == 5


async def test_a_form_without_its_word_changes_nothing(inside: Inside) -> None:
    """CSRF on the signed-in pages: the cookie alone does nothing."""
    browser = await inside.signed_in()
    good = fields(await browser.get("/access"))["csrf"]
    other = fields(await (await inside.signed_in("northwind/juan", "203.0.113.6")).get("/access"))["csrf"]
    before = await inside.head()
    for csrf in ("", "0" * 64, other, "é"):
        answer = await browser.post("/access/review", data={"csrf": csrf, "kill_switch": "on"})
        assert answer.status_code == 403
    evil = {"origin": "https://evil.example"}
    answer = await browser.post("/access/review", data={"csrf": good, "kill_switch": "on"}, headers=evil)
    assert answer.status_code == 403
    assert await inside.head() == before


async def test_the_switch_is_turned_by_the_confirmation_and_ends_what_runs(inside: Inside) -> None:
    """REQ-110, on both forms of the shared database."""
    session = await inside.world.inside()
    browser = await inside.signed_in()
    csrf = fields(await browser.get("/access"))["csrf"]
    shown = await browser.post("/access/review", data={"csrf": csrf, "kill_switch": "on"})
    assert "Ann Lee" in shown.text and session.ticket in shown.text
    assert not inside.world.row(Settings, "northwind").kill_switch
    done = await browser.post("/access/change", data=fields(shown))
    assert done.status_code == 303, done.text
    assert inside.world.row(Settings, "northwind").kill_switch
    assert inside.world.row(Session, session.id).ended_at is not None
    again = await browser.post("/access/change", data=fields(shown))
    assert again.status_code == 200 and "so already" in again.text


async def test_a_confirmation_cannot_be_bent(inside: Inside) -> None:
    """What was shown is what is done: other values under the same seal show the page again."""
    browser = await inside.signed_in()
    csrf = fields(await browser.get("/access"))["csrf"]
    shown = await browser.post("/access/review", data={"csrf": csrf, "kill_switch": "on"})
    form = fields(shown)
    for wanted in ('{"max_minutes": 240}', '{"x": 1}', "[]", "{", '{"mode": "no such"}', '{"max_minutes": "a"}'):
        answer = await browser.post("/access/change", data={**form, "wanted": wanted})
        assert answer.status_code in (200, 400), wanted
    assert inside.world.row(Settings, "northwind") == Settings("northwind")


async def test_whoever_is_no_admin_any_more_is_out_at_once(inside: Inside) -> None:
    from dataclasses import replace

    browser = await inside.signed_in("contoso/omar")
    assert (await browser.get("/access")).status_code == 200
    fewer = replace(CONTOSO, contacts=CONTOSO.contacts[:1])
    await inside.world.desk.run(tenants.import_records, PLATFORM, [fewer])
    assert (await browser.get("/access")).status_code == 303


async def test_a_session_ends_after_a_working_day(inside: Inside) -> None:
    browser = await inside.signed_in()
    inside.world.clock.advance(timedelta(hours=8))
    assert (await browser.get("/access")).status_code == 303


async def test_cookies_go_over_tls_alone_where_the_world_sees_tls(world: World, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Secure and `__Host-` by the portal's own address, and by a trusted proxy's word; by nobody else's."""
    tls = Inside(world, tmp_path / "tls", "https://portal.example")
    assert "Secure" in (await tls.browser().get("/sign-in")).headers["set-cookie"]
    assert "max-age" in (await tls.browser().get("/sign-in")).headers["strict-transport-security"]
    plain = Inside(world, tmp_path / "plain", proxies=("10.0.0.1",))
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"}
    believed = await plain.browser("10.0.0.1").get("/sign-in", headers=forwarded)
    ignored = await plain.browser("10.0.0.2").get("/sign-in", headers=forwarded)
    assert "Secure" in believed.headers["set-cookie"] and "Secure" not in ignored.headers["set-cookie"]


async def test_hostile_filters_are_words_only(inside: Inside) -> None:
    """Paging and filters take anything and show it harmless."""
    browser = await inside.signed_in()
    for words in ("<script>alert(1)</script>", "' OR 1=1 --", "%", "since:never", '"', "a" * 5000, "\u202e"):
        named = dict.fromkeys(("words", "before", "from", "kind"), words)
        answer = await browser.get("/access/log", params=named)
        assert answer.status_code == 200 and "<script" not in answer.text
    for path in ("log/0", "log/x", "log/99999999999999", "sessions/S-NONE", "nothing"):
        assert (await browser.get(f"/access/{path}")).status_code == 404


async def test_pages_of_the_log_hold_every_entry_once(inside: Inside) -> None:
    """Paging by number: nothing is shown twice, nothing is left out."""
    for number in range(20):
        await inside.world.ask(ticket=f"T-{number}")
    await inside.deliver()
    browser = await inside.signed_in()
    seen: list[int] = []
    path = "/access/log"
    while path:
        answer = await browser.get(path)
        seen += [int(one) for one in re.findall(r'aria-label="Entry (\d+)"', answer.text)]
        older = re.search(r'href="(/access/log\?[^"]+)" rel="next"', answer.text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == list(range(len(seen), 0, -1)) and len(seen) > 60


async def test_verify_finds_what_was_changed_behind_the_logs_back(inside: Inside) -> None:
    """REQ-404: it reads the shared database, not the portal's copy."""
    from storage.shared.interface import StoredEntry

    browser = await inside.signed_in()
    csrf = fields(await browser.get("/access/verify"))["csrf"]
    good = await browser.post("/access/verify", data={"csrf": csrf})
    assert ">Verified<" in good.text
    shared, honest = inside.world.shared, inside.world.shared.entries

    async def altered(log: str, after: int, limit: int = 5000) -> list[StoredEntry]:
        found = await honest(log, after, limit)
        return [one._replace(body=one.body.replace("northwind", "northwynd")) if one.seq == 1 else one for one in found]

    shared.entries = altered  # type: ignore[method-assign]  # a database whose owner altered an entry
    bad = await browser.post("/access/verify", data={"csrf": csrf})
    assert "Not verified" in bad.text and "number 1" in bad.text
