"""`demo fill` takes a short cut past `apply`: what it writes must be what `apply` would have written, byte by byte."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import open_workplace
from app.demo.fill import fill
from app.launch import Launch
from storage.errors import Misconfigured
from storage.log.actions import Action
from storage.log.entry import Draft, compose
from storage.log.verify import verify_all
from storage.models import Actor, ActorKind, Request, Session
from storage.models.row import canonical, digest, parse_time, row_types
from storage.models.tables import ROW_TABLES

ENTRIES, TENANTS, RUNNING = 1500, 9, 5
END = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "shared.db"
    fill(path, ENTRIES, TENANTS, running=RUNNING, at=END)
    return path


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_same_arguments_give_the_same_bytes(filled: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.db"
    fill(again, ENTRIES, TENANTS, running=RUNNING, at=END)
    assert sha256(again.read_bytes()).digest() == sha256(filled.read_bytes()).digest()


def test_exactly_as_many_entries_and_tenants_as_asked_for(filled: Path) -> None:
    assert query(filled, "SELECT count(*), max(seq) FROM operator_log") == [(ENTRIES, ENTRIES)]
    assert query(filled, "SELECT count(*) FROM tenant") == [(TENANTS,)]


def test_every_row_has_the_very_image_that_its_own_class_writes(filled: Path) -> None:
    for table, kind in row_types().items():
        for (image,) in query(filled, f"SELECT image FROM {table}"):
            assert kind.from_image(image).image() == image


def test_every_entry_has_the_very_bytes_that_compose_writes(filled: Path) -> None:
    bodies = query(filled, "SELECT body FROM operator_log UNION ALL SELECT body FROM tenant_log")
    for (text,) in bodies:
        body = json.loads(text)
        who = body["actor"]
        draft = Draft(
            Action(body["action"]),  # type: ignore[call-arg]  # looks a member up; `__new__` is for making them
            **{name: body.get(name) for name in ("tenant", "target", "request", "session", "ticket", "reason")},
            before=body.get("before"),
            after=body.get("after"),
            data=body.get("data", {}),
        )
        assert text == compose(
            draft,
            log=body["log"],
            seq=body["seq"],
            prev=body["prev"],
            at=parse_time(body["at"]),
            actor=Actor(ActorKind(who["kind"]), who["id"], who["name"], who["email"], ip=body["ip"]),
            change=body["change"],
            rows=body.get("rows"),
            ref=body.get("ref"),
            seen=None,
        )
        assert text == canonical(body)


def test_entries_stand_in_the_order_of_time_and_end_before_the_given_moment(filled: Path) -> None:
    times = [at for (at,) in query(filled, "SELECT at FROM operator_log ORDER BY seq")]
    assert times == sorted(times)
    assert parse_time(times[-1]) < END
    assert END - parse_time(times[0]) > timedelta(days=700)


def test_the_wanted_sessions_run_at_that_moment_one_an_engineer(filled: Path) -> None:
    running = [
        session
        for (image,) in query(filled, "SELECT image FROM session")
        if (session := Session.from_image(image)).is_active(END)
    ]
    assert len(running) == RUNNING == len({session.engineer_id for session in running})
    owed = query(filled, "SELECT count(*) FROM session WHERE ended_at IS NULL")
    assert owed == [(RUNNING,)], "a session of the past was left open"


def test_nobody_has_two_sessions_at_once(filled: Path) -> None:
    """REQ-201."""
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for (image,) in query(filled, "SELECT image FROM session"):
        session = Session.from_image(image)
        spans.setdefault(session.engineer_id, []).append((session.started_at, session.ended_at or session.expires_at))
    for mine in spans.values():
        for (_, ended), (started, _) in zip(sorted(mine), sorted(mine)[1:], strict=False):
            assert ended <= started


def test_decisions_are_bound_to_what_was_asked(filled: Path) -> None:
    """REQ-115."""
    digests: dict[str, str] = dict(
        query(filled, "SELECT request_id, json_extract(image, '$.content_digest') FROM decision")
    )
    requests = [Request.from_image(image) for (image,) in query(filled, "SELECT image FROM request")]
    assert digests and all(digests.get(one.id, one.content_digest) == one.content_digest for one in requests)


async def test_a_console_syncs_it_and_verification_finds_nothing(filled: Path, tmp_path: Path) -> None:
    """REQ-404: chains, twins, digests and heads hold, for the verifier and for a replica."""
    place = await open_workplace(Launch.of(home=str(tmp_path), database=f"sqlite:///{filled}", environment={}))
    try:
        changes = await place.sync.pull()
        assert changes.faults == () and changes.rev == ENTRIES
        report = await verify_all(place.shared, ROW_TABLES)
        assert report.sound and report.entries > ENTRIES
        for table, kind in row_types().items():
            if not kind.PRIVATE and table != "command":
                stored: dict[str, str] = dict(query(filled, f"SELECT id, image FROM {table}"))
                copied = dict(place.replica.reader.execute(f"SELECT id, image FROM {table}").fetchall())
                assert copied == stored
    finally:
        await place.close()


def test_the_searched_columns_triggers_and_indexes_are_all_in_place(filled: Path, template: Path) -> None:
    schema = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
    assert query(filled, schema) == query(template, schema)
    with closing(sqlite3.connect(filled)) as connection, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute("UPDATE operator_log SET body = '{}' WHERE seq = 1")


def test_digests_name_the_newest_image_of_each_row(filled: Path) -> None:
    newest: dict[tuple[str, str], str] = {}
    for (text,) in query(filled, "SELECT body FROM operator_log ORDER BY seq"):
        for table, key, value in json.loads(text)["rows"]:
            newest[table, key] = value
    for table in (*row_types(), "command"):
        for key, image in query(filled, f"SELECT id, image FROM {table}"):
            assert newest.pop((table, key)) == digest(image)
    assert not newest


def test_an_existing_database_is_left_alone(filled: Path) -> None:
    with pytest.raises(Misconfigured, match="exists already"):
        fill(filled, ENTRIES, TENANTS)


def test_too_few_entries_for_so_many_tenants_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="too few"):
        fill(tmp_path / "shared.db", 20, 50)
    assert list(tmp_path.iterdir()) == []
