"""The audit viewer (REQ-407) on a real log: every entry, filters, details, verification, export."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from app.console import CountersignApp
from app.services.audit import exported
from screens.audit_export import ExportDialog
from screens.audit_verify import VerifyDialog
from storage.models import Actor, ActorKind
from storage.replica.queries.log import search
from tests.pilot.whole_console import ENTRIES, audit, console, make_home, until
from widgets.filter_line import FilterLine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("audit") / "home")


async def open_viewer(app: CountersignApp, pilot: Pilot[None]) -> None:
    await pilot.press("3")
    await until(pilot, lambda: audit(app).table.count == newest(app) >= ENTRIES)


def newest(app: CountersignApp) -> int:
    """The operator log's newest number on the copy: the console itself may add some (digests, an export)."""
    (number,) = app.context.reader.execute("SELECT max(seq) FROM operator_log").fetchone()
    return int(number)


def told(app: CountersignApp) -> str:
    """What the viewer says of its search."""
    return str(audit(app).query_one("#audit-found", Static).content)


async def filtered(app: CountersignApp, pilot: Pilot[None], line: str) -> int:
    """How many entries are found once a filter has been typed; news may have run the earlier one again meanwhile."""
    words = audit(app).query_one("#audit-found", Static)
    words.update("nothing said yet")
    audit(app).query_one(FilterLine).value = line
    await until(pilot, lambda: str(words.content).endswith("found"))
    return audit(app).table.count


async def test_every_entry_stands_there_newest_first(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        assert int(audit(app).table.cursor_key or 0) >= ENTRIES
        await pilot.press("end")
        await until(pilot, lambda: audit(app).entry is not None and audit(app).entry.seq == 1)
        assert audit(app).entry.data["action"] == "database.created"


async def test_filters_find_what_the_log_holds(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        reader = app.context.reader
        for line, sql in {
            "action:session.started": "action = 'session.started'",
            "action:session.*": "action LIKE 'session.%'",
            "action:record.viewed": "action LIKE '%.record.viewed'",
        }.items():
            await filtered(app, pilot, line)
            counted = f"SELECT count(*) FROM operator_log WHERE {sql}"
            await until(pilot, lambda: 0 < audit(app).table.count == reader.execute(counted).fetchone()[0])  # noqa: B023
        tenant, name = reader.execute(
            "SELECT t.id, t.name FROM operator_log l JOIN tenant t ON t.id = l.tenant GROUP BY 1 LIMIT 1"
        ).fetchone()
        counted = "SELECT count(*) FROM operator_log WHERE tenant = ?"
        for line in (f'tenant:"{name}"', f"tenant:{tenant} tenant:nobody-at-all"):
            await filtered(app, pilot, line)
            await until(pilot, lambda: audit(app).table.count == reader.execute(counted, (tenant,)).fetchone()[0])
        await filtered(app, pilot, "tenant:nobody-at-all")
        await until(pilot, lambda: audit(app).table.count == 0)


async def test_what_comes_in_while_a_new_filter_is_searched_for_changes_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier filter's entries are not taken for the new one's, and what came in meanwhile is found too."""
    go_on = threading.Event()

    def slowly(*args: Any, **named: Any) -> Iterator[array[int]]:
        assert go_on.wait(30)
        return search(*args, **named)

    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        await filtered(app, pilot, "action:session.started")
        monkeypatch.setattr("screens.audit.search", slowly)
        audit(app).query_one(FilterLine).value = "action:log.exported"
        await until(pilot, lambda: not audit(app).wanted.empty and "searching" in told(app))
        before = newest(app)
        for _ in range(2):
            assert app.context.desk is not None and app.context.staff is not None
            who = app.context.staff
            actor = Actor(ActorKind.STAFF, who.id, who.name, who.email)
            await app.context.desk.run(exported, actor, "operator", 1, 9, "csv")
        await until(pilot, lambda: newest(app) >= before + 2)
        await pilot.pause(0.1)
        go_on.set()
        counted = "SELECT count(*) FROM operator_log WHERE action = 'log.exported'"
        await until(pilot, lambda: 2 <= audit(app).table.count == app.context.reader.execute(counted).fetchone()[0])
        await until(pilot, lambda: told(app).endswith("found"))


async def test_free_text_looks_into_values_and_not_into_hashes(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        (body,) = app.context.reader.execute(
            "SELECT body FROM operator_log WHERE action = 'request.created' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        entry = json.loads(body)
        word = max(entry["reason"].split(), key=len).strip(".,;:").upper()
        await filtered(app, pilot, word)
        await until(pilot, lambda: 0 < audit(app).table.count < newest(app))
        await filtered(app, pilot, entry["prev"][:16])
        await until(pilot, lambda: audit(app).table.count == 0)


async def test_esc_clears_the_filter_and_shows_everything_again(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        await pilot.press("slash", *"action:staff.*", "enter")
        await until(pilot, lambda: 0 < audit(app).table.count < ENTRIES)
        await pilot.press("slash", "escape")
        await until(pilot, lambda: audit(app).table.count == newest(app) >= ENTRIES)
        assert audit(app).table.has_focus


async def test_names_of_conditions_and_their_values_are_completed(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        line = audit(app).query_one(FilterLine)
        await pilot.press("slash", *"act")
        await until(pilot, lambda: line._suggestion == "action:")
        await pilot.press("right", *"session.st")
        await until(pilot, lambda: line._suggestion == "action:session.started")


async def test_verification_shows_its_progress_and_its_verdict(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, VerifyDialog))
        words = app.screen.query_one("#verify-words", Static)
        await until(pilot, lambda: "verified ✓" in str(words.content))


async def test_exported_lines_are_the_exact_bytes_and_their_chain_can_be_recomputed(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        app.context.exports = str(tmp_path)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "audit.jsonl").exists() and not isinstance(app.screen, ExportDialog))
        prev = "0" * 64
        lines = (tmp_path / "audit.jsonl").read_text("utf-8").splitlines()
        assert len(lines) >= ENTRIES
        for line in lines:
            assert json.loads(line)["prev"] == prev
            prev = hashlib.sha256(b"\x00" + line.encode()).hexdigest()
        await until(pilot, lambda: audit(app).table.count == newest(app) > len(lines))  # taking it out is an entry


async def test_a_filtered_export_as_csv_holds_what_was_shown(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        count = await filtered(app, pilot, "action:session.started")
        app.context.exports = str(tmp_path)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one("#csv").value = True  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: (tmp_path / "audit.csv").exists())
        rows = list(csv.DictReader((tmp_path / "audit.csv").open(encoding="utf-8", newline="")))
        assert len(rows) == count
        assert {row["action"] for row in rows} == {"session.started"}


async def test_a_tenants_own_log_can_be_read_by_itself(home: Path, tmp_path: Path) -> None:
    """REQ-402."""
    async with console(home, tmp_path) as (app, pilot):
        await open_viewer(app, pilot)
        tenant, entries = app.context.reader.execute(
            "SELECT tenant_id, max(seq) FROM tenant_log GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
        ).fetchone()
        audit(app).show_log(f"tenant:{tenant}")
        await until(pilot, lambda: audit(app).table.count == entries)
        assert audit(app).entry.data["log"] == f"tenant:{tenant}"
