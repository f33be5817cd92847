"""The consent page against everything that is not a person with the letter (REQ-105; issue 4, Must show 4)."""

from __future__ import annotations

import pytest

from app.portal.rates import UNKNOWN_LINKS
from app.services import break_glass
from storage.models import LinkKind, Request, RequestState
from tests.web.inside import Inside, code_on, fields

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}\u202e\u200b\x85'


async def test_a_decision_takes_page_cookie_and_code(inside: Inside) -> None:
    """REQ-105: a post with any of them missing, made up, or of another page decides nothing."""
    request = await inside.world.ask()
    token = await inside.token(request)
    browser, other = inside.browser(), inside.browser()
    shown = await browser.get(f"/consent/{token}")
    elsewhere = await other.get(f"/consent/{token}")
    before = await inside.head()
    good = {**fields(shown), "code": code_on(shown), "act": "approve", "minutes": "10"}
    for wrong in (
        {**good, "code": ""},
        {**good, "code": "XXXX"},
        {**good, "seal": ""},
        {**good, "seal": good["seal"][:-1] + ("0" if good["seal"][-1] != "0" else "1")},
        {**good, "seal": fields(elsewhere)["seal"], "code": code_on(elsewhere)},
        {**good, "act": "veto"},
        {**good, "minutes": "9999"},
        {**good, "minutes": "ten"},
    ):
        answer = await browser.post(f"/consent/{token}", data=wrong)
        assert answer.status_code in (400, 409), wrong
    assert await inside.head() == before

    done = await browser.post(f"/consent/{token}", data=good)
    assert done.status_code == 303
    row = inside.world.row(Request, request.id)
    assert (row.state, row.granted_minutes) == (RequestState.APPROVED, 10)


async def test_the_same_form_twice_is_one_decision(inside: Inside) -> None:
    """A double click, a form sent again by a browser that comes back: what was decided is shown."""
    request = await inside.world.ask()
    token = await inside.token(request)
    browser = inside.browser()
    shown = await browser.get(f"/consent/{token}")
    form = {**fields(shown), "code": code_on(shown), "act": "approve"}
    assert (await browser.post(f"/consent/{token}", data=form)).status_code == 303
    after = await inside.head()
    again = await browser.post(f"/consent/{token}", data={**form, "act": "deny"})
    assert again.status_code == 200 and "Maria Santos" in again.text
    assert await inside.head() == after


async def test_a_question_sent_twice_is_asked_once(inside: Inside) -> None:
    """REQ-115: asking leaves the link good, so the form's own id keeps it single."""
    request = await inside.world.ask()
    token = await inside.token(request)
    browser = inside.browser()
    shown = await browser.get(f"/consent/{token}")
    form = {**fields(shown), "code": code_on(shown), "act": "ask", "question": "Which one?"}
    for _ in range(2):
        assert (await browser.post(f"/consent/{token}", data=form)).status_code == 303
    assert len(inside.world.row(Request, request.id).exchanges) == 1


async def test_a_post_from_another_site_is_refused(inside: Inside) -> None:
    """CSRF: whatever the form holds."""
    request = await inside.world.ask()
    token = await inside.token(request)
    browser = inside.browser()
    shown = await browser.get(f"/consent/{token}")
    form = {**fields(shown), "code": code_on(shown), "act": "approve"}
    before = await inside.head()
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert (await browser.post(f"/consent/{token}", data=form, headers=headers)).status_code == 403
    assert await inside.head() == before


async def test_looking_changes_nothing_however_often(inside: Inside) -> None:
    """Must show 4: every link of the letter, GET and HEAD, twice, with and without a browser's cookies."""
    request = await inside.world.ask()
    tokens = [await inside.token(request, kind=kind) for kind in (LinkKind.APPROVE, LinkKind.DENY)]
    before = await inside.head()
    for crawler in (inside.browser(), inside.browser("198.51.100.1")):
        for token in tokens * 2:
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
                answer = await crawler.request(method, f"/consent/{token}")
                assert answer.status_code in (200, 405), method
    assert await inside.head() == before


async def test_guessed_and_foreign_tokens_say_nothing_and_are_counted(inside: Inside) -> None:
    """One answer for all of them; after a few the address waits, and a good link of another address still works."""
    inside.door.looks_again = (0,)
    request = await inside.world.ask()
    token = await inside.token(request)
    guesser = inside.browser("198.51.100.66")
    answers = set()
    for guess in (token[:-1], token + "A", "c", "x" * 400, "%00", "..%2f..%2fetc%2fpasswd", "é"):
        answer = await guesser.get(f"/consent/{guess}")
        assert answer.status_code == 404
        if "There is no such page" not in answer.text:
            answers.add(answer.text)
    assert len(answers) == 1
    for number in range(UNKNOWN_LINKS.times):
        await guesser.get(f"/consent/guess{number}")
    assert (await guesser.get(f"/consent/{token}")).status_code == 404, "who guesses much sees nothing any more"
    assert (await inside.browser().get(f"/consent/{token}")).status_code == 200


