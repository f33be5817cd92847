"""A tenant admin says on the page that an entry of their log is not right, and reads the answer there (REQ-504)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx

from app.services import reviews
from storage.models import Review
from tests.services.world import World
from tests.web.inside import Inside, fields

WORDS = "Nobody told us, and Maria was away that day."
FINDING = "The letters went out at 09:02 and were accepted; the address was an old one. It is changed now."


async def entry_of(inside: Inside, action: str, tenant: str = "northwind") -> int:
    """The number of the newest entry of this kind in the tenant's own log."""
    await inside.world.sync.pull()
    sql = "SELECT max(seq) FROM tenant_log WHERE tenant_id = ? AND body ->> '$.action' = ?"
    (seq,) = inside.world.replica.reader.execute(sql, (tenant, action)).fetchone()
    assert seq is not None
    return int(seq)


async def disputing(browser: httpx.AsyncClient, seq: int, words: str = WORDS) -> httpx.Response:
    """Fill in the form of the entry's page and send it."""
    return await browser.post(
        f"/access/log/{seq}/dispute", data={**fields(await browser.get(f"/access/log/{seq}")), "words": words}
    )


def open_reviews(world: World) -> list[Review]:
    found = world.replica.reader.execute("SELECT image FROM review WHERE signed_at IS NULL")
    return [Review.from_image(image) for (image,) in found]


async def test_a_dispute_on_the_page_becomes_a_review_and_its_answer_shows_there(inside: Inside) -> None:
    world = inside.world
    await world.inside()
    browser, seq = await inside.signed_in(), await entry_of(inside, "session.started")
    assert "Is this entry not right?" in (await browser.get(f"/access/log/{seq}")).text
    sent = await disputing(browser, seq)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/access/log/{seq}#dispute")

    (review,) = open_reviews(world)
    assert (review.entry_seq, review.claim, review.opened_by) == (seq, WORDS, "northwind/maria")
    assert review.barred == (world.ann.id,), "whoever acted in it does not judge it (REQ-502)"
    shown = (await browser.get(f"/access/log/{seq}")).text
    assert WORDS in shown and "answers in writing" in shown and 'name="words"' not in shown

    world.clock.advance(timedelta(hours=73))
    browser = await inside.signed_in()
    assert "overdue" in (await browser.get(f"/access/log/{seq}")).text
    await world.run(reviews.sign, world.dana, review.id, FINDING)
    shown = (await browser.get(f"/access/log/{seq}")).text
    assert FINDING in shown and 'name="words"' in shown, "an answer can be disputed anew"
    listed = (await browser.get("/access/log", params={"kind": "reviews"})).text
    assert "omething is to be looked at and signed" in listed and "signed a review with a finding" in listed


async def test_the_same_form_sent_twice_disputes_once_and_a_second_admin_hears_so(inside: Inside) -> None:
    await inside.world.inside()
    seq = await entry_of(inside, "session.started")
    maria, juan = await inside.signed_in(), await inside.signed_in("northwind/juan")
    his = fields(await juan.get(f"/access/log/{seq}"))
    form = {**fields(await maria.get(f"/access/log/{seq}")), "words": WORDS}
    both = await asyncio.gather(*(maria.post(f"/access/log/{seq}/dispute", data=form) for _ in range(2)))
    again = await maria.post(f"/access/log/{seq}/dispute", data=form)
    assert {one.status_code for one in (*both, again)} == {303}
    late = await juan.post(f"/access/log/{seq}/dispute", data={**his, "words": "Nor do I agree."})
    assert late.status_code == 409 and "disputed already" in late.text
    assert len(open_reviews(inside.world)) == 1


async def test_what_is_no_dispute_is_told_and_nothing_is_lost_or_written(inside: Inside) -> None:
    """Foreign numbers, forms without their words, words with control characters, and a tenant's entry of another."""
    foreign = await inside.world.inside(tenant_id="contoso", target_id="contoso/omar")
    browser = await inside.signed_in()
    seq = await entry_of(inside, "portal.signed_in")
    before = await inside.head()
    there = fields(await browser.get(f"/access/log/{seq}"))
    address = f"/access/log/{seq}/dispute"
    assert (await browser.post(address, data={**there, "words": "  "})).status_code == 409
    assert (await browser.post(address, data={**there, "words": WORDS, "csrf": "x"})).status_code == 403
    old = await browser.post(address, data={**there, "words": WORDS, "seal": "x"})
    assert old.status_code == 400 and WORDS in old.text, "what was typed is still there"
    hostile = await browser.post(address, data={**there, "words": "see \x1b[2J\u202e <script>alert(1)</script>"})
    assert hostile.status_code == 409 and "\x1b" not in hostile.text and "<script>alert" not in hostile.text
    last = await entry_of(inside, "session.started", "contoso")
    for number in (str(10**9), "x", "0"):
        assert (await browser.post(f"/access/log/{number}/dispute", data={**there, "words": WORDS})).status_code == 404
    moved = await browser.post(f"/access/log/{seq - 1}/dispute", data={**there, "words": WORDS})
    assert moved.status_code == 400, "a form disputes the entry that its page showed"
    assert await inside.head() == before and not open_reviews(inside.world)
    assert foreign.tenant_id == "contoso" and last


async def test_a_get_disputes_nothing(inside: Inside) -> None:
    browser = await inside.signed_in()
    before = await inside.head()
    for method in ("GET", "HEAD"):
        assert (await browser.request(method, "/access/log/1/dispute", params={"words": WORDS})).status_code == 405
    assert await inside.head() == before
