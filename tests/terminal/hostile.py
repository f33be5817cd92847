"""A shared database as a hostile program would write it: chains, twins and digests all valid, every text poisoned.

No rule and no guard stands between: this is what a colleague with an SQLite library can put before our eyes.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.log.actions import Action
from storage.log.entry import GENESIS, OPERATOR, Draft, compose, leaf_hash, tenant_log
from storage.models import (
    Actor,
    ActorKind,
    Contact,
    ContactRole,
    Decision,
    DecisionKind,
    Exchange,
    Layer,
    Mode,
    Request,
    RequestState,
    Role,
    Row,
    Session,
    SessionView,
    Settings,
    Staff,
    Standing,
    Tenant,
    TenantMode,
    TenantStatus,
    ViewKind,
)
from storage.models.row import digest

POISONS = {
    "escape": "\x1b]52;c;RVZJTA==\x07\x1b[2J\x1b[31mEVIL-ESC",
    "c1": "\x9b31m\x9d0;EVIL-C1\x9c\x90q\x85",
    "bidi": "\u202eLIVE-IDIB\u2066\u2069\u200f",
    "markup": "[bold red]EVIL-MARK[/] [@click=app.quit]x[/] [link=http://evil]y[/link]",
    "long": "EVIL-LONG" + "x" * 10_000,
    "wide": "e" + "\u0301" * 300 + "漢字" * 30 + "👨\u200d👩\u200d👧",
    "nul": "EVIL\x00NUL\x7f\b\r\n\t\x0e",
    "hidden": "\U000e0041\u200bEVIL\ufeff\u2028\u2029\U000e0001\u3164",
    "dcs": "\x1bP$qm\x1b\\\x1b_Gi=1;AAAA\x1b\\\x1b[6n\x1b[c\x1bc",
}
ME = "ann@ops.example"


@dataclass
class Forger:
    """Writes entries and rows with a history that verifies."""

    database: sqlite3.Connection
    at: datetime
    seq: int = 0
    prev: str = GENESIS

    def __post_init__(self) -> None:
        self.tenants: dict[str, tuple[int, str]] = {}

    def enter(self, draft: Draft, actor: Actor, *rows: Row) -> None:
        """One entry, its twin, and the rows it vouches for."""
        self.seq += 1
        self.at += timedelta(milliseconds=10)
        listed = sorted([row.TABLE, row.id, digest(row.image())] for row in rows)
        change = f"forged-{self.seq}"
        ref = None
        if draft.tenant is not None:
            log = tenant_log(draft.tenant)
            number, prev = self.tenants.get(draft.tenant, (0, GENESIS))
            twin_ref = {"log": OPERATOR, "seq": self.seq}
            twin = compose(
                draft, log=log, seq=number + 1, prev=prev, at=self.at, actor=actor, change=change, rows=None,
                ref=twin_ref, seen=None,
            )  # fmt: skip
            self.tenants[draft.tenant] = (number + 1, leaf_hash(twin).hex())
            self.database.execute(
                "INSERT INTO tenant_log (tenant_id, seq, hash, body) VALUES (?, ?, ?, ?)",
                (draft.tenant, number + 1, leaf_hash(twin), twin),
            )
            ref = {"log": log, "seq": number + 1, "hash": leaf_hash(twin).hex()}
        body = compose(
            draft, log=OPERATOR, seq=self.seq, prev=self.prev, at=self.at, actor=actor, change=change, rows=listed,
            ref=ref, seen=None,
        )  # fmt: skip
        self.prev = leaf_hash(body).hex()
        self.database.execute(
            "INSERT INTO operator_log (seq, hash, body) VALUES (?, ?, ?)", (self.seq, leaf_hash(body), body)
        )
        for row in rows:
            self.database.execute(
                f'INSERT OR REPLACE INTO "{row.TABLE}" (id, image, rev) VALUES (?, ?, ?)',
                (row.id, row.image(), self.seq),
            )

    def heads(self) -> None:
        """Record where each log ends."""
        (epoch,) = self.database.execute("SELECT epoch FROM log_head WHERE log = ?", (OPERATOR,)).fetchone()
        everything = {OPERATOR: (self.seq, self.prev)} | {tenant_log(t): head for t, head in self.tenants.items()}
        for log, (seq, hash) in everything.items():
            self.database.execute(
                "INSERT OR REPLACE INTO log_head (log, epoch, seq, hash) VALUES (?, ?, ?, ?)",
                (log, epoch, seq, bytes.fromhex(hash)),
            )


def poison(path: Path, now: datetime) -> None:
    """Fill the empty shared database at `path`: me, and for each poison a staff member, a tenant with people, requests,
    a running session with views, and entries that carry it in every field."""
    database = sqlite3.connect(path, isolation_level=None)
    triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    texts = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    database.execute("BEGIN")
    for (name,) in triggers:
        database.execute(f'DROP TRIGGER "{name}"')
    forger = Forger(database, now - timedelta(minutes=5))
    me = Staff("U-ANN", ME, "Ann Ops", Role.SUPER, None, now - timedelta(days=3), None)
    actor = Actor(ActorKind.STAFF, me.id, me.name, me.email)
    forger.enter(Draft(Action.STAFF_ADDED), actor, me, Standing(me.id, None, None, ()))
    for number, (name, text) in enumerate(POISONS.items()):
        _poisoned_tenant(forger, number, name, text, now)
    forger.heads()
    for sql in texts.values():
        database.execute(sql)
    database.execute("COMMIT")
    database.close()


def _poisoned_tenant(forger: Forger, number: int, name: str, text: str, now: datetime) -> None:
    tenant_id, staff_id = f"t{number}{text[:3]}", f"U-EV{number}"
    session_id, request_id = f"S-EV{number}", f"R-EV{number}"
    key = text if text.isascii() else "evil\x1b[2Jkey"  # names of fields are ASCII in an entry's domain
    evil = Actor(ActorKind.STAFF, staff_id, text, f"{text}@ops.example", ip=text[:60])
    staff = Staff(staff_id, f"{name}{text}@ops.example", text, Role.ENGINEER, None, now - timedelta(days=3), None)
    target, admin = f"{tenant_id}/u", f"{tenant_id}/a"
    contacts = (
        Contact(admin, tenant_id, text, f"{text}@x.example", (ContactRole.TENANT_ADMIN,)),
        Contact(target, tenant_id, text, f"{text}@x.example", (ContactRole.USER,)),
    )
    tenant = Tenant(tenant_id, text, text, TenantStatus.ACTIVE, (admin, target))
    settings = Settings(tenant_id, mode=TenantMode.DEFAULT, changed_at=now - timedelta(days=1), changed_by=text)
    forger.enter(Draft(Action.STAFF_ADDED, data={"email": text}), evil, staff)
    forger.enter(Draft(Action.TENANT_IMPORTED, tenant=tenant_id, data={key: text}), evil, tenant, settings, *contacts)
    asked = Request(
        request_id, tenant_id, target, text, text, text, 2, Mode.READ_ONLY, 30, False, (), text, staff_id,
        now - timedelta(minutes=4), now + timedelta(hours=23), hashlib.sha256(b"x").hexdigest(),
        exchanges=(Exchange("question", admin, text, now - timedelta(minutes=3), text),),
    )  # fmt: skip
    about = {"tenant": tenant_id, "target": target, "request": request_id, "ticket": text, "reason": text}
    forger.enter(Draft(Action.REQUEST_CREATED, **about, data={"scope": text}), evil, asked)
    used = replace(
        asked, id=request_id + "B", state=RequestState.USED, granted_minutes=30, decided_at=now, decided_by=admin,
        decision_note=text, session_id=session_id,
    )  # fmt: skip
    decision = Decision(
        f"D-EV{number}", used.id, tenant_id, DecisionKind.APPROVE, admin, text, now - timedelta(minutes=3), 30, text,
        used.content_digest,
    )  # fmt: skip
    forger.enter(Draft(Action.REQUEST_APPROVED, **about, before={key: text}, after={key: "new"}), evil, used, decision)
    session = Session(
        session_id, used.id, tenant_id, target, staff_id, text, Layer.CONSENT, Mode.READ_ONLY,
        now - timedelta(minutes=2), now + timedelta(minutes=28), records_seen=3, views=1, last_viewed=text,
    )  # fmt: skip
    view = SessionView(
        f"V-EV{number}",
        session_id,
        tenant_id,
        ViewKind.RECORD,
        text,
        (text,),
        3,
        now - timedelta(minutes=1),
        text,
        False,
    )
    viewed = {"name": text, "fields": [text], "count": 3, "within_scope": False}
    forger.enter(Draft(Action.VIEWED_RECORD, **about, session=session_id, data=viewed), evil, session, view)


def prepare_home(home: Path, template: Path) -> None:
    """A home whose shared database is poisoned, and in which I am Ann."""
    data, state = home / "data", home / "state"
    data.mkdir(parents=True)
    state.mkdir()
    shared = data / "shared.db"
    shared.write_bytes(template.read_bytes())
    poison(shared, datetime.now(UTC))
    (state / "identity").write_text(ME + "\n", encoding="utf-8")
