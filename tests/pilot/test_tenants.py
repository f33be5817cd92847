"""The tenant inspector by keys, on a real small world (REQ-601)."""

from __future__ import annotations

from app.services import tenants
from app.services.command import CLOCK
from screens.tenant_words import setting_lines
from storage.models import Settings, TenantMode
from tests.pilot.board_story import BoardApp, Morning
from tests.pilot.queue_world import ANN, DANA, VERA, QueueWorld
from widgets.cells import drawn

WIDE = (200, 50)


def line_of(app: BoardApp, tenant: str) -> list[str]:
    app.tenants.table.move_to(tenant)
    row = app.tenants.table.cursor_row
    assert row is not None
    return [drawn(cell, app.context.now(), 30).text for cell in row.cells]


async def test_the_list_shows_mode_switch_admins_a_month_of_sessions_and_the_head(
    world: QueueWorld, morning: Morning
) -> None:
    app = BoardApp(world, VERA, "tenants")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert app.tenants.table.count == 4
        name, mode, switch, admins, month, count, head = line_of(app, "northwind")
        assert (name, mode, switch, admins, count) == ("Northwind Travel", "default", "off", "2", "2")
        assert month.endswith("█") and len(month) == 30
        assert head.endswith("✓")
        assert line_of(app, "tailspin")[2] == "■ ON"
        assert line_of(app, "fabrikam")[1] == "consent only"


async def test_a_settings_change_is_shown_with_who_and_when_and_stands_in_the_history(world: QueueWorld) -> None:
    app = BoardApp(world, VERA, "tenants")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.tenants.table.move_to("northwind")
        await pilot.pause()
        await world.run(tenants.change_settings, CLOCK, "northwind", mode=TenantMode.CONSENT_ONLY, max_minutes=90)
        await app.came_in()
        await pilot.pause()
        text = app.tenants.panel.text
        assert app.tenants.table.cursor_key == "northwind"
        assert "consent only" in text and "1 h 30 min" in text
        assert "mode default → consent only; longest session 1 h → 1 h 30 min" in " ".join(text.split())
        assert "clock, 09:00" in text


async def test_can_i_get_in_names_what_stands_in_the_way_and_who_could(world: QueueWorld) -> None:
    """REQ-110, REQ-113."""
    app = BoardApp(world, ANN, "tenants")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.tenants.table.move_to("tailspin")
        await pilot.pause()
        text = " ".join(app.tenants.panel.text.split())
        assert "kill switch is on" in text
        assert "Otto Bauer" in text
        app.tenants.table.move_to("contoso")
        await pilot.pause()
        assert "standing consent approves it at once" in " ".join(app.tenants.panel.text.split())


async def test_the_inspector_has_no_action_that_changes_anything(world: QueueWorld) -> None:
    """REQ-601: staff change nothing here."""
    app = BoardApp(world, DANA, "tenants")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert {action.id for action in app.tenants.ACTIONS} == {
            "tenants.open",
            "tenants.verify",
            "tenants.filter",
            "tenants.back",
        }


async def test_a_tenants_log_can_be_verified_again_from_the_shared_database(
    world: QueueWorld, morning: Morning
) -> None:
    """REQ-404."""
    app = BoardApp(world, VERA, "tenants")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.tenants.table.move_to("northwind")
        await pilot.pause()
        await pilot.press("v")
        for _ in range(400):
            if app._notifications:
                break
            await pilot.pause(0.01)
        assert any("entries verified ✓" in notice.message for notice in app._notifications)


async def test_the_filter_and_the_inspector_on_eighty_columns(world: QueueWorld) -> None:
    app = BoardApp(world, VERA, "tenants")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"contoso", "enter", "enter")
        await pilot.pause()
        assert app.tenants.table.count == 1
        assert app.tenants.panel.display
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert app.tenants.table.count == 4 and not app.tenants.panel.display


def test_every_setting_has_words_for_what_it_means() -> None:
    for settings in (Settings("t"), Settings("t", TenantMode.FORBIDDEN, True, 240, True, True, True, True)):
        lines = setting_lines(settings, [])
        assert len(lines) == 7
        assert all(one.value and one.means for one in lines)
