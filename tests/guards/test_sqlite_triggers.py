"""What the SQLite file refuses by itself, asked with plain `sqlite3` by whoever has the file (P1, P2, REQ-403)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.models.tables import ROW_TABLES
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.services.changes import founded, importing


@pytest.fixture
async def behind(shared: SqliteShared, shared_path: Path, vault: Vault, clock: ManualClock) -> sqlite3.Connection:
    """A plain connection, without any of our pragmas, to a file with some history."""
    await founded(shared, vault)
    await shared.apply(importing("northwind", clock.now()))
    await shared.apply(importing("northwind", clock.now(), rev=2, name="Renamed"))
    return sqlite3.connect(shared_path, isolation_level=None)


@pytest.fixture(autouse=True)
def unchanged(behind: sqlite3.Connection) -> Iterator[None]:
    """Whatever a test tries, everything stays as it was."""
    before = list(behind.iterdump())
    yield
    assert list(behind.iterdump()) == before
    behind.close()


@pytest.mark.parametrize("log", ["operator_log", "tenant_log", "log_head"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {log} SET hash = zeroblob(32)",
        "UPDATE {log} SET seq = seq",
        "UPDATE OR REPLACE {log} SET seq = 1 WHERE seq = 2",
        "DELETE FROM {log}",
        "DELETE FROM {log} WHERE seq = (SELECT max(seq) FROM {log})",
        "INSERT OR REPLACE INTO {log} SELECT {columns} FROM {log}",
        "REPLACE INTO {log} SELECT {columns} FROM {log} ORDER BY seq DESC LIMIT 1",
        "INSERT INTO {log} SELECT {columns} FROM {log} WHERE true ON CONFLICT DO UPDATE SET hash = zeroblob(32)",
    ],
)
def test_an_entry_is_never_changed_or_removed(behind: sqlite3.Connection, log: str, statement: str) -> None:
    columns = {"operator_log": "seq, hash, body", "tenant_log": "tenant_id, seq, hash, body", "log_head": "*"}[log]
    with pytest.raises(sqlite3.IntegrityError, match="P1: "):
        behind.execute(statement.format(log=log, columns=columns))


@pytest.mark.parametrize("number", [0, 1, 3, 5, 9])
def test_an_entry_out_of_order_is_refused(behind: sqlite3.Connection, number: int) -> None:
    (last,) = behind.execute("SELECT lower(hex(hash)) FROM operator_log ORDER BY seq DESC LIMIT 1").fetchone()
    body = f'{{"seq":{number},"prev":"{last}"}}'
    with pytest.raises(sqlite3.IntegrityError, match="P1: "):
        behind.execute("INSERT INTO operator_log (seq, hash, body) VALUES (?, zeroblob(32), ?)", (number, body))


@pytest.mark.parametrize("body", ['{"seq":4,"prev":"00"}', '{"seq":5,"prev":"LAST"}', '{"prev":"LAST"}', "{}"])
def test_an_entry_that_is_not_linked_is_refused(behind: sqlite3.Connection, body: str) -> None:
    (last,) = behind.execute("SELECT lower(hex(hash)) FROM operator_log ORDER BY seq DESC LIMIT 1").fetchone()
    with pytest.raises(sqlite3.IntegrityError, match="P1: "):
        behind.execute(
            "INSERT INTO operator_log (seq, hash, body) VALUES (4, zeroblob(32), ?)", (body.replace("LAST", last),)
        )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "UPDATE {table} SET image = '{{}}'",
        "UPDATE {table} SET rev = rev - 1",
        "UPDATE {table} SET id = id || '2', rev = rev + 1",
        "INSERT OR REPLACE INTO {table} (id, image, rev) SELECT id, image, rev + 1 FROM {table}",
        "INSERT INTO {table} (id, image, rev) SELECT id, image, rev + 1 FROM {table} WHERE true"
        " ON CONFLICT DO UPDATE SET rev = rev + 1",
    ],
)
@pytest.mark.parametrize("table", ["tenant", "settings", "staff", "credential", "standing", "command"])
def test_a_row_only_moves_forward(behind: sqlite3.Connection, table: str, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="P2: "):
        behind.execute(statement.format(table=table))


def test_every_table_of_rows_has_its_triggers(behind: sqlite3.Connection) -> None:
    there = {name for (name,) in behind.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert {f"{table}_{what}" for table in ROW_TABLES for what in ("no_delete", "forward", "once")} <= there


def test_every_table_is_strict(behind: sqlite3.Connection) -> None:
    loose = [
        name for _, name, kind, _, _, strict in behind.execute("PRAGMA table_list") if not strict and kind == "table"
    ]
    assert set(loose) <= {"alembic_version", "sqlite_schema", "sqlite_temp_schema", "sqlite_sequence"}
    with pytest.raises(sqlite3.IntegrityError):
        behind.execute("INSERT INTO tenant (id, image, rev) VALUES ('x', '{}', 'not a number')")
