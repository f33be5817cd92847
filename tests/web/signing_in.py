"""How tests sign in: by the letter, as a person does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.terminal.headless import Home, plain


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll a condition. Raises AssertionError when it never holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.05)


def sign_in_tokens(home: Home, to: str) -> list[str]:
    """The tokens of every letter with a link to sign in, oldest first."""
    if not (home.path / "mailbox" / "new").exists():
        return []
    found = [
        re.findall(r"^http://localhost:8000/sign-in/(\S+)$", plain(one), re.MULTILINE)
        for one in home.letters(to.lower())
    ]
    return [tokens[0] for tokens in found if tokens]


def asked(home: Home, page: Page, email: str) -> str:
    """Ask for a link, and take it out of the mailbox."""
    before = sign_in_tokens(home, email)
    page.goto("/sign-in")
    page.get_by_label("Your e-mail address").fill(email)
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    wait_until(lambda: len(sign_in_tokens(home, email)) > len(before), f"a letter to {email}")
    return next(one for one in sign_in_tokens(home, email) if one not in before)


def sign_in(home: Home, page: Page, email: str = "maria@northwind.example") -> None:
    page.goto(f"/sign-in/{asked(home, page, email)}")
    page.get_by_role("button", name="Sign in with this browser").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Support access of")
