"""Must show 4, with a real portal and a real browser: what follows the links of a letter, in every way that mail
scanners do, decides nothing and signs nobody in; the log's head is the very same afterwards."""

from __future__ import annotations

import re

from playwright.sync_api import Browser

from tests.terminal.headless import SUE, Home, plain
from tests.web.portal import Portal
from tests.web.signing_in import asked


def links_of(home: Home, portal: Portal, to: str) -> list[str]:
    """Every link of every letter to somebody, in both parts, leading to the portal that runs."""
    found: list[str] = []
    for letter in home.letters(to):
        markup = letter.get_body(("html",))
        assert markup is not None
        for text in (plain(letter), str(markup.get_content())):
            found += re.findall(r"http://localhost:8000/[^\s\"<>]+", text)
    return sorted({link.replace("http://localhost:8000", portal.url) for link in found})


def heads(home: Home) -> object:
    """Where every log stands, as the shared database has it."""
    return home.ok("audit", "verify", "--all", "--json", who=SUE).document["logs"]


def test_a_crawler_that_gets_and_heads_everything_twice_changes_nothing(home: Home, portal: Portal) -> None:
    """REQ-105, REQ-602."""
    home.asked()
    links = links_of(home, portal, "maria")
    assert any("/consent/" in link for link in links)
    before = heads(home)
    with portal.client(follow_redirects=True, headers={"user-agent": "MailScanner/1.0"}) as crawler:
        for _ in range(2):
            for link in links:
                assert crawler.get(link).status_code == 200
                assert crawler.head(link).status_code == 200
    assert heads(home) == before


def test_a_crawler_that_runs_scripts_and_presses_every_button_changes_nothing(
    home: Home, portal: Portal, browser: Browser
) -> None:
    """REQ-105: a sandbox with a whole browser in it opens each link twice, runs whatever the page holds, fills every
    field with something, and sends every form by script, past the browser's own checks."""
    home.asked()
    links = [link for link in links_of(home, portal, "maria") if "/consent/" in link]
    before = heads(home)
    for link in links * 2:
        context = browser.new_context()
        page = context.new_page()
        page.goto(link)
        for number in range(page.locator("form button").count()):
            page.goto(link)
            with page.expect_navigation():
                page.evaluate(
                    """number => {
                    for (const field of document.querySelectorAll("input:not([type=hidden]), textarea")) {
                        field.value = field.type === "number" ? "10" : "test";
                    }
                    const button = document.querySelectorAll("form button")[number];
                    button.form.noValidate = true;
                    button.click();
                }""",
                    number,
                )
        context.close()
    assert heads(home) == before


def test_scanners_do_not_use_up_a_link_to_sign_in(home: Home, portal: Portal, browser: Browser) -> None:
    """REQ-602: opened twice by a scanner, it still signs its admin in."""
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    token = asked(home, page, "maria@northwind.example")
    before = heads(home)
    with portal.client() as crawler:
        for method in ("GET", "HEAD") * 2:
            assert crawler.request(method, f"/sign-in/{token}").status_code == 200
    assert heads(home) == before
    page.goto(f"/sign-in/{token}")
    page.get_by_role("button", name="Sign in with this browser").click()
    page.get_by_role("heading", level=1, name="Support access of Northwind Travel").wait_for()
    context.close()
