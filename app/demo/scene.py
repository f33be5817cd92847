"""The demo's world at one moment, and the moves people in it could make. Reads any database with the row tables:
a console's replica, or the shared file itself while it is being seeded.
"""

from __future__ import annotations

import random
import re
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from app.demo.cases import STORIES, Story
from app.policy.duty import Duty, in_office
from storage.models import Actor, ActorKind, Contact, OfficeHours, Request, Role, Row, Session, Shift, Staff
from storage.models.row import time_text
from storage.shared.change import Change

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Move:
    """One act: a command of `app.services`, who does it, and its arguments."""

    words: str
    command: Callable[..., Change]
    actor: Actor
    args: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)


Choice = tuple[float, Callable[[], Move | None]]
"""A weight, and what thinks the move out if it is drawn."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`patience` stretches every wait: 1 is live. `open_requests` is how many wishes the colleagues keep in the air."""

    patience: float = 1.0
    open_requests: int = 4


LIVE = Pace()


class Scene:
    """`played` are the ids of staff whom a person plays: they do nothing by themselves. `kept` are requests that nobody
    touches."""

    def __init__(
        self,
        reader: sqlite3.Connection,
        now: datetime,
        rng: random.Random,
        played: frozenset[str],
        pace: Pace,
        kept: frozenset[str] = frozenset(),
    ) -> None:
        self.reader, self.now, self.rng, self.played, self.pace = reader, now, rng, played, pace
        self.staff = {one.id: one for one in self.rows(Staff) if one.is_active(now)}
        self.open = [one for one in self.rows(Request, "state IN ('pending', 'approved')") if one.id not in kept]
        self.running = self.rows(Session, "ended_at IS NULL AND expires_at > ?", time_text(now))
        self.busy = {one.engineer_id for one in self.running}

    def colleague(self, staff_id: str) -> Staff | None:
        """That person, if they are active and nobody plays them."""
        return None if staff_id in self.played else self.staff.get(staff_id)

    def second(self, engineer_id: str) -> Staff | None:
        """A super whom nobody plays, other than the engineer, and who is on duty: at night whoever is on call."""
        others = (self.colleague(key) for key in self.staff if key != engineer_id)
        supers = [one for one in others if one is not None and one.role is Role.SUPER]
        duty = Duty(next(iter(self.rows(OfficeHours)), None), tuple(self.rows(Shift)), tuple(self.staff.values()))
        if not in_office(duty.hours, self.now):
            called = duty.on_call(self.now)
            supers = [one for one in supers if one in called]
        return self.rng.choice(supers) if supers else None

    def a_person_countersigns(self) -> bool:
        """Whether somebody plays a super: then what a super is asked for is left to them."""
        return any(self.staff[key].role is Role.SUPER for key in self.played if key in self.staff)

    def waited(self, since: datetime | None, seconds: float) -> bool:
        return since is not None and self.now - since >= timedelta(seconds=seconds * self.pace.patience)

    def row(self, kind: type[R], key: str) -> R | None:
        found = self.rows(kind, "id = ?", key)
        return found[0] if found else None

    def rows(self, kind: type[R], where: str = "1", *values: str) -> list[R]:
        found = self.reader.execute(f"SELECT image FROM {kind.TABLE} WHERE {where} ORDER BY id", values)
        return [kind.from_image(image) for (image,) in found]


def staff_actor(staff: Staff) -> Actor:
    """A colleague at their desk: each has an address of their own in the office's network."""
    return Actor(ActorKind.STAFF, staff.id, staff.name, staff.email, ip=f"10.1.0.{drawn(staff.email, 200) + 10}")


def admin_actor(contact: Contact) -> Actor:
    """A tenant's administrator, at their own desk."""
    ip = f"203.0.113.{drawn(contact.email, 250) + 1}"
    return Actor(ActorKind.TENANT_ADMIN, contact.id, contact.name, contact.email, ip=ip)


def story_of(request: Request) -> Story:
    """The story that a request of the demo was made from; for a person's own request, any will do."""
    for story in STORIES:
        if request.reason.startswith(story.reason.partition("{")[0]):
            return story
    return STORIES[0]


def told(text: str, ticket: str) -> str:
    """A story's words with the record numbers that its ticket stands for."""
    number = int(re.sub(r"\D", "", ticket)[-6:] or 0)
    return text.replace("{a}", str(number % 9000 + 1000)).replace("{b}", str(number * 7 % 90_000 + 10_000))


def drawn(key: str, sides: int) -> int:
    """A number that belongs to a key: a request's fate is settled when it is made, and is the same for everybody."""
    return zlib.crc32(key.encode()) % sides
