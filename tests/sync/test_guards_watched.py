"""REQ-403: an attempt to alter raises an alert. On PostgreSQL every pull sees whether the guards stand as they did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from storage.clock import SharedClock
from storage.replica.engine import Replica
from storage.shared.postgres.install import install
from storage.shared.postgres.shared import PostgresShared
from storage.sync import ChangeSet, Sync
from storage.witness import Witness
from tests.postgres import cluster

OFF = "alter table countersign.session disable trigger {}"
ON = "alter table countersign.session enable always trigger {}"
PUT_BACK = "; ".join(step.format(name) for step in (OFF, ON) for name in ("p02_listed", "p02_never"))
CHANGED = "update countersign.session set image = replace(image, '\"beyond_scope\":0', '\"beyond_scope\":1')"


@pytest.fixture
async def watching(postgres_database: str, tmp_path: Path) -> AsyncIterator[Sync]:
    """A console of the worker's, in step."""
    shared = PostgresShared(cluster().url(postgres_database, "countersign_worker"), slow_seconds=0.2, look_seconds=0)
    replica = Replica.open(tmp_path / "replica.db")
    sync = Sync(shared, replica, Witness(tmp_path / "witness.json"), SharedClock())
    await sync.pull()
    assert sync.status.faults == () and not sync.alarmed
    yield sync
    await sync.close()
    replica.close()
    await shared.close()


def typed(database: str, *statements: str) -> None:
    with psycopg.connect(cluster().url(database)) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]  # a literal to psycopg only if written here


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (OFF.format("p02_listed"), "the guard p02_listed of table session is off"),
        ("drop trigger p01_never on countersign.tenant_log", "table tenant_log has lost guards"),
        ("create table countersign.heir () inherits (countersign.mail)", "table mail has a child"),
        ("create rule away as on insert to countersign.mail do instead nothing", "rule away of table mail replaces"),
        ("alter table countersign.decision rename to decision_before", "table decision has lost guards"),
    ],
)
async def test_a_guard_that_does_not_stand_is_a_fault_at_the_next_pull(
    watching: Sync, postgres_database: str, done: str, words: str
) -> None:
    typed(postgres_database, done)
    if "rename" in done:
        typed(postgres_database, "create view countersign.decision as select * from countersign.decision_before",
              "grant select on countersign.decision to countersign_worker")  # fmt: skip
    change_set = await watching.pull()
    assert any(words in str(fault) for fault in change_set.faults), change_set.faults
    assert watching.status.forked


async def test_guards_that_stood_off_before_the_console_came_are_seen_at_its_first_pull(
    postgres_database: str, tmp_path: Path
) -> None:
    typed(postgres_database, OFF.format("p02_never"))
    shared = PostgresShared(cluster().url(postgres_database, "countersign_worker"))
    replica = Replica.open(tmp_path / "replica.db")
    sync = Sync(shared, replica, Witness(tmp_path / "witness.json"), SharedClock())
    assert "p02_never of table session is off" in str((await sync.pull()).faults)
    await sync.close()
    replica.close()
    await shared.close()


async def test_guards_put_back_as_they_were_still_make_a_running_console_compare_everything(
    watching: Sync, postgres_database: str
) -> None:
    found, live = asyncio.Event(), asyncio.Event()

    def publish(change_set: ChangeSet) -> None:
        live.set()
        if change_set.faults:
            found.set()

    running = asyncio.create_task(watching.run(publish))
    await asyncio.wait_for(live.wait(), 20)
    off, listed_off, on, listed_on = (part for part in PUT_BACK.split("; "))
    await asyncio.to_thread(typed, postgres_database, off, listed_off, CHANGED, on, listed_on)
    await asyncio.wait_for(found.wait(), 20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "its image is not the one this entry vouches for" in str(watching.status.faults)


async def test_an_upgrade_is_no_fault_but_everything_is_compared(watching: Sync, postgres_database: str) -> None:
    await asyncio.to_thread(install, cluster().url(postgres_database))
    assert (await watching.pull()).faults == ()
    assert watching.alarmed
    assert await watching.check_everything() == ()


async def test_work_maintenance_and_the_servers_own_vacuum_leave_the_mark_alone(
    watching: Sync, postgres_database: str
) -> None:
    with psycopg.connect(cluster().url(postgres_database), autocommit=True) as connection:
        for statement in ("vacuum (analyze)", "analyze", "vacuum (freeze) countersign.mail", "reindex table pg_trigger",
                          "vacuum (freeze) pg_class", "checkpoint"):  # fmt: skip
            connection.execute(statement)
    assert (await watching.pull()).faults == () and not watching.alarmed
