"""The demo's people by name, and the few things they do again and again while the world is seeded."""

from __future__ import annotations

import random

from app.demo.cases import STORIES
from app.demo.people import HOUSES, House
from app.demo.scene import admin_actor, staff_actor, told
from app.demo.seeding import Seeding
from app.policy.requests import RequestForm
from app.services import consent, requests, sessions
from storage.models import (
    Actor,
    Alternative,
    ConsentLink,
    Contact,
    LinkKind,
    Mode,
    Session,
    Staff,
    Standing,
)


class Cast:
    """`seeding` runs what they do; `ids` are the staff's keys by e-mail address."""

    def __init__(self, seeding: Seeding, rng: random.Random) -> None:
        self.seeding, self._rng = seeding, rng
        self._ids: dict[str, str] = {}

    @staticmethod
    def _house(key: str) -> House:
        return next(house for house in HOUSES if house.id == key)

    def _actor(self, email: str) -> Actor:
        row = self.seeding.connection.execute("SELECT image FROM staff WHERE id = ?", (self._ids[email],)).fetchone()
        return staff_actor(Staff.from_image(row[0]))

    def _admin(self, house: House) -> Actor:
        key = f"{house.id}/{house.people[0][0]}"
        row = self.seeding.connection.execute("SELECT image FROM contact WHERE id = ?", (key,)).fetchone()
        return admin_actor(Contact.from_image(row[0]))

    def _let_go(self, *emails: str) -> None:
        """Bring what these people still have open to its end, so that their desks are free."""
        seeding = self.seeding
        for email in emails:
            actor, key = self._actor(email), self._ids[email]
            row = seeding.connection.execute("SELECT image FROM standing WHERE id = ?", (key,)).fetchone()
            standing = Standing.from_image(row[0])
            words = ("seen in the stored state", "nothing", "no", "none")
            if standing.active_session:
                seeding.run(sessions.end, actor, standing.active_session, *words)
            elif standing.owes_outcome:
                seeding.run(sessions.give_outcome, actor, standing.owes_outcome, *words)

    def _ask(self, house: House, email: str, story: int, minutes: int, mode: Mode = Mode.READ_ONLY) -> str:
        """A request of that person; its id."""
        return self.seeding.run(requests.create, self._actor(email), self._form(house, story, minutes, mode)).answer[
            "id"
        ]

    def _form(self, house: House, story: int, minutes: int, mode: Mode = Mode.READ_ONLY) -> RequestForm:
        (count,) = self.seeding.connection.execute("SELECT count(*) FROM request").fetchone()
        ticket, about = f"T-{48_000 + count * 3 + 2}", STORIES[story]
        target = next(key for key, _, *roles in house.people if "user" in roles)
        return RequestForm(
            house.id,
            f"{house.id}/{target}",
            ticket,
            told(about.reason, ticket),
            told(about.scope, ticket),
            about.records,
            mode,
            minutes,
            about.urgent,
            about.tried or (Alternative.LOGS,),
            about.why_not,
        )

    def _approved(self, house: House, email: str, story: int, minutes: int, mode: Mode = Mode.READ_ONLY) -> str:
        request = self._ask(house, email, story, minutes, mode)
        self.seeding.advance(seconds=50)
        row = self.seeding.connection.execute("SELECT state FROM request WHERE id = ?", (request,)).fetchone()
        if row[0] == "pending":
            link = self._link(request, LinkKind.APPROVE)
            self.seeding.run(consent.approve, self._bearer(link), link.id, None, "")
        return request

    def _session_now(self, house: House, email: str, minutes: int, views: int) -> str:
        """A running session of that person; its id."""
        story = self._rng.randrange(len(STORIES))
        request = self._approved(house, email, story, minutes)
        self.seeding.advance(seconds=45)
        return self._enter(request, email, story, views)

    def _enter(self, request: str, email: str, story: int, views: int) -> str:
        """Start what can be started, and look at the first few things; the session's id."""
        seeding, actor = self.seeding, self._actor(email)
        session = seeding.run(sessions.start, actor, request).answer["id"]
        row = seeding.connection.execute("SELECT image FROM session WHERE id = ?", (session,)).fetchone()
        ticket = Session.from_image(row[0]).ticket
        for look in STORIES[story].looks[:views]:
            seeding.advance(seconds=15)
            name = told(look.name, ticket)
            named = {"fields": look.fields, "count": look.count, "within_scope": look.within_scope}
            seeding.run(sessions.log_view, actor, session, look.kind, name, **named)
        return session

    def _link(self, request: str, kind: LinkKind) -> ConsentLink:
        rows = self.seeding.connection.execute("SELECT image FROM consent_link WHERE request_id = ?", (request,))
        links = [ConsentLink.from_image(image) for (image,) in rows]
        return min((link for link in links if link.kind is kind), key=lambda link: link.contact_id)

    def _bearer(self, link: ConsentLink) -> Actor:
        row = self.seeding.connection.execute("SELECT image FROM contact WHERE id = ?", (link.contact_id,)).fetchone()
        return admin_actor(Contact.from_image(row[0]))
