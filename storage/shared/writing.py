"""A Change under the lock, on SQLite: what stands now, what the guards say, the entries with their twins, the rows
(contracts of `SharedDatabase.apply`; design.md, "The core idea").

Everything is read by one statement, everything is decided and composed in memory, and one statement a table writes it:
the lock is held for a handful of hops.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from storage.errors import ClockSkew, Corrupt, Stale
from storage.log.entry import OPERATOR, Head, compose, leaf_hash, tenant_log
from storage.models.row import Json, canonical, digest, parse_time, row_type, time_text
from storage.shared.change import Applied, Change
from storage.shared.connections import Transaction, Values
from storage.shared.guards import check_all
from storage.shared.guards.case import Case, EntryKey, Key, Limits, Wanted, wanted

COMMAND = "command"
_HEAD, _LAST, _DISPUTED = "log head", "last entry", "disputed entry"  # never the name of a table
SKEW = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands under the lock: heads by log name, the newest entry's time, the rows asked for, and the
    answer that this command id got before; the disputed entries of tenants' own logs."""

    heads: dict[str, Head]
    last_at: datetime | None
    found: dict[Key, tuple[int, str]]
    answered: dict[str, Any] | None
    entries: dict[EntryKey, str] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        return self.heads[OPERATOR]


@dataclass(slots=True)
class Plan:
    """What will be written: entries, twins, rows (key → rev, image) and the new heads."""

    entries: list[tuple[int, bytes, str]] = field(default_factory=list)
    twins: list[tuple[str, int, bytes, str]] = field(default_factory=list)
    rows: dict[Key, tuple[int, str]] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)


def apply_change(
    transaction: Transaction, change: Change, now: datetime, limits: Limits, shut: frozenset[str] = frozenset()
) -> Applied:
    """Apply a Change inside an open write transaction; `shut`: tenants whose switch is on, though not recorded yet.
    Raises ClockSkew, Stale, GuardRefused, Corrupt."""
    needed = wanted(change)
    ground = read_ground(transaction, change, needed)
    if ground.answered is not None:
        return _repeated(ground.answered)
    if abs(change.at - now) > SKEW:
        raise ClockSkew(f"the command is dated {(change.at - now).total_seconds():+.1f} s off the shared clock")
    _check_reads(change, ground.found)
    check_all(Case(change, now, limits, ground.found, shut, ground.entries))
    return write_change(transaction, change, ground, now)


def write_change(transaction: Transaction, change: Change, ground: Ground, now: datetime) -> Applied:
    """Compose and write, without asking guards: for `apply_change`, and for the step-up's own step."""
    at = now if ground.last_at is None else max(now, ground.last_at)
    plan = composed(change, ground, at)
    _write(transaction, plan, ground)
    return Applied(plan.entries[-1][0], at, dict(change.answer))


def _repeated(answered: dict[str, Any]) -> Applied:
    return Applied(answered["last"], parse_time(answered["at"]), dict(answered["answer"]), repeated=True)


def _check_reads(change: Change, found: dict[Key, tuple[int, str]]) -> None:
    for read in change.reads:
        rev, _ = found.get((read.table, read.key), (0, ""))
        if rev != read.rev:
            raise Stale(f"{read.table} {read.key} has changed since it was read (rev {read.rev}, now {rev})")


def read_ground(transaction: Transaction, change: Change, needed: Wanted) -> Ground:
    """One statement for everything: heads, the newest entry, the command id, and the wanted rows."""
    logs = [OPERATOR, *sorted({tenant_log(e.tenant) for e in change.entries if e.tenant is not None})]
    asked: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for table, key in needed.keys:
        asked[table]["id IN ({})"].append(key)
    if needed.tenants:
        asked["contact"]["tenant_id IN ({})"].extend(needed.tenants)
    if needed.requests:
        asked["decision"]["request_id IN ({})"].extend(needed.requests)
    if needed.shut:
        asked["session"]["tenant_id IN ({}) AND ended_at IS NULL"].extend(needed.shut)
    if needed.closed:
        asked["request"]["tenant_id IN ({}) AND state IN ('declared', 'cooling')"].extend(needed.closed)
    if needed.on_call_at is not None:
        asked["on_call_shift"]["ends_at > {}"].append(time_text(needed.on_call_at - SKEW))
    parts = [
        f"SELECT '{_HEAD}', log, seq, lower(hex(hash)) FROM log_head WHERE log IN ({_marks(logs)})",
        f"SELECT '{_LAST}', lower(hex(hash)), seq, at FROM operator_log"
        " WHERE seq = (SELECT max(seq) FROM operator_log)",
        f"SELECT '{COMMAND}', id, rev, image FROM command WHERE id = ?",
    ]
    values: list[str | int] = [*logs, change.id]
    for table, clauses in asked.items():
        row_type(table)  # a table of ours, or KeyError: the name goes into SQL
        where = " OR ".join(clause.format(_marks(keys)) for clause, keys in clauses.items())
        parts.append(f"SELECT '{table}', id, rev, image FROM \"{table}\" WHERE {where}")
        for keys in clauses.values():
            values += keys
    for tenant_id, seq in needed.disputed:
        parts.append(f"SELECT '{_DISPUTED}', tenant_id, seq, body FROM tenant_log WHERE tenant_id = ? AND seq = ?")
        values += [tenant_id, seq]
    return _sorted_out(transaction.rows(" UNION ALL ".join(parts), values))


