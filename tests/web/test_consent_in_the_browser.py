"""The page behind the link in a letter, in a real browser (REQ-105, REQ-115)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.terminal.headless import ANN, Home
from tests.web.browser import TELEPHONE, picture, type_code, violations


def test_an_admin_approves_for_fewer_minutes(home: Home, page: Page) -> None:
    """REQ-105, REQ-115: who, why, what, for how long; a typed code; then what was decided, by whom, when."""
    request = home.asked()
    page.goto(f"/consent/{home.token('maria')}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Lee asks to enter your account")
    for words in ("ann@ops.example", "T-48271", "payment event 991", "30 minutes", "nobody enters", "read-only"):
        expect(page.locator("main")).to_contain_text(words)
    picture(page, "consent-approve")
    assert violations(page) == []

    page.get_by_label("Minutes").fill("20")
    page.get_by_label("A note to go with it").fill("only the refund, please")
    type_code(page)
    page.get_by_role("button", name="Approve").click()

    expect(page.locator(".verdict")).to_contain_text("Approved")
    expect(page.locator(".verdict")).to_contain_text("By Maria Santos")
    expect(page.locator(".verdict")).to_contain_text("for 20 minutes")
    expect(page.locator(".verdict")).to_contain_text("only the refund, please")
    expect(page.get_by_role("button")).to_have_count(0)
    picture(page, "consent-approved")
    assert violations(page) == []
    shown = home.ok("request", "show", request["id"], "--json", who=ANN).document
    assert (shown["state"], shown["granted_minutes"]) == ("approved", 20)


def test_the_page_is_readable_on_a_telephone_and_in_the_dark(home: Home, page: Page) -> None:
    """Nothing is wider than the screen, nothing is too small to press."""
    home.asked()
    page.set_viewport_size(TELEPHONE)  # type: ignore[arg-type]  # a plain dict will do
    page.goto(f"/consent/{home.token('maria')}")
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
    picture(page, "consent-telephone")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    picture(page, "consent-telephone-dark")
    assert violations(page) == []


def test_an_admin_asks_first_and_denies_then(home: Home, page: Page) -> None:
    """REQ-115: question and answer stand on the page; asking leaves the link good."""
    request = home.asked()
    page.goto(f"/consent/{home.token('maria', 'deny')}")
    page.get_by_label("Your question").fill("Which refund?\nThe one of May?")
    type_code(page)
    page.get_by_role("button", name="Ask the engineer").click()
    expect(page.get_by_role("status")).to_contain_text("Your question was sent")
    expect(page.locator(".talk")).to_contain_text("Which refund?")

    home.ok("request", "answer", request["id"], "--text", "8841, of May.", who=ANN)
    page.reload()
    expect(page.locator(".talk")).to_contain_text("8841, of May.")
    picture(page, "consent-deny-with-talk")
    assert page.get_by_role("button", name="Approve").count() == 0, "a deny link approves nothing"
    type_code(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.locator(".verdict")).to_contain_text("Denied")
    picture(page, "consent-denied")
    assert violations(page) == []
    assert home.ok("request", "show", request["id"], "--json", who=ANN).document["state"] == "denied"


def test_an_approve_link_can_also_deny(home: Home, page: Page) -> None:
    """Whoever may approve may say no as well, by the other link of the same letter."""
    request = home.asked()
    token = home.token("maria")
    page.goto(f"/consent/{token}")
    type_code(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.locator(".verdict")).to_contain_text("Denied")
    assert home.ok("request", "show", request["id"], "--json", who=ANN).document["state"] == "denied"


@pytest.mark.parametrize("typed", ["", "XXXX"], ids=["no code", "another code"])
def test_without_the_pages_code_nothing_is_decided(home: Home, page: Page, typed: str) -> None:
    """REQ-105: a button alone decides nothing. What was typed besides is kept."""
    request = home.asked()
    page.goto(f"/consent/{home.token('maria')}")
    page.get_by_label("A note to go with it").fill("my note")
    page.get_by_label("Type this code to confirm").fill(typed)
    page.locator("form.decide").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was decided")
    expect(page.get_by_label("A note to go with it")).to_have_value("my note")
    assert home.ok("request", "show", request["id"], "--json", who=ANN).document["state"] == "pending"


def test_another_admins_link_says_who_was_faster(home: Home, page: Page) -> None:
    """REQ-105: a late link shows what was decided, by whom and when."""
    home.asked()
    late = home.token("juan")
    home.ok("consent", "approve", home.token("maria"), "--note", "go ahead")
    page.goto(f"/consent/{late}")
    expect(page.locator(".verdict")).to_contain_text(re.compile(r"By Maria Santos, \d+ \w+ \d{4}, ..:.. UTC"))
    expect(page.locator(".verdict")).to_contain_text("go ahead")
    expect(page.get_by_role("button")).to_have_count(0)


def test_it_works_with_the_keyboard_alone(home: Home, page: Page) -> None:
    """Tab reaches the code first, then everything in order; Enter presses the button that has the focus."""
    request = home.asked()
    page.goto(f"/consent/{home.token('maria')}")
    code = page.locator(".code .shown span").first.inner_text()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "code":
            break
    page.keyboard.type(code.lower())
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Approve":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Approved")
    assert home.ok("request", "show", request["id"], "--json", who=ANN).document["state"] == "approved"
