"""The people of `demo fill`: staff and tenants by the hundred, each drawn from a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.demo.ledger import Ledger, Pieces, actor_json, said, stamp
from storage.log.actions import Action
from storage.models import (
    Actor,
    ActorKind,
    Contact,
    ContactRole,
    Role,
    Settings,
    Staff,
    Tenant,
    TenantMode,
    TenantStatus,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIRS = tuple(a + b for a in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" for b in "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_FIRST = "Ana Ben Cleo Dov Elif Finn Gita Hugo Ines Jai Kira Liam Mona Nils Olga Pia Quin Rui Sofia Teo Uma Vera Zoë"
_LAST = "Abbas Berg Costa Dahl Engel Fischer Gallo Haas Ivanov Jansen Kaya Lund Moreau Novak Okoye Park Rossi Silva"
_KINDS = "Travel Clinics Logistics Foods Energy Media Optics Motors Insurance Hotels Books Chemicals Trains Marine"
_PLACES = "North Alder Harbour Summit Cedar River Ember Falcon Granite Hazel Iris Juniper Kestrel Linden Meadow Opal"


def code(prefix: str, number: int) -> str:
    """The `number`th key of a kind, in the shape of `view.fresh_id`: scattered, yet never the same twice."""
    value = number * 0x25AEC9D5 & 0x3FFFFFFF
    return f"{prefix}-{_PAIRS[value >> 20]}{_PAIRS[value >> 10 & 1023]}{_PAIRS[value & 1023]}"


def moment(us: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return EPOCH + timedelta(microseconds=us)


def microseconds(moment: datetime) -> int:
    """A time as microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def change_id(us: int, rng: random.Random) -> str:
    """A UUIDv7 as `new_change_id` makes them, from the moment and the generator."""
    bits = rng.getrandbits(74)
    ms, rest = f"{us // 1000:012x}", f"{bits & (1 << 62) - 1 | 1 << 63:016x}"
    return f"{ms[:8]}-{ms[8:]}-7{bits >> 62:03x}-{rest[:4]}-{rest[4:]}"


@dataclass(frozen=True, slots=True)
class Someone:
    """A person who acts: key, name, and the JSON of the actor they are."""

    id: str
    name: str
    email: str
    json: str
    ip: str


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant with the people that cases need."""

    id: str
    admins: tuple[Someone, ...]
    users: tuple[str, ...]
    settings: Settings


def someone(kind: ActorKind, key: str, name: str, email: str, ip: str) -> Someone:
    return Someone(key, name, email, actor_json(Actor(kind, key, name, email)), ip)


CLOCK = someone(ActorKind.SYSTEM, "clock", "clock", "", "local")
WORKER = someone(ActorKind.SYSTEM, "mail", "mail", "", "local")


@dataclass(frozen=True, slots=True)
class Populace:
    """Everybody there is."""

    engineers: tuple[Someone, ...]
    supers: tuple[Someone, ...]
    auditors: tuple[Someone, ...]
    tenants: tuple[Place, ...]


def found(ledger: Ledger, rng: random.Random, at: int, engineers: int, tenants: int) -> Populace:
    """Write the founding entries: the database, its staff, its tenants. `at` is when, in microseconds since 1970."""
    supers, auditors = 2 + engineers // 20, 1 + engineers // 40
    roles = [Role.SUPER] * supers + [Role.AUDITOR] * auditors + [Role.ENGINEER] * engineers
    people: dict[Role, list[Someone]] = {role: [] for role in Role}
    for number, role in enumerate(roles):
        person = _staff(number, role, rng)
        people[role].append(person)
        by = people[Role.SUPER][0]
        action = Action.STAFF_ADDED if number else Action.DATABASE_CREATED
        row = Staff(person.id, person.email, person.name, role, None, moment(at), None)
        words = said(data={"email": person.email, "role": role.value, "staff": person.id})
        ledger.append(action, by.json, by.ip, stamp(at), change_id(at, rng), Pieces(), words, (row,))
        ledger.settle("staff", person.id)
        at += 1_000_000
    first = people[Role.SUPER][0]
    places = []
    for number in range(tenants):
        places.append(_tenant(ledger, number, rng, at, first))
        at += 100_000
    return Populace(tuple(people[Role.ENGINEER]), tuple(people[Role.SUPER]), tuple(people[Role.AUDITOR]), tuple(places))


def founders(engineers: int, tenants: int) -> int:
    """How many entries `found` writes."""
    return 2 + engineers // 20 + 1 + engineers // 40 + engineers + tenants


def _names(rng: random.Random) -> Iterator[tuple[str, str]]:
    first, last = _FIRST.split(), _LAST.split()
    while True:
        yield rng.choice(first), rng.choice(last)


def _staff(number: int, role: Role, rng: random.Random) -> Someone:
    first, last = next(_names(rng))
    email = f"{first}.{last}.{number}@ops.example".lower().replace("ë", "e")
    ip = f"10.{number >> 8 & 255}.{number & 255}.{rng.randrange(2, 250)}"
    return someone(ActorKind.STAFF, code("U", number + 1), f"{first} {last}", email, ip)


def _tenant(ledger: Ledger, number: int, rng: random.Random, at: int, by: Someone) -> Place:
    place, kind = rng.choice(_PLACES.split()), rng.choice(_KINDS.split())
    key = f"{place}-{kind}-{number:04d}".lower()
    name = f"{place} {kind} {number}"
    contacts, names = [], _names(rng)
    roles = [ContactRole.TENANT_ADMIN] * rng.choice((1, 2, 2, 2)) + [ContactRole.USER] * 2
    for index, role in enumerate(roles):
        first, last = next(names)
        email = f"{first}.{last}@{key}.example".lower().replace("ë", "e")
        contacts.append(Contact(f"{key}/c{index}", key, f"{first} {last}", email, (role,)))
    draw = rng.random()
    settings = Settings(
        key,
        mode=TenantMode.DEFAULT if draw < 0.8 else TenantMode.CONSENT_ONLY,
        standing_consent=draw < 0.12,
        max_minutes=rng.choice((15, 30, 60, 60, 60, 120, 240)),
        weekly_digest=draw > 0.7,
    )
    plan = rng.choice(("starter", "business", "enterprise"))
    tenant = Tenant(key, name, plan, TenantStatus.ACTIVE, tuple(contact.id for contact in contacts))
    words = said(data={"contacts": len(contacts), "plan": plan})
    rows = (tenant, settings, *contacts)
    ledger.append(
        Action.TENANT_IMPORTED, by.json, by.ip, stamp(at), change_id(at, rng), Pieces(tenant=key), words, rows
    )
    for row in rows:
        ledger.settle(row.TABLE, row.id)
    ip = f"203.0.{number >> 8 & 255}.{number & 255}"
    admins = tuple(
        someone(ActorKind.TENANT_ADMIN, c.id, c.name, c.email, ip)
        for c in contacts
        if ContactRole.TENANT_ADMIN in c.roles
    )
    return Place(key, admins, tuple(c.id for c in contacts if ContactRole.USER in c.roles), settings)
