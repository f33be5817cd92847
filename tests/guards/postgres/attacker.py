"""Someone with a log-in and `psql`: what they can type, and how an attack is written down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from storage.models import Mail
from storage.models.row import parse_time, time_text
from storage.shared.change import new_change_id
from tests.guards.postgres.company import Company
from tests.postgres import cluster

Json = dict[str, Any]
Strike = Callable[[], object]
PRIVATE = ("credential", "command")


class Attacker:
    """A connection to a clone of the company, as one of its people, as a program, or as the superuser."""

    def __init__(self, company: Company, database: str, name: str) -> None:
        self.company, self.database, self.name = company, database, name
        self.line = psycopg.connect(cluster().url(database, company.role(name)), autocommit=True)
        self._god = psycopg.connect(cluster().url(database), autocommit=True)
        self._others: list[Attacker] = []

    def close(self) -> None:
        for one in (*(other.line for other in self._others), self.line, self._god):
            with suppress(psycopg.Error):
                one.close()
        for other in self._others:
            other._god.close()

    def another(self, name: str) -> Attacker:
        """A second connection, of the same or another person."""
        other = Attacker(self.company, self.database, name)
        self._others.append(other)
        return other

    def sql(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        done = self.line.execute(text, values or None)
        return done.fetchall() if done.description else []

    def as_superuser(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """For setting the scene."""
        done = self._god.execute(text, values or None)
        return done.fetchall() if done.description else []

    def now(self) -> str:
        return time_text(self.as_superuser("select clock_timestamp()")[0][0])

    def later(self, **by: int) -> str:
        return time_text(
            self.as_superuser(
                f"select clock_timestamp() + make_interval({', '.join(f'{k} => {v}' for k, v in by.items())})"
            )[0][0]
        )

    def row(self, table: str, key: str, **changes: object) -> Json:
        """A row as stored, with changes."""
        found = self.as_superuser(f'select image from countersign."{table}" where id = %s', key)
        return {**json.loads(found[0][0]), **changes}

    def stored(self, table: str, key: str) -> Json | None:
        """The row as it is, None where there is none."""
        found = self.as_superuser(f'select image from countersign."{table}" where id = %s', key)
        return json.loads(found[0][0]) if found else None

    def rev(self, table: str, key: str) -> int:
        found = self.as_superuser(f'select rev from countersign."{table}" where id = %s', key)
        return int(found[0][0]) if found else 0

    def me(self, step_up: str | None = None, name: str = "") -> Json:
        """The attacker as an actor (or somebody else as one)."""
        person = self.row("staff", self.company.people[name or self.name])
        return {
            "kind": "staff",
            "id": person["id"],
            "name": person["name"],
            "email": person["email"],
            "ip": "10.0.0.9",
            "step_up": step_up,
        }

    def maria(self) -> Json:
        admin = self.row("contact", "northwind/maria")
        return {
            "kind": "tenant_admin",
            "id": admin["id"],
            "name": admin["name"],
            "email": admin["email"],
            "ip": "10.0.0.9",
            "step_up": None,
        }

    def clock(self) -> Json:
        return {"kind": "system", "id": "clock", "name": "clock", "email": "", "ip": "10.0.0.9", "step_up": None}

    def proof(self, act: str) -> str:
        """A true code of the attacker's own, given for this act."""
        code = self.company.codes[self.name][-self._next()]
        (attempt,) = self.sql("select countersign.step_up_begin(%s, %s, '10.0.0.9')", code, act)[0]
        (answer,) = self.sql("select countersign.step_up(%s)", attempt)[0]
        assert answer["step_up"], answer
        return str(answer["step_up"])

    def _next(self) -> int:
        USED[self.database, self.name] += 1
        return USED[self.database, self.name]

    def spent(self, change: Json, key: str) -> tuple[str, Json, int]:
        """The write that uses a step-up up."""
        given = self.row("step_up", key)
        return "step_up", {**given, "used_by": [*given["used_by"], change["id"]]}, 0

    def change(
        self,
        actor: Json,
        entries: list[Json],
        *writes: tuple[str, Json, int],
        told: bool = True,
        true: bool = True,
        **more: object,
    ) -> Json:
        """A Change, by hand: everything written has been read, (`true`) entries say what is so where the attack says
        nothing itself, and (`told`) whoever must hear of it is written to."""
        change: Json = {
            "id": new_change_id(),
            "at": self.now(),
            "actor": actor,
            "entries": entries,
            "answer": {},
            "seen": None,
            **more,
        }
        rows = list(writes)
        if actor["step_up"]:
            rows.append(self.spent(change, actor["step_up"]))
        case = self.case(change, rows)
        for entry in entries if true else ():  # everything that is not the attack is in order
            self.make_true(case, entry)
        if told:
            rows += self.letters(case, change, rows)
        change.setdefault("writes", [[t, image["id"], canonical(image), entry] for t, image, entry in rows])
        change.setdefault("reads", [[t, image["id"], self.rev(t, image["id"])] for t, image, _ in rows])
        return change

    def case(self, change: Json, rows: list[tuple[str, Json, int]]) -> Json:
        """The Change as guards see it."""
        return {
            "change": change,
            "now": change["at"],
            "rows": [
                {"table": t, "key": image["id"], "entry": entry, "before": self.stored(t, image["id"]), "after": image}
                for t, image, entry in rows
            ],
            "places": {f"{table} {image['id']}": place for place, (table, image, _) in enumerate(rows, 1)},
        }

    def make_true(self, case: Json, entry: Json) -> None:
        """Whatever of its row an entry leaves out is filled in (P3); what the attack says itself stands."""
        ask = "select countersign.what_is_so(%s::jsonb, %s::jsonb)"
        with suppress(psycopg.Error):  # about nothing that there is
            so = self.as_superuser(ask, json.dumps(case), json.dumps(entry))[0][0]
            said = {**(so.get("data") or {}), **entry.get("data", {})}
            entry |= {name: so[name] for name in ("reason", "before", "after") if so.get(name) is not None} | dict(
                entry
            )
            if said:
                entry["data"] = said

    def letters(self, case: Json, change: Json, rows: list[tuple[str, Json, int]]) -> list[tuple[str, Json, int]]:
        """A letter to everybody who must hear of it, each once, beside those that the attack itself writes."""
        who = """select h, coalesce(c.image::jsonb->>'name', s.image::jsonb->>'name'), coalesce(c.email, s.email)
                 from countersign.hearers(%s::jsonb, %s::jsonb) as h left join countersign.contact as c on c.id = h
                 left join countersign.staff as s on s.id = h"""
        known = {(image["to_id"], image["request_id"], image["session_id"]) for t, image, _ in rows if t == "mail"}
        written: list[tuple[str, Json, int]] = []
        for entry in change["entries"]:
            for to_id, name, email in self.as_superuser(who, json.dumps(case), json.dumps(entry)):
                about = (entry.get("request"), entry.get("session"))
                if (to_id, *about) in known:
                    continue
                known.add((to_id, *about))
                letter = Mail(
                    f"M-{change['id'][-12:]}-{len(written)}", entry["action"], to_id, name, email, entry.get("tenant"),
                    *about, "About your request", (), parse_time(change["at"]),
                )  # fmt: skip
                written.append(("mail", dict(json.loads(letter.image())), 0))
        return written

    def apply(self, change: Json) -> Json:
        return dict(self.sql("select countersign.apply(%s::jsonb)", json.dumps(change))[0][0])

    def striking(self, change: Json) -> Strike:
        return lambda: self.apply(change)

    def about(self, action: str, request: str = "", session: str = "") -> Json:
        """An honest-looking entry about a request or a session."""
        if session:
            row = self.row("session", session)
            return {
                "action": action,
                "tenant": row["tenant_id"],
                "target": row["target_id"],
                "request": row["request_id"],
                "session": session,
                "ticket": row["ticket"],
            }
        row = self.row("request", request)
        entry = {
            "action": action,
            "tenant": row["tenant_id"],
            "target": row["target_id"],
            "request": request,
            "ticket": row["ticket"],
        }
        return entry | ({"session": row["session_id"]} if row["session_id"] else {})


def canonical(image: Json) -> str:
    return json.dumps(image, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Attack:
    """One attack: who tries it, and how it ends: refused with one of these SQLSTATEs, `unchanged`, or `detected`."""

    by: str
    outcome: tuple[str, ...]
    run: Callable[[Attacker], Strike]

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def words(self) -> str:
        return " ".join((self.run.__doc__ or "").split())


USED: Counter[tuple[str, str]] = Counter()
"""How many of a person's codes have been given in a database."""
ATTACKS: list[Attack] = []
DETECTED = ("detected",)
HARMLESS = ("no effect",)


def attack(by: str, *outcome: str) -> Callable[[Callable[[Attacker], Strike]], Callable[[Attacker], Strike]]:
    """Put an attack on the list, once for each of `by` (comma-separated)."""

    def listed(run: Callable[[Attacker], Strike]) -> Callable[[Attacker], Strike]:
        ATTACKS.extend(Attack(one, outcome, run) for one in by.split(","))
        return run

    return listed
