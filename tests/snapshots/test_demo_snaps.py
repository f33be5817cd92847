"""The demo's panes as they look in three sizes, with a clock that stands (REQ-803): the mailbox in which one plays the
tenant's admin, and everybody's codes; the demo's own line below, as in the demo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from app.mail.rendering import render
from screens.demo_bar import DemoBar, DemoState
from screens.demo_codes import Code, CodesDialog
from screens.demo_letter import Letter
from screens.demo_mailbox import MailboxDialog
from storage.models import ConsentLink, Mail
from tests.mailed import HEAD, postmark
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, DANA, RAJ, token_hash
from tests.snapshots.queue_still import StillQueue
from widgets.table import VirtualTable

Compare = Callable[..., bool]
Before = Callable[[Pilot[None]], Awaitable[None]]
LINE = DemoState(who="ann", code="492039", left=17, waiting=1, step="1 Ask for access: press n")
CODES = (
    Code("Noor Haddad", "noor@ops.example", "auditor", "118402", False),
    Code("Ann Castellan", ANN, "engineer", "492039", True),
    Code("Raj Patel", RAJ, "engineer", "", False),
    Code("Zoë \u202eGonçalves-Ångström", "zoe@ops.example", "engineer", "700215", False),
    Code("Dana Okafor", DANA, "super", "055871", False),
)
"""One has no code that would be taken yet; one bears a name with a sign that turns text around."""


def letters(night: StillQueue) -> list[Letter]:
    """Every letter of the night as it lies in its reader's mailbox, newest first."""
    rows = night.world.replica.reader.execute("SELECT image FROM mail ORDER BY created_at DESC, id").fetchall()
    return [_arrived(Mail.from_image(image)) for (image,) in rows]


def _arrived(mail: Mail) -> Letter:
    links = {kind: f"https://portal.example/consent/{mail.id}-{kind}" for kind in mail.links}
    mark = postmark(mail)
    hashes = tuple(token_hash(mail.id, kind) for kind in mail.links)
    head = f"{mark.log} {HEAD.seq} {HEAD.hash}"
    text = render(mail, links, mark).plain
    return Letter(mail.id, mail.to_name, mail.to_email, mail.subject, mail.created_at, text, hashes, head)


async def _decide(act: str, link: ConsentLink, words: str) -> None:
    raise AssertionError(f"nothing is decided in a picture: {act} {link.id} {words}")


def mailbox(night: StillQueue, request: str, act: str, *keys: str) -> Before:
    """The mailbox open, on a letter about that request whose link does that; then keys."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, QueueApp)
        dialog = MailboxDialog(app.context, lambda: letters(night), _decide)
        await app.push_screen(dialog)
        await _with_line(pilot)
        fitting = (
            key
            for key, letter in dialog.letters.items()
            if (known := dialog.standing(letter)) and known.request.id == night.ids[request] and act in known.acts
        )
        dialog.query_one(VirtualTable).move_to(next(fitting))
        for key in keys:
            await pilot.pause()
            await pilot.press(key)
        await pilot.pause()

    return before


async def _with_line(pilot: Pilot[None]) -> None:
    line = DemoBar(over=True)
    line.show(LINE)
    await pilot.app.screen.mount(line)
    await pilot.pause()


def test_a_letter_waits_for_me(night: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """What waits for whoever is played stands first, with all that its link can do."""
    assert snap_compare(night.app(ANN), terminal_size=size, run_before=mailbox(night, "waiting", "approve"))


def test_break_glass_can_be_vetoed(night: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """REQ-108: veto in the place of approve and deny."""
    assert snap_compare(night.app(RAJ), terminal_size=size, run_before=mailbox(night, "cooling", "veto"))


def test_a_denial_asks_for_words(night: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(night.app(ANN), terminal_size=size, run_before=mailbox(night, "waiting", "deny", "d"))


def test_only_letters_about_mine(night: StillQueue, snap_compare: Compare) -> None:
    before = mailbox(night, "waiting", "approve", "m")
    assert snap_compare(night.app(ANN), terminal_size=(120, 36), run_before=before)


def test_codes(night: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """Everybody's second factor, and how long it holds."""

    async def everybodys() -> list[Code]:
        return list(CODES)

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.app.push_screen(CodesDialog(everybodys, lambda: LINE.left))
        await _with_line(pilot)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    assert snap_compare(night.app(ANN), terminal_size=size, run_before=before)
