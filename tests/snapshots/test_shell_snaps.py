"""What every screen shares, and the audit viewer, as they look in three sizes: help, palette, sign-in, first run,
enrolment, verification's answer, a fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from app.enrolment import Enrolment
from screens.audit import AuditScreen
from screens.audit_verify import VerifyDialog
from screens.enrolment import EnrolmentDialog, FirstRunDialog
from screens.help import help_for
from screens.palette import ActionsProvider
from screens.sign_in import SignInDialog
from storage.log.chain import Fault
from storage.log.verify import Report
from storage.shared.vault import Vault, new_key
from storage.sync import SyncStatus
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, DANA
from tests.snapshots.queue_still import StillQueue, keep_still

Compare = Callable[..., bool]
Before = Callable[[Pilot[None]], Awaitable[None]]


class ShellApp(QueueApp):
    """The queue's application, with the audit viewer as its second main screen."""

    COMMANDS = {ActionsProvider}  # noqa: RUF012  # Textual's own declaration is a plain set

    def __init__(self, still: StillQueue, email: str, status: SyncStatus) -> None:
        super().__init__(still.world, email)
        self.context.sync_status = lambda: status
        self.context.exports = "/home/ann"
        self.add_mode("audit", lambda: AuditScreen(self.context))


class StillVault(Vault):
    """Seals the same secret to the same text: hashes stand on the audit screen, and must not differ between runs."""

    def __init__(self) -> None:
        super().__init__(new_key())

    def seal(self, secret: str) -> str:
        return f"sealed:{secret}"

    def unseal(self, sealed: str) -> str:
        return sealed.removeprefix("sealed:")


@pytest.fixture(scope="module")
def still(copied: Path) -> Iterator[StillQueue]:
    numbers = count(1)
    with pytest.MonkeyPatch.context() as patch:  # a step-up names its own Change: by number here, not by chance
        patch.setattr("storage.shared.proving.new_change_id", lambda: f"00000000-0000-7000-8001-{next(numbers):012d}")
        kept = keep_still(copied, StillVault())
    yield kept
    kept.world.replica.close()


def shell(still: StillQueue, *faults: Fault, email: str = ANN) -> ShellApp:
    position = still.world.replica.position()
    assert position is not None
    seen = position.head.seq
    return ShellApp(
        still, email, SyncStatus(live=True, position=position, verified_rev=seen, faults=faults, forked=bool(faults))
    )


def in_audit(*keys: str) -> Before:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.app.switch_mode("audit")
        for key in keys:
            await settled(pilot)
            await pilot.press(key)
        await settled(pilot)

    return before


def showing(make: Callable[[QueueApp], Screen[object]]) -> Before:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        assert isinstance(pilot.app, QueueApp)
        await pilot.app.push_screen(make(pilot.app))
        await pilot.pause()

    return before


def test_audit(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(shell(still), terminal_size=size, run_before=in_audit("down", "down"))


def test_audit_details_on_one_pane(still: StillQueue, snap_compare: Compare) -> None:
    assert snap_compare(shell(still), terminal_size=(80, 24), run_before=in_audit("down", "down", "enter"))


def test_audit_filtered(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """REQ-407: by action and by tenant; how many were found."""
    keys = ("slash", *"action:request.", "enter")
    assert snap_compare(shell(still), terminal_size=size, run_before=in_audit(*keys))


def test_a_fault_has_a_line_of_its_own(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """REQ-404, 405: which log, which number, what is wrong."""
    fault = Fault("operator", 12, "its stored hash is not the hash of its body")
    assert snap_compare(shell(still, fault), terminal_size=size, run_before=in_audit())


def test_the_list_of_faults(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    fault = Fault("tenant:northwind", 3, "the entry is missing; operator number 9 names it as its twin")
    assert snap_compare(shell(still, fault), terminal_size=size, run_before=in_audit("exclamation_mark"))


def test_an_entry_in_full(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(shell(still), terminal_size=size, run_before=in_audit("enter"))


def test_choosing_a_log(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """The operator's log, or a tenant's own."""
    assert snap_compare(shell(still), terminal_size=size, run_before=in_audit("t"))


@pytest.mark.parametrize(
    "faults",
    ids=("sound", "a fault"),
    argvalues=[(), (Fault("operator", 12, "its stored hash is not the hash of its body"),)],
)
def test_what_verifying_found(
    still: StillQueue, snap_compare: Compare, size: tuple[int, int], faults: tuple[Fault, ...]
) -> None:
    """REQ-404: what was checked, and what came of it."""
    report = Report(13, 1_284, 2_301, faults, 0, 0.4, {})

    def verifying(app: QueueApp) -> Screen[object]:
        async def verify(*_: object) -> Report:
            return report

        app.context.verify = verify
        return VerifyDialog(app.context)  # type: ignore[return-value]  # a Screen of its own answer

    assert snap_compare(shell(still), terminal_size=size, run_before=showing(verifying))


def test_export(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(shell(still), terminal_size=size, run_before=in_audit("x"))


def test_help(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = shell(still, email=DANA)
    assert snap_compare(app, terminal_size=size, run_before=showing(lambda app: help_for(app.queue)))


def test_palette(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """Every action of the screen in front, by its words."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await pilot.press(*"filter")
        await pilot.pause()

    assert snap_compare(shell(still), terminal_size=size, run_before=before)


def test_sign_in(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = shell(still)
    assert snap_compare(app, terminal_size=size, run_before=showing(lambda app: SignInDialog(app.context)))


def test_first_run(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    path = "/home/ann/.local/share/countersign/shared.db"
    assert snap_compare(shell(still), terminal_size=size, run_before=showing(lambda app: FirstRunDialog(path)))


def test_enrolment(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """REQ-702: the code to scan, the secret and the recovery codes, whole at 80×24."""
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    enrolment = Enrolment(
        secret=secret,
        otpauth=f"otpauth://totp/Countersign:ann%40ops.example?secret={secret}&issuer=Countersign",
        recovery_codes=tuple(f"AAAA-BBBB-CCCC-{number:04d}" for number in range(10)),
        sealed_secret="sealed",
        recovery_hashes=(),
    )

    async def check(code: str) -> str:
        return ""

    app = shell(still)
    assert snap_compare(app, terminal_size=size, run_before=showing(lambda app: EnrolmentDialog(enrolment, check)))
