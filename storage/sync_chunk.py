"""One pulled chunk, verified against what this replica already verified, then applied in one transaction.

Everything is checked before anything is written: the chunk continues our position; numbers, links and hashes of the
operator log; every twin in its tenant's own chain; every row against the digest that the entry of its revision lists.
Where the chain breaks, what came before the break is still taken: the console shows all that can be vouched for, and
nothing behind the break. A row that does not match its digest is left out; the entries stand for themselves.
"""

from __future__ import annotations

import sqlite3

from storage.evidence import Finding
from storage.log.chain import (
    GENESIS,
    Body,
    Fault,
    Link,
    check_entry,
    check_gap,
    check_twins,
    head_words,
    sound_body,
    sound_twins,
)
from storage.log.entry import OPERATOR
from storage.replica.bulk import (
    DIGEST,
    LATEST_DIGEST,
    LATEST_HEAD,
    LATEST_PENDING,
    LATEST_ROW,
    LOG_HEAD,
    OPERATOR_LOG,
    PENDING,
    TENANT_LOG,
    insert,
    row_table,
)
from storage.replica.soundness import ReplicaDamaged, check_heads
from storage.shared.interface import Position, Pulled, StoredEntry
from storage.sync_checked import Checked, LinkOf, check_rows, public_tables, row_words
from storage.sync_quick import sound_entries
from storage.witness import Witness


def check(connection: sqlite3.Connection, position: Position | None, pulled: Pulled, witness: Witness) -> Checked:
    """Verify a chunk that was pulled from `position`, reading the replica for what it follows on. Raises ReplicaDamaged
    when what looks like a fork is the replica's own fault."""
    link = Link() if position is None else Link(position.head.seq, position.head.hash)
    finding = _discontinuity(connection, position, pulled, witness)
    if finding is not None:
        check_heads(connection)
        return Checked(pulled.epoch, link, findings=[finding], broken=True)
    checked = check_entries(pulled, link, lambda log: _link_of(connection, log), witness)
    if not checked.broken:
        _check_end(pulled, witness, checked)
    if checked.broken:
        check_heads(connection)
    check_rows(pulled.rows, checked)
    return checked


def check_entries(pulled: Pulled, link: Link, link_of: LinkOf, witness: Witness) -> Checked:
    """The entries of a chunk that follows `link`, with their twins: at a glance if all of them are plainly sound, else
    one by one up to the first fault."""
    checked = sound_entries(pulled, link, link_of, witness)
    if checked is None:
        checked = Checked(pulled.epoch, link)
        _check_entries(link_of, pulled, witness, checked)
    return checked


def _discontinuity(
    connection: sqlite3.Connection, position: Position | None, pulled: Pulled, witness: Witness
) -> Finding | None:
    """How the shared history fails to continue what this console had verified (design.md, "Sync is pull")."""
    seen = position.epoch if position is not None else witness.epoch
    if seen is not None and seen != pulled.epoch:
        if witness.epoch == pulled.epoch:
            raise ReplicaDamaged("it was damaged: it names another history than this console ever followed")
        words = f"this console follows the history {seen}, the shared database now holds another one, {pulled.epoch}"
        return Finding(Fault(OPERATOR, 0, words), {"epoch": seen}, {"epoch": pulled.epoch})
    if position is None or position.head.seq == 0:
        return None
    seq, known = position.head.seq, position.head.hash
    if pulled.anchor is not None and pulled.anchor.hex() == known:
        return None
    mine = connection.execute("SELECT body FROM operator_log WHERE seq = ?", (seq,)).fetchone()
    expected: dict[str, str | int | None] = {"seq": seq, "hash": known, "body": mine[0] if mine else None}
    found: dict[str, str | int | None] = {"head": pulled.head.seq, "head_hash": pulled.head.hash}
    if pulled.anchor is None:
        words = f"this console saw number {seq}, the log now ends at {pulled.head.seq}"
        if pulled.head.seq >= seq:
            words = f"this console saw number {seq}; the entry is no longer there"
    else:
        words = f"this console saw another entry under number {seq}: the history was rewritten"
        found["hash"] = pulled.anchor.hex()
    return Finding(Fault(OPERATOR, seq, words), expected, found)


