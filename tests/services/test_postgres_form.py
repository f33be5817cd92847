"""PostgreSQL writes what SQLite writes: the same Changes at the same times leave the same bytes, hashes included."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.log.entry import Draft, Head
from storage.models import Layer, Mail, Mode, Session
from storage.models.row import canonical, row_types
from storage.models.session import Elevation, ElevationState
from storage.shared import writing
from storage.shared.change import Change, Read, Write, new_change_id
from storage.shared.interface import Pulled
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.postgres import cluster
from tests.services.changes import SYSTEM, founding, importing
from tests.team import TeamShared

WILD = 'Zoë "quoted" \\ / \b\f\n\r\t\x01\x1f\x7f \u2028 𝄞 é é \U0010ffff <b>&'

UNGUARDED = (
    "create or replace function countersign.check_all(the_case jsonb) returns void language plpgsql"
    " as $$ begin null; end $$"
)


@pytest.fixture
async def both(
    shared_path: Path, postgres_database: str, sealing: Vault, clock: ManualClock
) -> AsyncIterator[tuple[SqliteShared, TeamShared]]:
    file = await SqliteShared.open(shared_path, sealing, clock)
    server = TeamShared(cluster(), postgres_database, clock)
    yield file, server
    await file.close()
    await server.close()


def comparable(pulled: Pulled) -> Pulled:
    """All but the epoch, drawn at creation, and the mark of what guards it; the order of rows is nobody's promise."""
    return dataclasses.replace(
        pulled, epoch="", guards="", rows=tuple(sorted(pulled.rows, key=lambda row: (row.table, row.key)))
    )


def letter(number: int, clock: ManualClock) -> Mail:
    return Mail(
        f"M-{number}", "staff.added", "U-ADA", WILD, "ada@x", None, None, None, WILD, (), clock.now(), facts='{"a":1}'
    )


async def test_the_same_changes_leave_the_same_bytes(
    both: tuple[SqliteShared, TeamShared],
    clock: ManualClock,
    sealing: Vault,
    sql: psycopg.Connection[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every field is filled, whether the guards would have it or not: they stand aside, it is about bytes."""
    monkeypatch.setattr(writing, "check_all", lambda case: None)
    file, server = both
    sql.execute(UNGUARDED)
    drafts = (
        Draft(Action.TENANT_IMPORTED, tenant="zürich", reason=WILD, before={}, after={"b": [1, None, {"a": "é"}]}),
        Draft(Action.SETTINGS_CHANGED, tenant="a", data={"z": True, "Z": -5, "n": 2**53 - 1, "deep": {"": []}}),
        Draft(Action.MAIL_DELIVERED, target="t", request="R", session="S", ticket="", reason=""),
    )
    rich = dataclasses.replace(
        importing("zürich", clock.now(), name=WILD),
        entries=drafts,
        mails=tuple(letter(number, clock) for number in range(3)),
        answer={"b": WILD, "a": ""},
        seen=Head(1, "0" * 64),
    )
    rich = dataclasses.replace(rich, reads=(*rich.reads, *(Read("mail", mail.id, 0) for mail in rich.mails)))
    for change in (founding(sealing, clock.now()), rich, importing("a", clock.now())):
        change = dataclasses.replace(change, at=clock.now())
        assert await file.apply(change) == await server.apply(change)
        assert await file.apply(change) == await server.apply(change)  # repeated
        clock.advance(seconds=7, microseconds=1)
    assert comparable(await file.pull(Head())) == comparable(await server.pull(Head()))
    assert await file.logs() == await server.logs()
    for log in await file.logs():
        assert await file.entries(log, 0) == await server.entries(log, 0)
    for table in row_types():
        assert await file.rows(table, "") == await server.rows(table, "")


@pytest.fixture
def sql(postgres_database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(cluster().url(postgres_database), autocommit=True)


TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(min_codepoint=1, max_codepoint=127)), inner),
    max_leaves=12,
)


@given(VALUES)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=200
)
def test_canonical_json_is_the_same(sql: psycopg.Connection[tuple[object, ...]], value: object) -> None:
    text = canonical(value)  # type: ignore[arg-type]  # the strategy draws images only
    found = sql.execute("select countersign.canonical(%s::jsonb)", (json.dumps(value),)).fetchone()
    assert found == (text,)


def image(clock: ManualClock) -> str:
    now = clock.now()
    session = Session("S", "R", "t", "t/x", "U", "T-1", Layer.CONSENT, Mode.READ_ONLY, now, now)
    return dataclasses.replace(session, elevation=Elevation(ElevationState.ASKED, WILD, now)).image()


@pytest.mark.parametrize(
    "damaged",
    [
        lambda text: text.replace('"id":"S"', '"id":"S","id":"S"'),
        lambda text: text.replace('"views":0', '"views":1e2'),
        lambda text: text.replace('"views":0', '"views":0.0'),
        lambda text: text.replace('"views":0', '"views":"0"'),
        lambda text: text.replace('"views":0', '"views": 0'),
        lambda text: text.replace('"views":0', '"views":9007199254740992'),
        lambda text: text.replace('"mode":"read_only"', '"mode":"godlike"'),
        lambda text: text.replace('"id":"S"', '"id":"\\u0053"'),
        lambda text: text.replace('"id":"S"', '"extra":1,"id":"S"'),
        lambda text: text.replace('"outcome":null,', ""),
        lambda text: text.replace("2026-03-02", "2026-02-30"),
        lambda text: "{" + ",".join(reversed(text[1:-1].split(",", 1))) + "}",
        lambda text: text + " ",
        lambda text: text[:-1],
        lambda text: "[]",
        lambda text: "null",
    ],
)  # fmt: skip
async def test_only_the_canonical_image_of_a_row_is_taken(
    damaged: Callable[[str], str], sql: psycopg.Connection[tuple[object, ...]], clock: ManualClock
) -> None:
    right = image(clock)
    statement = "select countersign.written_out('session', %s::text::jsonb) = %s"
    assert sql.execute(statement, (right, right)).fetchone() == (True,)
    wrong = damaged(right)
    assert wrong != right
    with suppress(psycopg.DataError):  # no JSON, no date
        assert sql.execute(statement, (wrong, wrong)).fetchone() != (True,)


async def test_a_foreign_image_is_refused(both: tuple[SqliteShared, TeamShared], clock: ManualClock) -> None:
    """What no console could decode never gets in."""
    _, server = both
    row: Any = SimpleNamespace(TABLE="session", id="S", image=lambda: '{"id":"S"}')  # a subclass would become the row
    reads, entries = (Read("session", "S", 0),), (Draft(Action.SESSION_STARTED),)
    change = Change(new_change_id(), clock.now(), SYSTEM, entries, reads, (Write(row),))
    with pytest.raises(GuardRefused, match="no image of a row of session"):
        await server.apply(change)
    assert (await server.position()).head == Head()
