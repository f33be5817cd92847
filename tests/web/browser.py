"""Debian's Chromium, headless, driven by Playwright. `make test` installs it where it is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TELEPHONE = {"width": 375, "height": 812}
DESK = {"width": 1280, "height": 900}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. Raises in words where none is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise RuntimeError("the browser tests need Chromium: run `make test`, or install Debian's package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(FLAGS), chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield browser
        finally:
            browser.close()


def type_code(page: Page) -> None:
    """Read the confirmation code off the page and type it, as a person does."""
    page.get_by_label("Type this code to confirm").fill(page.locator(".code .shown span").first.inner_text())


def violations(page: Page) -> list[str]:
    """What axe-core has to say about the page, in a line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}" for one in found]


def picture(page: Page, name: str) -> None:
    """Keep a picture, where COUNTERSIGN_TEST_PICTURES names a directory: for people to look at."""
    if where := os.environ.get("COUNTERSIGN_TEST_PICTURES"):
        Path(where).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(where) / f"{name}.png", full_page=True)
