"""Reads: what consoles pull and what verifiers go through, each in one round trip and of one snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, Any

from storage.errors import Corrupt
from storage.log.entry import OPERATOR, Head
from storage.models import Admission, Mode, Shutting, parse_time
from storage.shared.columns import TENANT, Columns, Mixed, entries_apart, rows_apart
from storage.shared.interface import Position, Pulled, StoredEntry, StoredRow
from storage.shared.postgres import guarded, packed
from storage.shared.reading import is_private, row_tables

if TYPE_CHECKING:
    import psycopg

    from storage.shared.postgres.line import Connection

_POSITION = "select epoch, seq, encode(hash, 'hex') from countersign.log_head where log = 'operator'"
_ENTRIES = "select seq, hash, body from countersign.operator_log where seq > %(after)s order by seq limit %(limit)s"
_LAST = (
    "(select coalesce(max(seq), %(after)s) from"
    " (select seq from countersign.operator_log where seq > %(after)s order by seq limit %(limit)s) as pulled)"
)
_TWINS = (
    "select tenant_id, seq, hash, body from countersign.tenant_log"
    f" where operator_seq > %(after)s and operator_seq <= {_LAST} order by operator_seq"
)
_PUBLIC = tuple(table for table in row_tables() if not is_private(table))
_ROWS = " union all ".join(
    [f"select '{t}', id, rev, image, '' from countersign.\"{t}\" where rev > b.low and rev <= b.high" for t in _PUBLIC]
    + ["select table_name, id, rev, '', digest from countersign.private_digest where rev > b.low and rev <= b.high"]
)
_BETWEEN = f"(select %(after)s::bigint as low, {_LAST} as high) as b"
_ROWS_BETWEEN = f"select r.* from {_BETWEEN}, lateral ({_ROWS}) as r"


async def read_position(connection: Connection) -> Position:
    return _position(await (await connection.execute(_POSITION)).fetchone())


def _position(found: Any) -> Position:
    if found is None:
        raise Corrupt("the operator log has no head", "restore the shared database from a backup")
    epoch, seq, head = found
    return Position(epoch, Head(seq, head))


async def read_pulled(
    connection: Connection, after: Head, limit: int, look: bool = False, quiet: bool = False
) -> Pulled:
    """Entries after a position with their twins and rows. All statements travel together (pipelined) and see one
    snapshot (REPEATABLE READ). Many at once come packed, which takes half the work on this side. With `look` the
    guards' mark comes along. Where all is `quiet` the head is looked at first: to plan the rest costs the server ten
    times as much, for nothing if the log has not grown."""
    if quiet:
        pulled = await _read(connection, after, 0, look, (), _nothing)
        if pulled is not None and pulled.head.seq == after.seq:
            return pulled
    if limit >= packed.WORTH_IT:
        pulled = await _read(connection, after, limit, look, packed.STATEMENTS, _unpacked)
        if pulled is not None:
            return pulled
    pulled = await _read(connection, after, limit, look, (_ENTRIES, _TWINS, _ROWS_BETWEEN), _as_they_stand)
    assert pulled is not None
    return pulled


Parts = tuple[list[StoredEntry], list[StoredEntry], list[StoredRow]]
_BEGIN = "begin isolation level repeatable read read only"
_ANCHOR = "select hash from countersign.operator_log where seq = %(after)s"


def _nothing() -> Parts:
    return [], [], []


async def _read(
    connection: Connection,
    after: Head,
    limit: int,
    look: bool,
    statements: tuple[str, ...],
    made: Callable[..., Parts | None],
) -> Pulled | None:
    values = {"after": after.seq, "limit": limit}
    async with connection.pipeline():
        await connection.execute(_BEGIN)
        head = await connection.execute(_POSITION)
        anchor = await connection.execute(_ANCHOR, values)
        results = [await connection.execute(statement, values, binary=True) for statement in statements]
        mark = await connection.execute(guarded.MARK) if look else None
        await connection.execute("commit")
    answers = [await _all(result) for result in results]
    parts = made(*answers) if limit < packed.WORTH_IT else await asyncio.to_thread(made, *answers)
    if parts is None:
        return None
    found: Any = await mark.fetchone() if mark is not None else ("",)
    return _pulled(after, await head.fetchone(), await anchor.fetchone(), parts, found[0])


def _unpacked(*answers: list[Any]) -> Parts | None:
    """What came packed, one by one; None if the parts cannot be told apart."""
    columns = packed.columns(*answers)
    try:
        return columns and (entries_apart(columns[0]), entries_apart(columns[1]), rows_apart(columns[2]))
    except Mixed:
        return None


def read_columns(connection: psycopg.Connection[Any], after: Head, limit: int) -> Columns | None:
    """The entries with the `limit` numbers after a position, for a process that does nothing else, and may block; None
    where a hash has not 32 bytes. A third of the cost: an event loop is woken for every 16 KiB."""
    values = {"after": after.seq, "limit": limit}
    with connection.pipeline():
        connection.execute(_BEGIN)
        head = connection.execute(_POSITION)
        anchor = connection.execute(_ANCHOR, values)
        results = [connection.execute(statement, values, binary=True) for statement in packed.STATEMENTS_UPTO]
        connection.execute("commit")
    columns = packed.columns(*[list(result.fetchall()) for result in results])
    if columns is None:
        return None
    position, found = _position(head.fetchone()), anchor.fetchone()
    return Columns(position.epoch, position.head, bytes(found[0]) if found else None, *columns)


def _pulled(after: Head, head: Any, anchor: Any, parts: Parts, guards: str = "") -> Pulled:
    position, (entries, twins, rows) = _position(head), parts
    return Pulled(
        epoch=position.epoch,
        head=position.head,
        anchor=bytes(anchor[0]) if anchor else None,
        entries=tuple(entries),
        tenant_entries=tuple(twins),
        rows=tuple(rows) if entries else (),
        more=(entries[-1].seq if entries else after.seq) < position.head.seq,
        guards=guards,
    )


def _as_they_stand(entries: list[Any], twins: list[Any], rows: list[Any]) -> Parts:
    return (
        [StoredEntry(OPERATOR, *row) for row in entries],
        [StoredEntry(TENANT + tenant, *rest) for tenant, *rest in twins],
        [StoredRow(*row) for row in rows],
    )


async def _all(cursor: Any) -> list[Any]:
    return list(await cursor.fetchall())


async def read_entries(connection: Connection, log: str, after: int, limit: int) -> list[StoredEntry]:
    values = {"after": after, "limit": limit, "tenant": log.removeprefix(TENANT)}
    statement = _ENTRIES
    if log != OPERATOR:
        statement = (
            "select seq, hash, body from countersign.tenant_log where tenant_id = %(tenant)s and seq > %(after)s"
            " order by seq limit %(limit)s"
        )
    return [StoredEntry(log, *row) for row in await _all(await connection.execute(statement, values, binary=True))]


async def read_logs(connection: Connection) -> dict[str, Head]:
    """Recorded heads. A tenant's log that has entries but no head is listed as empty: verifiers must not miss it."""
    statement = """
      with recursive one(tenant_id) as (
        (select min(tenant_id) from countersign.tenant_log)
        union all
        select (select min(t.tenant_id) from countersign.tenant_log as t where t.tenant_id > one.tenant_id)
          from one where one.tenant_id is not null
      )
      select log, seq, encode(hash, 'hex') from countersign.log_head
      union all
      select 'tenant:' || tenant_id, null, null from one where tenant_id is not null
        and not exists (select 1 from countersign.log_head where log = 'tenant:' || tenant_id)
      order by 1"""
    found = await _all(await connection.execute(statement))
    return {log: Head() if seq is None else Head(seq, head) for log, seq, head in found}


