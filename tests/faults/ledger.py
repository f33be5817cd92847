"""What the shared database holds, read without a line of the program's own code: entries, links, and what was done how
often. And whether a console's copy holds the same."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

GENESIS = "0" * 64
TABLES = (
    "request",
    "decision",
    "session",
    "session_view",
    "staff",
    "tenant",
    "contact",
    "settings",
    "standing",
    "mail",
)


@dataclass
class Ledger:
    """Reads on from where the last look ended. `done`: how often each named act stands in the database."""

    url: str
    seq: int = 0
    hash: str = GENESIS
    gaps: int = 0
    broken: int = 0

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.heads: dict[str, tuple[int, str]] = {}

    def connection(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, autocommit=True)

    def head(self) -> int:
        with self.connection() as connection:
            found = connection.execute("select seq from countersign.log_head where log = 'operator'").fetchone()
        assert found is not None
        return int(str(found[0]))

    def read_on(self) -> None:
        """Check every link of both kinds of logs, and count what was done."""
        with self.connection() as connection:
            connection.execute("begin isolation level repeatable read read only")
            entries = connection.execute(
                "select seq, hash, body from countersign.operator_log where seq > %s order by seq", (self.seq,)
            ).fetchall()
            after = self.seq
            for seq, entry_hash, body in entries:
                self._link("operator", int(str(seq)), bytes(entry_hash), str(body))  # type: ignore[arg-type]  # bytea
            self.seq, self.hash = self.heads.get("operator", (0, GENESIS))
            twins = connection.execute(
                "select tenant_id, seq, hash, body from countersign.tenant_log where operator_seq > %s"
                " order by tenant_id, seq",
                (after,),
            ).fetchall()
            for tenant, seq, entry_hash, body in twins:
                self._link(str(tenant), int(str(seq)), bytes(entry_hash), str(body))  # type: ignore[arg-type]  # bytea
            for (name,) in connection.execute(
                "select image::json ->> 'name' from countersign.session_view where rev > %s", (after,)
            ):
                self.done[str(name)] += 1
            for (tenant,) in connection.execute("select id from countersign.tenant where rev > %s", (after,)):
                self.done[str(tenant)] += 1
            recorded = dict(connection.execute("select log, seq from countersign.log_head").fetchall())
        for log, (seq, _) in self.heads.items():
            self.gaps += recorded[log if log == "operator" else f"tenant:{log}"] != seq

    def _link(self, log: str, seq: int, entry_hash: bytes, body: str) -> None:
        last, prev = self.heads.get(log, (0, GENESIS))
        self.gaps += seq != last + 1
        self.broken += hashlib.sha256(b"\0" + body.encode()).digest() != entry_hash or json.loads(body)["prev"] != prev
        self.heads[log] = (seq, entry_hash.hex())

    def differences(self, replica: Path, after: int = 0) -> list[str]:
        """What a console's copy has otherwise than the database, of revisions beyond `after`."""
        found = []
        with self.connection() as shared, closing(sqlite3.connect(f"file:{replica}?mode=ro", uri=True)) as copy:
            mine = copy.execute("SELECT seq, hash FROM operator_log WHERE seq > ? ORDER BY seq", (after,)).fetchall()
            theirs = shared.execute(
                "select seq, hash from countersign.operator_log where seq > %s order by seq", (after,)
            ).fetchall()
            if mine != [(seq, bytes(entry_hash)) for seq, entry_hash in theirs]:  # type: ignore[call-overload]  # bytea
                found.append(f"operator_log: {len(mine)} entries here, {len(theirs)} there")
            for table in TABLES:
                statement = f"SELECT id, rev, image FROM {table} WHERE rev > {after:d} ORDER BY id"
                here = sorted(copy.execute(statement).fetchall())
                there = sorted(shared.execute(statement.replace("FROM ", "FROM countersign.")).fetchall())  # type: ignore[arg-type]  # ours
                if here != there:
                    found.append(f"{table}: {len(set(here) ^ set(there))} rows differ")
        return found
