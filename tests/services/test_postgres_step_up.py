"""Second factors inside PostgreSQL: RFC 6238's own vectors, and no guess without paying for it (REQ-702, P10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import GuardRefused
from storage.log.entry import Head
from storage.shared import totp
from storage.shared.vault import OpenVault, new_key
from storage.view import derived_id
from tests.clock import ManualClock
from tests.postgres import cluster
from tests.services.changes import ADA, SECRET, founded
from tests.team import TeamShared

Sql = psycopg.Connection[tuple[object, ...]]
RFC_6238 = ((59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
            (2000000000, "69279037"), (20000000000, "65353130"))  # fmt: skip
WRONG = "000000"


@pytest.fixture
def sql(postgres_database: str) -> Iterator[Sql]:
    with psycopg.connect(cluster().url(postgres_database), autocommit=True) as connection:
        yield connection


@pytest.fixture
async def server(postgres_database: str, clock: ManualClock) -> AsyncIterator[TeamShared]:
    database = TeamShared(cluster(), postgres_database, clock)
    await founded(database, OpenVault(new_key()))
    yield database
    await database.close()


@pytest.fixture
async def ada(server: TeamShared, postgres_database: str, clock: ManualClock) -> AsyncIterator[Sql]:
    """Ada's own log-in, as in psql."""
    role = await server._role(ADA)
    with psycopg.connect(cluster().url(postgres_database, role), autocommit=True) as connection:
        connection.execute(f"set countersign.test_now = '{clock.now().isoformat()}'")
        yield connection


@pytest.mark.parametrize("by", ["hmac_sha1", "hmac_sha1_plain"])
@pytest.mark.parametrize(("moment", "code"), RFC_6238)
def test_the_rfc_vectors(sql: Sql, by: str, moment: int, code: str) -> None:
    """With pgcrypto where it is, and with our own lines."""
    body = "select countersign.hmac_sha1_plain(secret, message)"
    if by == "hmac_sha1_plain":
        sql.execute(
            "create or replace function countersign.hmac_sha1(secret bytea, message bytea) returns bytea"
            f" language sql immutable strict as $$ {body} $$"
        )
    found = sql.execute("select countersign.totp(%s, %s, 8)", (b"12345678901234567890", moment // 30)).fetchone()
    assert found == (code,)


@given(st.binary(max_size=150), st.binary(max_size=150))
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=60)
def test_our_lines_are_hmac_sha1(sql: Sql, secret: bytes, message: bytes) -> None:
    right = hmac.new(secret, message, hashlib.sha1).digest()
    for name in ("hmac_sha1", "hmac_sha1_plain"):
        assert sql.execute(f"select countersign.{name}(%s::bytea, %s::bytea)", (secret, message)).fetchone() == (right,)


@given(
    st.binary(min_size=1, max_size=40),
    st.text(max_size=20).filter(lambda text: "\x00" not in text and text.isprintable()),
)
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=60)
def test_base_32_and_ids_are_the_same(sql: Sql, secret: bytes, word: str) -> None:
    assert sql.execute("select countersign.base32(%s)", (base64.b32encode(secret).decode(),)).fetchone() == (secret,)
    assert sql.execute("select countersign.derived_id(%s, 'P', 3)", (word,)).fetchone() == (derived_id(word, "P", 3),)


def begin(ada: Sql, code: str) -> object:
    found = ada.execute("select countersign.step_up_begin(%s, 'request.create', 'psql')", (code,)).fetchone()
    assert found is not None
    return found[0]


def judge(ada: Sql, attempt: object) -> dict[str, object]:
    found = ada.execute("select countersign.step_up(%s)", (attempt,)).fetchone()
    assert found is not None
    answer: dict[str, object] = found[0]  # type: ignore[assignment]  # jsonb
    return answer


async def test_an_attempt_is_committed_before_it_is_judged(ada: Sql, clock: ManualClock) -> None:
    code = totp.code_at(SECRET, clock.now())
    with pytest.raises(psycopg.Error, match="commit the attempt") as caught, ada.transaction():
        judge(ada, begin(ada, code))
    assert caught.value.sqlstate == "CSP10"
    with pytest.raises(psycopg.Error, match="commit the attempt"), ada.transaction():
        with ada.transaction():  # a savepoint is no commit
            attempt = begin(ada, code)
        judge(ada, attempt)
    assert judge(ada, begin(ada, code))["step_up"] is not None


async def test_a_rolled_back_wrong_code_is_paid_for(ada: Sql, server: TeamShared) -> None:
    """Five guesses, each rolled back once its answer was seen, and that is all for a quarter of an hour."""
    for _ in range(5):
        attempt = begin(ada, WRONG)
        with ada.transaction(force_rollback=True):
            assert judge(ada, attempt)["step_up"] is None
    with pytest.raises(psycopg.Error, match="given and abandoned") as caught:
        begin(ada, WRONG)
    assert caught.value.sqlstate == "CSP10"
    with pytest.raises(GuardRefused, match="given and abandoned"):
        await server.step_up(ADA.id, WRONG, "request.create", ADA)


async def test_an_attempt_is_judged_once_and_by_its_own_person(
    ada: Sql, server: TeamShared, clock: ManualClock
) -> None:
    attempt = begin(ada, totp.code_at(SECRET, clock.now()))
    assert judge(ada, attempt)["step_up"] is not None
    with pytest.raises(psycopg.Error, match="used once"):
        judge(ada, attempt)


async def test_abandoned_attempts_count_towards_the_lock(ada: Sql, server: TeamShared, clock: ManualClock) -> None:
    for _ in range(4):
        begin(ada, WRONG)
    clock.advance(minutes=2)
    answer = await server.step_up(ADA.id, WRONG, "request.create", ADA)
    assert answer.why == "5 wrong codes: locked for 15 minutes"
    (*_, last) = (await server.pull(Head())).entries
    assert '"action":"step_up.locked"' in last.body


async def test_no_log_in_reads_a_secret(ada: Sql) -> None:
    for table in ("credential", "command", "attempt", "login"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ada.execute(f"select * from countersign.{table}")