async def read_rows(connection: Connection, table: str, after: str, limit: int) -> list[StoredRow]:
    if table not in row_tables():
        raise KeyError(table)
    private = is_private(table)
    statement = (
        f"select id, rev, digest from countersign.private_digest where table_name = '{table}' and id > %(after)s"
        if private
        else f'select id, rev, image from countersign."{table}" where id > %(after)s'
    )
    asked = f"{statement} order by id limit %(limit)s"
    found = await _all(await connection.execute(asked, {"after": after, "limit": limit}, binary=True))
    return [
        StoredRow(table, key, rev, "", text) if private else StoredRow(table, key, rev, text, "")
        for key, rev, text in found
    ]


async def read_shuttings(connection: Connection) -> list[Shutting]:
    """Switches that are on, each tenant's first, whose settings do not say so yet (sql/038_shutting.sql)."""
    cursor = await connection.execute(
        "select distinct on (m.tenant_id) m.tenant_id, m.by, m.name, m.ip, m.at from countersign.shutting as m"
        " left join countersign.settings as s on s.id = m.tenant_id"
        " where s.image::jsonb->'kill_switch' is distinct from 'true' order by m.tenant_id, m.at"
    )
    found: list[Any] = await cursor.fetchall()
    marks = [Shutting(tenant, by, name, ip, at.astimezone(UTC)) for tenant, by, name, ip, at in found]
    return sorted(marks, key=lambda mark: (mark.at, mark.tenant_id))


async def read_admission(connection: Connection, session_id: str) -> Admission:
    """Whether a session may go on, as the database itself says."""
    found: Any = await (await connection.execute("select countersign.admission(%s)", (session_id,))).fetchone()
    answer = found[0]
    mode, until = answer["mode"], answer["expires_at"]
    return Admission(answer["allowed"], answer["why"], mode and Mode(mode), until and parse_time(until))