def _marks(values: Iterable[str]) -> str:
    return ",".join("?" for _ in values)


def _sorted_out(rows: Iterable[tuple[str, str, int, str]]) -> Ground:
    """The answer of `read_ground`'s statement by what it is. Refuses to build on a log whose head disagrees with its
    newest entry: someone cut or added behind the program's back."""
    heads: dict[str, Head] = {}
    found: dict[Key, tuple[int, str]] = {}
    entries: dict[EntryKey, str] = {}
    last, last_at, answered = Head(), None, None
    for what, key, number, text in rows:
        if what == _HEAD:
            heads[key] = Head(number, text)
        elif what == _LAST:
            last, last_at = Head(number, key), parse_time(text)
        elif what == COMMAND:
            answered = json.loads(text)
        elif what == _DISPUTED:
            entries[key, number] = text
        else:
            found[what, key] = (number, text)
    if heads.get(OPERATOR) != last:
        raise Corrupt(
            f"the operator log ends at number {last.seq}, but its head says {heads.get(OPERATOR, Head()).seq}",
            "run `countersign audit verify --all`; nothing was changed",
        )
    return Ground(heads, last_at, found, answered, entries)


def composed(change: Change, ground: Ground, at: datetime) -> Plan:
    """Entries with their twins and row digests, all numbered and linked from the heads on."""
    plan = Plan(heads=dict(ground.heads))
    first = ground.head.seq + 1
    written: dict[int, list[tuple[Key, str]]] = defaultdict(list)
    for write in change.writes:
        written[write.entry].append(((write.row.TABLE, write.row.id), write.row.image()))
    written[0] += [((mail.TABLE, mail.id), mail.image()) for mail in change.mails]
    answer: dict[str, Json] = {
        "answer": dict(change.answer),
        "at": time_text(at),
        "id": change.id,
        "last": first + len(change.entries) - 1,
    }
    written[0].append(((COMMAND, change.id), canonical(answer)))
    for number in range(len(change.entries)):
        for key, image in written[number]:
            plan.rows[key] = (first + number, image)
        digests = sorted([table, key, digest(image)] for (table, key), image in written[number])
        _compose_entry(plan, change, number, digests, at)
    return plan


def _compose_entry(plan: Plan, change: Change, number: int, digests: list[list[str]], at: datetime) -> None:
    """One entry of the operator log, and before it, where it concerns a tenant, its twin: the twin names the entry's
    number, the entry names the twin's number and hash."""
    draft = change.entries[number]
    head = plan.heads[OPERATOR]
    seq = head.seq + 1
    ref: dict[str, Json] | None = None
    if draft.tenant is not None:
        log = tenant_log(draft.tenant)
        before = plan.heads.get(log, Head())
        twin = compose(
            draft,
            log=log,
            seq=before.seq + 1,
            prev=before.hash,
            at=at,
            actor=change.actor,
            change=change.id,
            rows=None,
            ref={"log": OPERATOR, "seq": seq},
            seen=None,
        )
        twin_hash = leaf_hash(twin)
        plan.twins.append((draft.tenant, before.seq + 1, twin_hash, twin))
        plan.heads[log] = Head(before.seq + 1, twin_hash.hex())
        ref = {"log": log, "seq": before.seq + 1, "hash": twin_hash.hex()}
    body = compose(
        draft,
        log=OPERATOR,
        seq=seq,
        prev=head.hash,
        at=at,
        actor=change.actor,
        change=change.id,
        rows=digests,
        ref=ref,
        seen=change.seen,
    )
    entry_hash = leaf_hash(body)
    plan.entries.append((seq, entry_hash, body))
    plan.heads[OPERATOR] = Head(seq, entry_hash.hex())


def _write(transaction: Transaction, plan: Plan, ground: Ground) -> None:
    """Entries first, then rows, then heads: one statement a table and kind."""
    transaction.write("INSERT INTO operator_log (seq, hash, body) VALUES (?, ?, ?)", plan.entries)
    if plan.twins:
        transaction.write("INSERT INTO tenant_log (tenant_id, seq, hash, body) VALUES (?, ?, ?, ?)", plan.twins)
    fresh: dict[str, list[Values]] = defaultdict(list)
    changed: dict[str, list[Values]] = defaultdict(list)
    for (table, key), (rev, image) in plan.rows.items():
        if (table, key) in ground.found:
            changed[table].append((image, rev, key))
        else:
            fresh[table].append((key, image, rev))
    for table, many in fresh.items():
        transaction.write(f'INSERT INTO "{table}" (id, image, rev) VALUES (?, ?, ?)', many)
    for table, many in changed.items():
        transaction.write(f'UPDATE "{table}" SET image = ?, rev = ? WHERE id = ?', many)
    moved: list[Values] = []
    born: list[Values] = []
    for log, head in plan.heads.items():
        if log in ground.heads:
            moved.append((head.seq, bytes.fromhex(head.hash), log))
        else:
            born.append((log, head.seq, bytes.fromhex(head.hash), OPERATOR))
    transaction.write("UPDATE log_head SET seq = ?, hash = ? WHERE log = ?", moved)
    if born:
        transaction.write(
            "INSERT INTO log_head (log, epoch, seq, hash) SELECT ?, epoch, ?, ? FROM log_head WHERE log = ?", born
        )