async def test_hostile_text_is_shown_and_does_nothing(inside: Inside) -> None:
    """Whatever an engineer, an admin or an import wrote."""
    hostile = HOSTILE.replace("\x85", "")
    request = await inside.world.ask(reason=f"{hostile} the refund 8841 never reached the bank account", scope=hostile)
    token = await inside.token(request)
    browser = inside.browser()
    shown = await browser.get(f"/consent/{token}")
    form = {**fields(shown), "code": "", "act": "approve", "note": hostile, "question": hostile}
    for page in (shown, await browser.post(f"/consent/{token}", data=form)):
        assert "<script" not in page.text and "<img src=x" not in page.text and "{{7*7}}" in page.text
        assert "&lt;script&gt;" in page.text
        assert "\u202e" not in page.text and "\u200b" not in page.text and "⟨U+202E⟩" in page.text


@pytest.mark.parametrize("path", ["", "sign-in", "consent/nothing", "static/portal.css", "healthz", "api/audit", "x"])
async def test_every_answer_carries_the_headers_that_browsers_obey(inside: Inside, path: str) -> None:
    """No script, no frames, nothing kept, no address with a token told to anybody."""
    answer = await inside.browser().get(f"/{path}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "style-src 'self'" in policy and "script-src" not in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == (
        "public, max-age=31536000, immutable" if "static" in path else "no-store"
    )
    assert "server" not in answer.headers


async def test_a_body_without_end_is_not_read(inside: Inside) -> None:
    browser = inside.browser()
    assert (await browser.post("/consent/x", content=b"a" * (2 * 1024 * 1024))).status_code == 413


@pytest.mark.parametrize("kind", [LinkKind.VETO, LinkKind.DENY], ids=["urgent letter", "earlier deny link"])
async def test_break_glass_is_vetoed_on_the_page(inside: Inside, kind: LinkKind) -> None:
    """REQ-108: what it is, why, until when; one veto is final; the page says so afterwards, to the others as well."""
    world = inside.world
    request = await world.ask(urgent=True)
    await inside.deliver()
    world.clock.advance(hours=24)
    why = "The card network closes disputes for refund 8841 tonight, after that the money is lost to the traveller."
    await world.run(break_glass.declare, world.ann, request.id, why)
    await world.run(break_glass.countersign, world.dana, request.id)
    token, others = await inside.token(request, kind=kind), await inside.token(request, "northwind/juan", LinkKind.VETO)
    browser = inside.browser()
    before = await inside.head()
    shown = await browser.get(f"/consent/{token}")
    assert "Break-glass: you can veto" in shown.text and "disputes for refund 8841 tonight" in shown.text
    assert 'value="approve"' not in shown.text and 'value="ask"' not in shown.text
    bare = await browser.post(f"/consent/{token}", data={**fields(shown), "code": "", "act": "veto"})
    assert bare.status_code == 400 and await inside.head() == before

    form = {**fields(shown), "code": code_on(shown), "act": "veto", "note": "not this one"}
    assert (await browser.post(f"/consent/{token}", data=form)).status_code == 303
    assert world.row(Request, request.id).state is RequestState.VETOED
    for link in (token, others):
        late = await browser.get(f"/consent/{link}")
        assert "Vetoed" in late.text and "Maria Santos" in late.text and "not this one" in late.text
        assert "<form" not in late.text


async def test_a_veto_after_the_two_hours_is_too_late_and_says_so(inside: Inside) -> None:
    """REQ-108: at two hours it is usable; the page says what helps now."""
    world = inside.world
    request = await world.ask(urgent=True)
    await inside.deliver()
    world.clock.advance(hours=24)
    why = "The card network closes disputes for refund 8841 tonight, after that the money is lost to the traveller."
    await world.run(break_glass.declare, world.ann, request.id, why)
    await world.run(break_glass.countersign, world.dana, request.id)
    token = await inside.token(request, kind=LinkKind.VETO)
    world.clock.advance(hours=2)
    shown = await inside.browser().get(f"/consent/{token}")
    assert "<form" not in shown.text and "shut support access off" in shown.text
