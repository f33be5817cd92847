"""Reads of the shared SQLite file: what consoles pull, and what verifiers go through."""

from __future__ import annotations

from storage.errors import Corrupt
from storage.log.entry import OPERATOR, Head
from storage.models import Credential
from storage.models.row import row_types
from storage.shared.columns import TENANT
from storage.shared.connections import Transaction
from storage.shared.interface import Position, Pulled, StoredEntry, StoredRow
from storage.shared.writing import COMMAND

_TENANTS_WITH_ENTRIES = """
WITH RECURSIVE one(tenant_id) AS (
  SELECT min(tenant_id) FROM tenant_log
  UNION ALL
  SELECT (SELECT min(tenant_id) FROM tenant_log WHERE tenant_id > one.tenant_id) FROM one WHERE tenant_id IS NOT NULL
)
SELECT tenant_id FROM one WHERE tenant_id IS NOT NULL
"""  # steps from tenant to tenant along the key: DISTINCT would read every entry


def row_tables() -> tuple[str, ...]:
    """Every table of rows, `command` (which has no row class) included."""
    return (*sorted(row_types()), COMMAND)


def is_private(table: str) -> bool:
    """Whether only digests of this table's rows leave the shared database."""
    return table == COMMAND or row_types()[table].PRIVATE


def read_position(transaction: Transaction) -> Position:
    found = transaction.rows("SELECT epoch, seq, lower(hex(hash)) FROM log_head WHERE log = ?", (OPERATOR,))
    if not found:
        raise Corrupt("the operator log has no head", "restore the shared database from a backup")
    epoch, seq, head = found[0]
    return Position(epoch, Head(seq, head))


def read_credential(transaction: Transaction, staff_id: str) -> Credential | None:
    found = transaction.rows("SELECT image FROM credential WHERE id = ?", (staff_id,))
    return Credential.from_image(found[0][0]) if found else None


def read_pulled(transaction: Transaction, after: Head, limit: int) -> Pulled:
    """Entries after a position with their twins and rows, all of the transaction's one snapshot."""
    position = read_position(transaction)
    anchor = transaction.rows("SELECT hash FROM operator_log WHERE seq = ?", (after.seq,))
    found = transaction.rows(
        f"SELECT '{OPERATOR}', seq, hash, body FROM operator_log WHERE seq > ? ORDER BY seq LIMIT ?", (after.seq, limit)
    )
    last = found[-1][1] if found else after.seq
    twins = transaction.rows(
        f"SELECT '{TENANT}' || tenant_id, seq, hash, body FROM tenant_log WHERE operator_seq > ? AND operator_seq <= ?"
        " ORDER BY operator_seq",
        (after.seq, last),
    )
    entry = StoredEntry._make
    return Pulled(
        epoch=position.epoch,
        head=position.head,
        anchor=anchor[0][0] if anchor else None,
        entries=tuple(map(entry, found)),
        tenant_entries=tuple(map(entry, twins)),
        rows=_rows_between(transaction, after.seq, last) if found else (),
        more=last < position.head.seq,
    )


def _rows_between(transaction: Transaction, after: int, last: int) -> tuple[StoredRow, ...]:
    """Rows of all tables last written under entries in (after, last]: one statement."""
    statements = " UNION ALL ".join(f"{_selected(table)} WHERE rev > ?1 AND rev <= ?2" for table in row_tables())
    return tuple(map(StoredRow._make, transaction.rows(statements, (after, last))))


def read_entries(transaction: Transaction, log: str, after: int, limit: int) -> list[StoredEntry]:
    if log == OPERATOR:
        found = transaction.rows(
            "SELECT seq, hash, body FROM operator_log WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )
    else:
        found = transaction.rows(
            "SELECT seq, hash, body FROM tenant_log WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (log.removeprefix(TENANT), after, limit),
        )
    return [StoredEntry(log, *row) for row in found]


def read_logs(transaction: Transaction) -> dict[str, Head]:
    """Recorded heads. A tenant's log that has entries but no head is listed as empty: verifiers must not miss it."""
    heads = {
        log: Head(seq, head)
        for log, seq, head in transaction.rows("SELECT log, seq, lower(hex(hash)) FROM log_head ORDER BY log")
    }
    for (tenant_id,) in transaction.rows(_TENANTS_WITH_ENTRIES):
        heads.setdefault(TENANT + tenant_id, Head())
    return heads


def read_rows(transaction: Transaction, table: str, after: str, limit: int) -> list[StoredRow]:
    if table not in row_tables():
        raise KeyError(table)
    found = transaction.rows(f"{_selected(table)} WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return list(map(StoredRow._make, found))


def _selected(table: str) -> str:
    """Rows of a table in the shape of StoredRow: of a private one the digests only."""
    shown = "'', digest(CAST(image AS BLOB))" if is_private(table) else "image, ''"
    return f"SELECT '{table}', id, rev, {shown} FROM \"{table}\""