def _check_entries(link_of: LinkOf, pulled: Pulled, witness: Witness, checked: Checked) -> None:
    """Take entries, each with its twin, up to the first fault."""
    twins = {(entry.log, entry.seq): entry for entry in pulled.tenant_entries}
    for entry in pulled.entries:
        _, seq, entry_hash, text = entry
        link_hash, wrong = entry_hash.hex(), ""
        sound = sound_body(OPERATOR, seq, entry_hash, text, checked.link)
        body = sound or {}
        if sound is None:
            gap = check_gap(OPERATOR, entry, checked.link)
            if gap is not None:
                return _break(checked, gap, {"after": checked.link.seq}, _stored(entry))
            body, wrong = check_entry(OPERATOR, entry, checked.link)
        if not wrong and witness.contradicts(OPERATOR, seq, link_hash):
            wrong = "this console has seen another entry under this number: the history was rewritten"
        if wrong:
            return _break(checked, Fault(OPERATOR, seq, wrong), {"prev": checked.link.hash}, _stored(entry))
        try:
            listed = [((str(table), str(key)), bytes.fromhex(sha256)) for table, key, sha256 in body.get("rows", ())]
            fault = _check_twin(link_of, entry, body, twins, witness, checked)
        except (
            AttributeError,
            TypeError,
            ValueError,
        ):  # a body that hashes well, but was written by no program of ours
            fault = Fault(OPERATOR, entry.seq, "its `rows` or its `ref` cannot be read")
        if fault is not None:
            found = twins.get((fault.log, fault.seq))
            return _break(checked, fault, _stored(entry), _stored(found) if found else {})
        checked.entries.append(entry)
        checked.link = Link(seq, link_hash)
        for row_key, sha256 in listed:
            checked.digests[row_key] = (seq, sha256)
    for entry in checked.twins:
        twins.pop((entry.log, entry.seq), None)
    for entry in twins.values():
        fault = Fault(entry.log, entry.seq, "no entry of the operator log names it as its twin")
        checked.findings.append(Finding(fault, {}, _stored(entry)))


def _check_twin(
    link_of: LinkOf,
    entry: StoredEntry,
    body: Body,
    twins: dict[tuple[str, int], StoredEntry],
    witness: Witness,
    checked: Checked,
) -> Fault | None:
    """The tenant's half of an entry: in its place in that tenant's chain, naming and named (REQ-402)."""
    ref, tenant = body.get("ref"), body.get("tenant")
    if ref is None:
        if tenant is None:
            return None
        return Fault(OPERATOR, entry.seq, f"it concerns tenant {tenant}, but names no entry of that tenant's log")
    log, seq = str(ref.get("log")), int(ref.get("seq", 0))
    if log != f"tenant:{tenant}":
        return Fault(OPERATOR, entry.seq, f"it concerns tenant {tenant}, but its twin is said to be in log {log}")
    twin = twins.get((log, seq))
    if twin is None:
        return Fault(log, seq, f"the entry is missing; operator number {entry.seq} names it as its twin")
    before = checked.tenant_links.get(log) or link_of(log)
    twin_hash, wrong = twin.hash.hex(), ""
    sound = sound_body(log, seq, twin.hash, twin.body, before)
    if sound is None or not sound_twins(entry.seq, body, twin_hash, sound):
        gap = check_gap(log, twin, before)
        if gap is not None:
            return gap
        twin_body, wrong = check_entry(log, twin, before)
        wrong = wrong or check_twins(entry.seq, body, twin_hash, twin_body)
    if not wrong and witness.contradicts(log, seq, twin_hash):
        wrong = "this console has seen another entry under this number: the history was rewritten"
    if wrong:
        return Fault(log, seq, wrong)
    checked.tenant_links[log] = Link(seq, twin_hash)
    checked.twins.append(twin)
    return None


