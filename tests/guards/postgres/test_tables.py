"""P3's and P10's tables in SQL say what the Python ones say."""

from __future__ import annotations

import itertools
import json

import psycopg
import pytest

from storage.log.actions import Action
from storage.models import ElevationState, EndKind, MailState, Request, RequestState, TenantStatus
from storage.models.row import canonical
from storage.shared.guards.p03_states_move_along_the_table import (
    ELEVATION_MOVES,
    END_ACTIONS,
    MAIL_MOVES,
    REQUEST_MOVABLE,
    REQUEST_MOVES,
    SESSION_MOVABLE,
    Movable,
    Moves,
)
from storage.shared.guards.p05_the_tenants_door import TENANT_MOVES
from storage.shared.guards.p10_step_up import ACTS
from tests.guards.postgres.company import company
from tests.guards.test_other_ways import ALARMED
from tests.postgres import cluster


def asked(sql: str, *values: object) -> object:
    with psycopg.connect(cluster().url(cluster().fresh(company().database, "q")), autocommit=True) as connection:
        found = connection.execute(sql, values).fetchone()
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("function", "moves", "states"),
    [
        ("request_move", REQUEST_MOVES, RequestState),
        ("elevation_move", ELEVATION_MOVES, ElevationState),
        ("mail_move", MAIL_MOVES, MailState),
    ],
)
def test_every_move_has_the_same_action(
    function: str, moves: Moves, states: type[RequestState | ElevationState | MailState]
) -> None:
    pairs = list(itertools.product([None, *states], states))
    told = asked(
        f"select array_agg(countersign.{function}(was, becomes) order by n) from unnest(%s::text[], %s::text[])"
        " with ordinality as x(was, becomes, n)",
        [was and was.value for was, _ in pairs],
        [becomes.value for _, becomes in pairs],
    )
    meant = [",".join(sorted(moves[pair])) if pair in moves else None for pair in pairs]
    assert told == meant


@pytest.mark.parametrize(("table", "movable"), [("request", REQUEST_MOVABLE), ("session", SESSION_MOVABLE)])
def test_every_action_may_change_the_same_fields(table: str, movable: Movable) -> None:
    told = asked(
        "select jsonb_object_agg(code, countersign.movable(%s, code)) from unnest(%s::text[]) as code",
        table,
        [action.value for action in Action],
    )
    assert isinstance(told, dict)
    assert {code: set(names or ()) for code, names in told.items()} == {
        action.value: set(movable.get(action, ())) for action in Action
    }


def test_every_end_has_the_same_action() -> None:
    told = asked(
        "select array_agg(countersign.end_action(k) order by n) from unnest(%s::text[]) with ordinality as x(k, n)",
        list(EndKind),
    )
    assert told == [END_ACTIONS[kind].value for kind in EndKind]


def test_the_same_actions_need_a_code() -> None:
    told = asked(
        "select jsonb_object_agg(c, countersign.act_of(c)) from unnest(%s::text[]) as c", [a.value for a in Action]
    )
    assert told == {a.value: ACTS.get(a, "staff.enrol" if a is Action.CREDENTIAL_ENROLLED else None) for a in Action}


def test_a_tenants_life_moves_the_same_way() -> None:
    """REQ-603: P5's table."""
    pairs = list(itertools.product(TenantStatus, TenantStatus))
    told = asked(
        "select array_agg(countersign.tenant_move(was, becomes) order by n) from unnest(%s::text[], %s::text[])"
        " with ordinality as x(was, becomes, n)",
        [was.value for was, _ in pairs],
        [becomes.value for _, becomes in pairs],
    )
    assert told == [TENANT_MOVES[pair].value if pair in TENANT_MOVES else None for pair in pairs]


def test_an_emergency_from_before_it_could_lapse_is_read_with_what_it_lacks() -> None:
    """REQ-109: so what was declared by an older program is void, and recorded, like any other."""
    image = ALARMED.image()
    older = json.loads(image)
    del older["emergency"]["lapsed_at"]
    assert Request.from_image(canonical(older)) == ALARMED
    assert asked("select countersign.completed('request', %s::jsonb)", canonical(older)) == json.loads(image)
