"""A tenant's own pages in a real browser: signing in, the switch, the settings, the log (REQ-110, REQ-404, REQ-602)."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from storage.log.pack import verify_pack
from tests.terminal.headless import ANN, SUE, Home
from tests.web.browser import TELEPHONE, picture, violations
from tests.web.signing_in import asked, sign_in, sign_in_tokens


def settings(home: Home, tenant: str = "northwind") -> dict[str, object]:
    found: dict[str, object] = home.ok("tenant", "show", tenant, "--json", who=SUE).document
    return found["settings"]  # type: ignore[return-value]  # a document


def test_an_admin_signs_in_by_a_mailed_link_and_out_again(home: Home, page: Page) -> None:
    """REQ-602: a letter, a button, a page; the link is used up; signed out is signed out."""
    token = asked(home, page, "Maria@Northwind.example")
    page.goto(f"/sign-in/{token}")
    picture(page, "sign-in-link")
    page.goto(f"/sign-in/{token}")  # looked at twice: a scanner was here before
    page.get_by_role("button", name="Sign in with this browser").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Support access of Northwind Travel")
    assert violations(page) == []
    picture(page, "access")
    cookie = next(one for one in page.context.cookies() if one["name"] == "countersign")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    picture(page, "sign-in")
    assert violations(page) == []
    page.context.add_cookies([cookie])
    page.goto("/access")
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.goto(f"/sign-in/{token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not sign you in")


def test_the_switch_shuts_everybody_out_and_only_the_tenant_turns_it_back(home: Home, page: Page) -> None:
    """REQ-110, REQ-602: the confirmation names who is out; the session is over; the log says who did it."""
    session = home.inside()
    sign_in(home, page)
    expect(page.get_by_role("heading", name="Support access is possible")).to_be_visible()
    expect(page.locator("main")).to_contain_text("1 session runs now")
    page.get_by_role("button", name="Shut support access off…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Shut support access off?")
    expect(page.locator("main")).to_contain_text("The one session that runs now ends at once.")
    expect(page.locator("main")).to_contain_text("Ann Lee as Maria Santos")
    picture(page, "switch-confirm")
    assert violations(page) == []
    assert settings(home)["kill_switch"] is False, "shown is not done"
    page.get_by_role("button", name="Shut it off now").click()
    expect(page.get_by_role("heading", name="Support access is shut off")).to_be_visible()
    picture(page, "access-shut")
    assert violations(page) == []
    assert settings(home)["kill_switch"] is True
    over = home.ok("session", "show", str(session["id"]), "--json", who=ANN).document
    assert over["active"] is False

    page.get_by_role("button", name="Allow support access again…").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("heading", name="Support access is possible")).to_be_visible()
    assert settings(home)["kill_switch"] is False


def test_settings_are_changed_after_they_were_shown_with_before_and_after(home: Home, page: Page) -> None:
    """REQ-602: each change an entry; what nobody changed is refused in words; limits hold."""
    sign_in(home, page)
    page.get_by_role("button", name="Review the change…").click()
    expect(page.get_by_role("alert")).to_contain_text("it is so already")

    page.get_by_label("Only with our approval").check()
    page.get_by_label("Longest session, in minutes").fill("30")
    page.get_by_label("Weekly digest").check()
    page.get_by_role("button", name="Review the change…").click()
    expect(page.locator("main")).to_contain_text("45 minutes → 30 minutes")
    expect(page.locator("main")).to_contain_text("No break-glass, no emergency access.")
    picture(page, "settings-confirm")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status")).to_contain_text("written to your access log")
    now = settings(home)
    assert (now["mode"], now["max_minutes"], now["weekly_digest"]) == ("consent_only", 30, True)
    (entry,) = home.ok(
        "audit", "list", "--log", "tenant:northwind", "--filter", "action:settings.changed", "--json", who=SUE
    ).document
    assert entry["actor"]["name"] == "Maria Santos" and entry["ip"] == "127.0.0.1"
    assert entry["before"]["max_minutes"] == 45 and entry["after"]["max_minutes"] == 30


def test_what_changed_meanwhile_is_shown_again(home: Home, page: Page, context) -> None:  # type: ignore[no-untyped-def]  # playwright's
    """Two admins at once: the second confirms what there is now, not what there was."""
    sign_in(home, page)
    other = context.new_page()
    other.goto("/access")
    page.get_by_label("Longest session, in minutes").fill("30")
    page.get_by_role("button", name="Review the change…").click()
    other.get_by_label("Longest session, in minutes").fill("20")
    other.get_by_role("button", name="Review the change…").click()
    other.get_by_role("button", name="Change it").click()
    expect(other.get_by_role("status")).to_be_visible()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("alert")).to_contain_text("changed meanwhile")
    expect(page.locator("main")).to_contain_text("20 minutes → 30 minutes")
    assert settings(home)["max_minutes"] == 20


def test_a_single_admin_is_warned(home: Home, page: Page) -> None:
    """REQ-601, REQ-602."""
    sign_in(home, page, "eva@fabrikam.example")
    expect(page.get_by_role("note")).to_contain_text("Eva Berg is your only admin")


def test_the_log_can_be_read_narrowed_verified_and_taken_along(home: Home, page: Page, tmp_path: Path) -> None:
    """REQ-404, REQ-407, REQ-405: the log, an entry, a receipt; a real verification; a pack that verifies offline."""
    session = home.inside()
    home.ok("session", "log", str(session["id"]), "--kind", "record", "--name", "refund 8841", who=ANN)
    sign_in(home, page)
    page.get_by_role("link", name="Access log").click()
    expect(page.locator("tbody")).to_contain_text("A record was viewed in a session")
    picture(page, "log")
    assert violations(page) == []
    page.get_by_label("What").select_option("decisions")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody")).to_contain_text("approved a request")
    expect(page.locator("tbody")).not_to_contain_text("was viewed")
    page.get_by_role("link", name=re.compile("^Entry")).first.click()
    expect(page.locator("main")).to_contain_text("Hash of the entry before")
    picture(page, "entry")
    assert violations(page) == []
    page.get_by_label("What is not right").fill("This was not agreed with us.")  # REQ-504
    page.get_by_role("button", name="Dispute this entry").click()
    expect(page.get_by_role("heading", name="Your disputes of this entry")).to_be_visible()
    expect(page.locator("main")).to_contain_text("You get the answer by mail")
    expect(page.get_by_role("button", name="Dispute this entry")).to_have_count(0)
    picture(page, "disputed")
    assert violations(page) == []

    page.goto("/access/sessions")
    picture(page, "receipts")
    page.get_by_role("link", name="Ann Lee as Maria Santos").click()
    expect(page.locator("main")).to_contain_text("refund 8841")
    picture(page, "receipt")
    assert violations(page) == []

    letter = home.letters("maria")[-1]
    page.goto("/access/verify")
    page.get_by_label("The line at the end of a letter").fill(str(letter["X-Countersign-Head"]))
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("heading", name="Verified", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="The letter fits")).to_be_visible()
    picture(page, "verified")
    assert violations(page) == []
    with page.expect_download() as coming:
        page.get_by_role("button", name="Export the log").click()
    pack = tmp_path / "pack.zip"
    coming.value.save_as(pack)
    report = verify_pack(pack)
    assert report.whole and not report.faults and report.entries > 5
    assert set(zipfile.ZipFile(pack).namelist()) == {"manifest.json", "log.jsonl", "VERIFY.txt"}
    page.goto("/access/log")
    expect(page.locator("tbody tr").first).to_contain_text("A log was exported")


def test_a_letter_that_does_not_fit_is_said(home: Home, page: Page) -> None:
    """REQ-405: the tenant's mailbox is a witness against us."""
    sign_in(home, page)
    page.goto("/access/verify")
    page.get_by_label("The line at the end of a letter").fill(f"tenant:northwind 1 {'ab' * 32}")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("heading", name="The letter does not fit")).to_be_visible()


def test_every_page_is_readable_on_a_telephone_and_in_the_dark(home: Home, page: Page) -> None:
    home.inside()
    page.set_viewport_size(TELEPHONE)  # type: ignore[arg-type]  # a plain dict will do
    sign_in(home, page)
    for name in ("access", "access/log", "access/log/3", "access/sessions", "access/verify"):
        page.goto(f"/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"], name
        assert violations(page) == [], name
        picture(page, f"telephone-{name.replace('/', '-')}")
    page.emulate_media(color_scheme="dark")
    for name in ("access", "access/log"):
        page.goto(f"/{name}")
        assert violations(page) == [], name
        picture(page, f"dark-{name.replace('/', '-')}")


def test_whoever_is_no_admin_gets_the_same_answer_and_no_letter(home: Home, page: Page) -> None:
    """REQ-602: nobody learns here who is an admin."""
    pages = []
    for email in ("nobody@northwind.example", "maria@northwind.example"):
        page.goto("/sign-in")
        page.get_by_label("Your e-mail address").fill(email)
        page.get_by_role("button", name="Mail me a link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
        pages.append(page.content())
    assert pages[0] == pages[1]
    asked(home, page, "juan@northwind.example")
    assert sign_in_tokens(home, "nobody@northwind.example") == []
