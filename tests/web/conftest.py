"""The prepared home of the terminal tests, a portal on a clone of it, and a browser for the whole run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.services.conftest import vault as vault
from tests.services.conftest import world as world
from tests.services.world import World
from tests.terminal.headless import Answer, Home
from tests.terminal.headless import prepared as prepared  # the fixture, by its name
from tests.web.browser import DESK, chromium
from tests.web.inside import Inside
from tests.web.portal import Portal, serving


class WebHome(Home):
    """A home whose commands run in a thread of their own: the browser's driver has this one's loop."""

    def here(self, *words: str, who: str = "") -> Answer:
        with ThreadPoolExecutor(1) as beside:
            return beside.submit(super().here, *words, who=who).result()


@pytest.fixture
def home(prepared: Home, tmp_path: Path) -> WebHome:
    """A clone of the prepared home."""
    shutil.copytree(prepared.path, tmp_path / "home")
    return WebHome(
        tmp_path / "home", dict(prepared.secrets), {who: list(codes) for who, codes in prepared.recovery.items()}
    )


@pytest.fixture
def portal(home: Home) -> Iterator[Portal]:
    """A portal on the test's own home. Letters name it by the default address; tests put the real one in."""
    with serving(home.path) as running:
        yield running


@pytest.fixture(scope="module")
def browser(prepared: Home) -> Iterator[Browser]:
    """One for a module: while it is open its driver has this thread's loop, which tests of other modules need. The home
    is prepared before, for its commands need the loop as well."""
    with chromium() as running:
        yield running


@pytest.fixture
def context(browser: Browser, portal: Portal) -> Iterator[BrowserContext]:
    """A browser of one person, with nothing remembered."""
    made = browser.new_context(base_url=portal.url, viewport=DESK)  # type: ignore[arg-type]  # a plain dict will do
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def inside(world: World, tmp_path: Path) -> Inside:
    """The portal in this process, on the populated world."""
    return Inside(world, tmp_path / "portal-home")
