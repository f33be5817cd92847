"""Every way we know to falsify the shared file, each with what a verifier must say: which log, which number, what."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from storage.log.verify import Fault
from tests.sync.behind import Intruder


@dataclass(frozen=True)
class Expected:
    """A fault that must be among those reported."""

    log: str
    seq: int
    words: str

    def among(self, faults: tuple[Fault, ...]) -> bool:
        return any(f.log == self.log and f.seq == self.seq and re.search(self.words, f.what) for f in faults)


def one_byte(behind: Intruder) -> Expected:
    body = str(behind.ask("SELECT body FROM operator_log WHERE seq = 12")[0][0])
    place = body.index('"at":"') + 20
    changed = body[:place] + chr(ord(body[place]) ^ 1) + body[place + 1 :]
    behind.run(("UPDATE operator_log SET body = ? WHERE seq = 12", (changed,)))
    return Expected("operator", 12, "bytes do not have the stored hash")


def one_byte_that_is_no_text(behind: Intruder) -> Expected:
    body = str(behind.ask("SELECT body FROM operator_log WHERE seq = 12")[0][0]).encode()
    place = body.index(b'"at":"') + 20
    changed = body[:place] + b"\xff" + body[place + 1 :]
    behind.run(("UPDATE operator_log SET body = CAST(? AS TEXT) WHERE seq = 12", (changed,)))
    return Expected("operator", 12, "bytes do not have the stored hash")


def one_byte_of_a_tenants_entry(behind: Intruder) -> Expected:
    body = str(behind.ask("SELECT body FROM tenant_log WHERE tenant_id = 'acme' AND seq = 3")[0][0])
    changed = body.replace('"v":1', '"v":3')
    behind.run(("UPDATE tenant_log SET body = ? WHERE tenant_id = 'acme' AND seq = 3", (changed,)))
    return Expected("tenant:acme", 3, "bytes do not have the stored hash")


def a_stored_hash(behind: Intruder) -> Expected:
    behind.run("UPDATE operator_log SET hash = randomblob(32) WHERE seq = 5")
    return Expected("operator", 5, "bytes do not have the stored hash")


def an_entry_deleted(behind: Intruder) -> Expected:
    behind.run("DELETE FROM operator_log WHERE seq = 9")
    return Expected("operator", 9, "the entry is missing")


def a_tenants_entry_deleted(behind: Intruder) -> Expected:
    behind.run("DELETE FROM tenant_log WHERE tenant_id = 'acme' AND seq = 2")
    return Expected("tenant:acme", 2, "the entry is missing")


def two_entries_swapped(behind: Intruder) -> Expected:
    behind.run(
        "UPDATE operator_log SET seq = -9 WHERE seq = 9",
        "UPDATE operator_log SET seq = 9 WHERE seq = 10",
        "UPDATE operator_log SET seq = 10 WHERE seq = -9",
    )
    return Expected("operator", 9, "its body says number 10")


def two_bodies_swapped(behind: Intruder) -> Expected:
    (ninth,), (tenth,) = behind.ask("SELECT body FROM operator_log WHERE seq IN (9, 10) ORDER BY seq")
    behind.run(
        ("UPDATE operator_log SET body = ? WHERE seq = 9", (tenth,)),
        ("UPDATE operator_log SET body = ? WHERE seq = 10", (ninth,)),
    )
    return Expected("operator", 10, "its body says number 9")


def _cut(behind: Intruder) -> tuple[int, int]:
    """The last number, and the one at which the log is cut: the story ends with views of one session."""
    ((last,),) = behind.ask("SELECT max(seq) FROM operator_log")
    assert isinstance(last, int)
    return last, last - 3


def the_tail_cut(behind: Intruder) -> Expected:
    last, end = _cut(behind)
    behind.run(f"DELETE FROM operator_log WHERE seq > {end}")
    return Expected("operator", last, f"the log (now )?ends at (number )?{end}")


def the_tail_cut_and_the_heads_set_back(behind: Intruder) -> Expected:
    """As if the last views had never happened: rows, both logs and all heads agree with each other."""
    last, end = _cut(behind)
    behind.run(
        f"DELETE FROM session_view WHERE rev > {end}",
        f"DELETE FROM command WHERE rev > {end}",
        f"DELETE FROM tenant_log WHERE operator_seq > {end}",
        f"DELETE FROM operator_log WHERE seq > {end}",
        f"UPDATE log_head SET seq = {end}, hash = (SELECT hash FROM operator_log WHERE seq = {end})"
        " WHERE log = 'operator'",
        "UPDATE log_head SET (seq, hash) = (SELECT seq, hash FROM tenant_log WHERE tenant_id = 'acme'"
        " ORDER BY seq DESC LIMIT 1) WHERE log = 'tenant:acme'",
    )
    return Expected("operator", last, f"this console saw number {last}, the log now ends at {end}")


def a_tenants_tail_cut_and_its_head_set_back(behind: Intruder) -> Expected:
    ((last,),) = behind.ask("SELECT max(seq) FROM tenant_log WHERE tenant_id = 'acme'")
    assert isinstance(last, int)
    behind.run(
        f"DELETE FROM tenant_log WHERE tenant_id = 'acme' AND seq = {last}",
        "UPDATE log_head SET (seq, hash) = (SELECT seq, hash FROM tenant_log WHERE tenant_id = 'acme'"
        " ORDER BY seq DESC LIMIT 1) WHERE log = 'tenant:acme'",
    )
    return Expected("tenant:acme", last, f"this console saw number {last}")


def history_rewritten(behind: Intruder) -> Expected:
    """One reason changed in both logs, every later entry hashed and linked anew, heads and all: perfect in itself."""
    operator, acme, statements = "0" * 64, "0" * 64, list[tuple[str, tuple[object, ...]]]()
    for seq, text in behind.ask("SELECT seq, body FROM operator_log ORDER BY seq"):
        body = json.loads(str(text))
        if "reason" in body:
            body["reason"] = "nothing to see here"
        body["prev"] = operator
        if body.get("tenant") == "acme":
            ((twin_text,),) = behind.ask(
                "SELECT body FROM tenant_log WHERE tenant_id = 'acme' AND seq = ?", body["ref"]["seq"]
            )
            twin = json.loads(str(twin_text))
            if "reason" in twin:
                twin["reason"] = "nothing to see here"
            twin["prev"] = acme
            twin_text, acme = _sealed(twin)
            body["ref"]["hash"] = acme
            change = "UPDATE tenant_log SET body = ?, hash = ? WHERE tenant_id = 'acme' AND seq = ?"
            statements.append((change, (twin_text, bytes.fromhex(acme), twin["seq"])))
        text, operator = _sealed(body)
        statements.append(
            ("UPDATE operator_log SET body = ?, hash = ? WHERE seq = ?", (text, bytes.fromhex(operator), seq))
        )
    statements += [
        ("UPDATE log_head SET hash = ? WHERE log = 'operator'", (bytes.fromhex(operator),)),
        ("UPDATE log_head SET hash = ? WHERE log = 'tenant:acme'", (bytes.fromhex(acme),)),
    ]
    behind.run(*statements)
    assert isinstance(seq, int)
    return Expected("operator", seq, "this console (saw|has seen) another entry under (this )?number")


def _sealed(body: dict[str, object]) -> tuple[str, str]:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text, hashlib.sha256(b"\0" + text.encode()).hexdigest()


def a_heads_hash(behind: Intruder) -> Expected:
    ((last,),) = behind.ask("SELECT seq FROM log_head WHERE log = 'operator'")
    behind.run("UPDATE log_head SET hash = randomblob(32) WHERE log = 'operator'")
    assert isinstance(last, int)
    return Expected("operator", last, "head's hash is not (the last|this) entry's hash|another entry|no longer there")


def a_head_set_forward(behind: Intruder) -> Expected:
    ((last,),) = behind.ask("SELECT seq FROM log_head WHERE log = 'operator'")
    behind.run("UPDATE log_head SET seq = seq + 5 WHERE log = 'operator'")
    assert isinstance(last, int)
    return Expected("operator", last + 5, f"the log ends at number {last}")


def a_head_set_back(behind: Intruder) -> Expected:
    ((last,),) = behind.ask("SELECT seq FROM log_head WHERE log = 'operator'")
    behind.run("UPDATE log_head SET seq = seq - 5 WHERE log = 'operator'")
    assert isinstance(last, int)
    return Expected("operator", last, f"recorded head is number {last - 5}")


def a_tenants_head_set_back(behind: Intruder) -> Expected:
    ((last,),) = behind.ask("SELECT seq FROM log_head WHERE log = 'tenant:zeta'")
    behind.run("UPDATE log_head SET seq = seq - 1 WHERE log = 'tenant:zeta'")
    assert isinstance(last, int)
    return Expected("tenant:zeta", last, f"recorded head is number {last - 1}")


def a_tenants_head_deleted(behind: Intruder) -> Expected:
    ((last,),) = behind.ask("SELECT seq FROM log_head WHERE log = 'tenant:zeta'")
    behind.run("DELETE FROM log_head WHERE log = 'tenant:zeta'")
    assert isinstance(last, int)
    return Expected("tenant:zeta", last, "recorded head")


def an_entry_slipped_into_a_tenants_log(behind: Intruder) -> Expected:
    """Well linked and hashed, the head moved on: only the operator log knows nothing of it."""
    ((seq, entry_hash, text),) = behind.ask(
        "SELECT seq, hash, body FROM tenant_log WHERE tenant_id = 'zeta' ORDER BY seq DESC LIMIT 1"
    )
    body = json.loads(str(text))
    assert isinstance(seq, int) and isinstance(entry_hash, bytes)
    text, sealed = _sealed({**body, "seq": seq + 1, "prev": entry_hash.hex()})
    behind.run(
        ("INSERT INTO tenant_log (tenant_id, seq, hash, body) VALUES ('zeta', ?, ?, ?)",
         (seq + 1, bytes.fromhex(sealed), text)),
        ("UPDATE log_head SET seq = ?, hash = ? WHERE log = 'tenant:zeta'", (seq + 1, bytes.fromhex(sealed))),
    )  # fmt: skip
    return Expected("tenant:zeta", seq + 1, "no entry of the operator log names it|last entry is number")


def another_epoch(behind: Intruder) -> Expected:
    behind.run("UPDATE log_head SET epoch = 'another'")
    return Expected("operator", 0, "another one, another")


LOGS: tuple[Callable[[Intruder], Expected], ...] = (
    one_byte,
    one_byte_that_is_no_text,
    one_byte_of_a_tenants_entry,
    a_stored_hash,
    an_entry_deleted,
    a_tenants_entry_deleted,
    two_entries_swapped,
    two_bodies_swapped,
    the_tail_cut,
    the_tail_cut_and_the_heads_set_back,
    a_tenants_tail_cut_and_its_head_set_back,
    history_rewritten,
    a_heads_hash,
    a_head_set_forward,
    a_head_set_back,
    a_tenants_head_set_back,
    a_tenants_head_deleted,
    an_entry_slipped_into_a_tenants_log,
    another_epoch,
)


def row_edited(behind: Intruder, table: str) -> Expected:
    ((key, rev),) = behind.ask(f"SELECT id, rev FROM {table} ORDER BY id LIMIT 1")
    behind.run((f"UPDATE {table} SET image = json_set(image, '$.id', 'other') WHERE id = ?", (key,)))
    assert isinstance(rev, int)
    return Expected("operator", rev, f"table {table}, row {key}: its image is not")


def row_deleted(behind: Intruder, table: str) -> Expected:
    ((key, rev),) = behind.ask(f"SELECT id, rev FROM {table} ORDER BY id DESC LIMIT 1")
    behind.run((f"DELETE FROM {table} WHERE id = ?", (key,)))
    assert isinstance(rev, int)
    return Expected("operator", rev, f"table {table}, row {key}: the row that this entry vouches for is")


def row_inserted(behind: Intruder, table: str) -> Expected:
    ((image,),) = behind.ask(f"SELECT image FROM {table} LIMIT 1")
    behind.run((f"INSERT INTO {table} (id, image, rev) VALUES ('sneaked-in', ?, 7)", (image,)))
    return Expected("operator", 7, f"table {table}, row sneaked-in: no entry vouches")


def row_inserted_ahead_of_the_log(behind: Intruder, table: str) -> Expected:
    ((image,),) = behind.ask(f"SELECT image FROM {table} LIMIT 1")
    behind.run((f"INSERT INTO {table} (id, image, rev) VALUES ('sneaked-in', ?, 900)", (image,)))
    return Expected("operator", 900, f"table {table}, row sneaked-in: no entry vouches")


def row_revision_moved(behind: Intruder, table: str) -> Expected:
    ((key, rev),) = behind.ask(f"SELECT id, rev FROM {table} ORDER BY id LIMIT 1")
    assert isinstance(rev, int)
    moved = rev - 1 if rev > 1 else rev + 1
    behind.run((f"UPDATE {table} SET rev = ? WHERE id = ?", (moved, key)))
    return Expected("operator", rev, f"table {table}, row {key}: its revision (was changed to|is) {moved}")


ROWS: tuple[Callable[[Intruder, str], Expected], ...] = (
    row_edited,
    row_deleted,
    row_inserted,
    row_inserted_ahead_of_the_log,
    row_revision_moved,
)
