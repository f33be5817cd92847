"""Which images PostgreSQL takes: those that the row classes read and write, text for text, and no other (P2)."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.models.row import canonical, row_types
from tests.postgres import cluster
from tests.unit.drawn import rows_of

SETTLED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=10
)
OTHERS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**53, 1.5, "", "active", "consent", "2026-02-30T00:00:00.000000Z",
     "2026-03-02T24:00:00.000000Z",
     "2026-03-02T09:00:00Z",
     "2026-03-02T09:00:60.000000Z", " 026-03-02T09:00:00.000000Z", [], ["approve"], [None], [[]],
     [["user"]], [1], {}, [{}], {"id": "x"}]
)  # fmt: skip


@pytest.fixture
def sql(postgres_database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(cluster().url(postgres_database), autocommit=True)


@pytest.mark.parametrize("table", sorted(row_types()))
@given(data=st.data())
@SETTLED
def test_an_image_is_taken_when_the_row_class_would_write_it(
    table: str, sql: psycopg.Connection[tuple[object, ...]], data: st.DataObject
) -> None:
    """As drawn, and with something in it replaced, left out or added."""
    drawn = json.loads(data.draw(rows_of(row_types()[table])).image().replace("\\u0000", "?"))
    assert _taken(sql, table, canonical(drawn))

    changed = _changed(drawn, data)

    text = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert _taken(sql, table, text) == _is_image(table, text)


def _changed(value: Any, data: st.DataObject) -> Any:
    """The same with one thing in it another."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 9)):
        name = data.draw(st.sampled_from(sorted(value)))
        match data.draw(st.integers(0, 9)):
            case 0:
                return {key: one for key, one in value.items() if key != name}
            case 1:
                return {**value, name + "_": 1}
            case _:
                return {**value, name: _changed(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [_changed(value[0], data), *value[1:]]
    return data.draw(OTHERS)


def _is_image(table: str, text: str) -> bool:
    try:
        return row_types()[table].from_image(text).image() == text
    except (ValueError, TypeError, AttributeError, KeyError):
        return False


def _taken(sql: psycopg.Connection[tuple[object, ...]], table: str, text: str) -> bool:
    statement = "select countersign.written_out(%s, %s::text::jsonb) = %s"
    try:
        return sql.execute(statement, (table, text, text)).fetchone() == (True,)
    except psycopg.DataError:  # no date
        return False
