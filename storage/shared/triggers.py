"""What the SQLite file itself refuses, whoever's program asks: entries are only appended, rows only move forward.

The SQLite form of P1 and P2 (design.md). Whoever can write the file can also drop these triggers: they keep honest
programs honest, the chains and the witnesses catch the rest. A plain BEFORE INSERT trigger stops INSERT OR REPLACE,
which would slip past UPDATE and DELETE triggers on connections without `recursive_triggers`.
"""

from __future__ import annotations

from collections.abc import Iterator

_OPERATOR_LOG = """
CREATE TRIGGER operator_log_append BEFORE INSERT ON operator_log BEGIN
  SELECT RAISE(ABORT, 'P1: an entry of the operator log must follow the newest one')
   WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM operator_log)
      OR json_extract(NEW.body, '$.seq') IS NOT NEW.seq
      OR json_extract(NEW.body, '$.prev') IS NOT
         coalesce((SELECT lower(hex(hash)) FROM operator_log WHERE seq = NEW.seq - 1), printf('%064d', 0));
END
"""

_TENANT_LOG = """
CREATE TRIGGER tenant_log_append BEFORE INSERT ON tenant_log BEGIN
  SELECT RAISE(ABORT, 'P1: an entry of a tenant''s log must follow the newest one')
   WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM tenant_log WHERE tenant_id = NEW.tenant_id)
      OR json_extract(NEW.body, '$.seq') IS NOT NEW.seq
      OR json_extract(NEW.body, '$.prev') IS NOT coalesce(
         (SELECT lower(hex(hash)) FROM tenant_log WHERE tenant_id = NEW.tenant_id AND seq = NEW.seq - 1),
         printf('%064d', 0));
END
"""

_HEAD = (
    """
CREATE TRIGGER log_head_forward BEFORE UPDATE ON log_head
WHEN NEW.seq <= OLD.seq OR NEW.log IS NOT OLD.log OR NEW.epoch IS NOT OLD.epoch
BEGIN SELECT RAISE(ABORT, 'P1: a log''s head only moves forward'); END
""",
    """
CREATE TRIGGER log_head_once BEFORE INSERT ON log_head
WHEN EXISTS (SELECT 1 FROM log_head WHERE log = NEW.log)
BEGIN SELECT RAISE(ABORT, 'P1: a log has one head'); END
""",
)


def trigger_statements(row_tables: tuple[str, ...]) -> Iterator[str]:
    """Every CREATE TRIGGER statement: what a file of this version holds."""
    yield from log_triggers()
    for table in row_tables:
        yield from row_triggers(table)


def log_triggers() -> Iterator[str]:
    """CREATE TRIGGER statements for the logs and their heads."""
    yield _OPERATOR_LOG
    yield _TENANT_LOG
    yield from _HEAD
    for log in ("operator_log", "tenant_log"):
        yield _refusing(log, "UPDATE", "P1", "an entry is never changed")
        yield _refusing(log, "DELETE", "P1", "an entry is never removed")
    yield _refusing("log_head", "DELETE", "P1", "a log''s head is never removed")


def _refusing(table: str, event: str, promise: str, words: str) -> str:
    return f"""
CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON "{table}"
BEGIN SELECT RAISE(ABORT, '{promise}: {words}'); END
"""


def row_triggers(table: str) -> Iterator[str]:
    """CREATE TRIGGER statements for a table of rows."""
    yield _refusing(table, "DELETE", "P2", f"a row of {table} is never removed")
    yield f"""
CREATE TRIGGER {table}_forward BEFORE UPDATE ON "{table}" WHEN NEW.rev <= OLD.rev OR NEW.id IS NOT OLD.id
BEGIN SELECT RAISE(ABORT, 'P2: a row of {table} changes only under a new revision'); END
"""
    yield f"""
CREATE TRIGGER {table}_once BEFORE INSERT ON "{table}" WHEN EXISTS (SELECT 1 FROM "{table}" WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'P2: a row of {table} with this key exists'); END
"""
