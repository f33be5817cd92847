"""Rows gain fields. What was stored before has them not, and stays what it is: it opens, syncs, verifies, is written on
under the guards, on both forms, and an upgrade of the server's functions leaves it alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from app.services import tenants
from storage.log.verify import verify_all
from storage.models import Actor, ActorKind, Settings
from storage.models.row import canonical, defaults
from storage.models.tables import ROW_TABLES
from storage.shared.change import Write, new_change_id
from storage.shared.interface import SharedDatabase
from tests.clock import ManualClock
from tests.sync.story import CLERK, console, record

LATER = ("notify_start_target", "weekly_digest")
"""Fields that the program of these settings had not heard of."""


async def test_settings_from_before_a_field_was_there_are_read_and_written_on(
    shared: SharedDatabase, place: Path | str, tmp_path: Path, clock: ManualClock
) -> None:
    mine = console(shared, tmp_path, clock)
    await mine.sync.pull()
    older = _older(Settings("gamma", max_minutes=30))
    await _as_an_older_program(place, mine, older)
    await mine.sync.pull()
    assert not mine.sync.status.faults
    view = mine.replica.view("look")
    assert view.get(Settings, "gamma") == Settings("gamma", max_minutes=30)
    assert (await verify_all(shared, ROW_TABLES)).sound
    ada = Actor(ActorKind.TENANT_ADMIN, "gamma/ada", "Ada", "ada@gamma.example")

    await mine.do(tenants.set_kill_switch, ada, "gamma", True)

    stored = {row.key: row.image for row in await shared.rows("settings", "")}
    assert stored["gamma"] != older and set(json.loads(stored["gamma"])) >= set(LATER)
    assert (await verify_all(shared, ROW_TABLES)).sound
    await mine.close()


def _older(settings: Settings) -> str:
    assert set(LATER) <= defaults(Settings).keys()
    return canonical({name: value for name, value in json.loads(settings.image()).items() if name not in LATER})


async def _as_an_older_program(place: Path | str, mine: Any, image: str) -> None:
    """Import a tenant whose settings are stored as this image; on a server, by functions that take it."""
    if isinstance(place, str):
        _execute(
            place,
            "create or replace function countersign.proven_images(writes jsonb) returns jsonb[] language sql as"
            " $$ select array_agg((w->>2)::jsonb order by n)"
            " from jsonb_array_elements(writes) with ordinality as x(w, n) $$",
        )
        _execute(
            place, "create or replace function countersign.guard_p03(the_case jsonb) returns void language sql as ''"
        )
    change = tenants.import_records(mine.replica.view(new_change_id()), CLERK, [record("gamma")], now=mine.clock.now())
    row: Any = SimpleNamespace(TABLE="settings", id="gamma", image=lambda: image)
    writes = tuple(Write(row, w.entry) if isinstance(w.row, Settings) else w for w in change.writes)
    await mine.shared.apply(dataclasses.replace(change, writes=writes))
    if isinstance(place, str):
        _upgrade(place)


def _upgrade(database: str) -> None:
    from storage.shared.postgres.install import install
    from tests.postgres import TEST_CLOCK, cluster

    install(cluster().url(database))
    _execute(database, TEST_CLOCK)


def _execute(database: str, statement: str) -> None:
    from tests.postgres import cluster

    with psycopg.connect(cluster().url(database), autocommit=True) as connection:
        connection.execute(statement)