def _check_end(pulled: Pulled, witness: Witness, checked: Checked) -> None:
    """At the end of the log: the last entry is the head's, and nothing that was seen before is gone."""
    head, last = pulled.head, checked.link
    if pulled.more and checked.entries and last.seq < head.seq:
        return
    wrong = head_words(last, head)
    if wrong:
        _break(checked, Fault(OPERATOR, max(last.seq, head.seq), wrong), _link(last), {"head": head.seq})
    seen = witness.head(OPERATOR)
    if seen is not None and seen.seq > last.seq:
        words = f"this console saw number {seen.seq}, the log now ends at {last.seq}"
        _break(checked, Fault(OPERATOR, seen.seq, words), {"seq": seen.seq, "hash": seen.hash}, _link(last))


def missing_rows(connection: sqlite3.Connection) -> list[Finding]:
    """Digests whose row never came although the head is reached."""
    found = connection.execute(
        "SELECT table_name, key, rev, hex(sha256) FROM pending CROSS JOIN digest USING (table_name, key, rev)"
        " LIMIT 1000"
    )
    return [
        Finding(
            Fault(OPERATOR, rev, row_words(table, key) + "the row that this entry vouches for is not there"),
            {"sha256": sha256.lower(), "rev": rev},
        )
        for table, key, rev, sha256 in found
    ]


def apply(connection: sqlite3.Connection, checked: Checked) -> None:
    """Write what was verified; the caller holds the transaction."""
    insert(connection, OPERATOR_LOG, [(one.seq, one.hash, one.body) for one in checked.entries])
    twins = [(one.log.removeprefix("tenant:"), one.seq, one.hash, one.body) for one in checked.twins]
    insert(connection, TENANT_LOG, twins)
    by_table: dict[str, list[tuple[str, str, int]]] = {}
    for row in checked.rows:
        by_table.setdefault(row.table, []).append((row.key, row.image, row.rev))
    for table, rows in by_table.items():
        insert(connection, row_table(table), sorted(rows), LATEST_ROW)
    _apply_digests(connection, checked)
    heads = [(log, checked.epoch, head.seq, bytes.fromhex(head.hash)) for log, head in checked.heads().items()]
    insert(connection, LOG_HEAD, heads, LATEST_HEAD)


def _apply_digests(connection: sqlite3.Connection, checked: Checked) -> None:
    """Keep what entries vouch for and the row tables do not hold: private rows, and those still on their way."""
    settled, public = checked.settled, public_tables()
    kept = [
        (*key, rev, sha256)
        for key, (rev, sha256) in checked.digests.items()
        if key[0] not in public or key not in settled
    ]
    insert(connection, DIGEST, sorted(kept), LATEST_DIGEST)
    awaited = set(connection.execute("SELECT table_name, key FROM pending"))
    arrived = sorted(awaited & settled)
    connection.executemany("DELETE FROM pending WHERE table_name = ? AND key = ?", arrived)
    connection.executemany(
        "DELETE FROM digest WHERE table_name = ? AND key = ?", [key for key in arrived if key[0] in public]
    )
    coming = [(*key, rev) for key, (rev, _) in checked.digests.items() if key not in settled]
    insert(connection, PENDING, coming, LATEST_PENDING)


def _link_of(connection: sqlite3.Connection, log: str) -> Link:
    found = connection.execute("SELECT seq, hash FROM log_head WHERE log = ?", (log,)).fetchone()
    return Link(0, GENESIS) if found is None else Link(found[0], found[1].hex())


def _break(
    checked: Checked, fault: Fault, expected: dict[str, str | int | None], found: dict[str, str | int | None]
) -> None:
    checked.findings.append(Finding(fault, expected, found))
    checked.broken = True


def _stored(entry: StoredEntry) -> dict[str, str | int | None]:
    return {"log": entry.log, "seq": entry.seq, "hash": entry.hash.hex(), "body": entry.body}


def _link(link: Link) -> dict[str, str | int | None]:
    return {"seq": link.seq, "hash": link.hash}
