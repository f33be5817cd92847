"""Moves on requests and by a tenant's links (REQ-101 … 107, 110, 114, 115, 202)."""

from __future__ import annotations

from app.policy.request_state import RequestForm
from app.policy.tenants import is_open
from app.services import consent, requests
from storage.models import ConsentLink, Contact, ContactRole, LinkKind, Mode, Request, RequestState, Role
from tests.guards.rules_off.choosing import Choosing, move
from tests.guards.rules_off.dice import Dice

PENDING, APPROVED = RequestState.PENDING, RequestState.APPROVED
BEFORE = (LinkKind.APPROVE, LinkKind.DENY)


class Asking(Choosing):
    def filled_in(self, dice: Dice, tenant: str) -> RequestForm:
        """A request's form, with one thing wrong now and then."""
        users = [one for one in self.contacts(tenant) if one.has(ContactRole.USER)]
        form = self.world.form(
            tenant_id=tenant,
            target_id=dice.one(users).id
            if users and dice.right(0.9)
            else dice.one(self.contacts(self.tenant(dice))).id,
            ticket=f"T-{self.count + 1000}",
            reason=self.words() if dice.right(0.95) else "urgent issue",
            mode=dice.one((Mode.READ_ONLY, Mode.FULL)),
            minutes=30 if dice.right(0.85) else dice.one((0, -5, 240, 241, 100_000)),
            records=2 if dice.right(0.9) else dice.one((0, 1_000_000, 1_000_001)),
            urgent=dice.chance(0.5),
        )
        return form if dice.right(0.85) else self.odd(dice, form)

    def odd(self, dice: Dice, form: RequestForm) -> RequestForm:
        changes: dict[str, object] = {"tried": ()} if dice.chance(0.3) else {"again_of": dice.one(self.requests)}
        if "again_of" in changes and dice.chance(0.7):
            mine = self.request(dice, *RequestState, fits=lambda one: one.tenant_id == form.tenant_id)
            changes = {"again_of": mine.id}
        return self.world.form(**({name: getattr(form, name) for name in form.__slots__} | changes))

    @move(3)
    def create(self, dice: Dice) -> None:
        who = self.who(dice, *self.present(Role.ENGINEER, Role.SUPER))
        self.ask(dice, who.id, self.tenant(dice, lambda place: is_open(place).allowed))

    def ask(self, dice: Dice, staff_id: str, tenant: str) -> bool:
        who = next(one for one in self.staff() if one.id == staff_id)
        done = self.attempt(dice, requests.create, who, self.filled_in(dice, tenant))
        self.look_for_new_requests()
        return done

    def look_for_new_requests(self) -> None:
        self.requests += [key for key in self.rows(Request, lambda one: one.created_at) if key not in self.requests]

    @move(1)
    def withdraw(self, dice: Dice) -> None:
        request = self.request(dice)
        self.attempt(dice, requests.withdraw, self.who(dice, self.engineer(request)), request.id)

    @move(1)
    def answer(self, dice: Dice) -> None:
        request = self.request(dice, PENDING, fits=lambda one: bool(one.exchanges))
        self.attempt(dice, requests.answer, self.who(dice, self.engineer(request)), request.id, "The first of the two.")

    @move()
    def countersign(self, dice: Dice) -> None:
        request = self.request(dice, fits=self.waits_for_a_second)
        self.attempt(dice, requests.countersign, self.second(dice, request), request.id)

    @move()
    def decline(self, dice: Dice) -> None:
        request = self.request(dice, fits=self.waits_for_a_second)
        note = "" if dice.right(0.95) else "no\x1b[2J"
        self.attempt(dice, requests.decline, self.second(dice, request), request.id, note)

    @staticmethod
    def waits_for_a_second(request: Request) -> bool:
        return request.mode is Mode.FULL and not request.countersigned_by and not request.declined_by

    # ── by link ──

    def link(self, dice: Dice, request: Request, *kinds: LinkKind) -> ConsentLink | None:
        """A link that was mailed about it, of these kinds and unused, mostly."""
        every = [one.id for one in self.links(request)]
        return self.a(dice, ConsentLink, every, lambda one: one.kind in kinds and one.used_at is None)

    def links(self, request: Request) -> list[ConsentLink]:
        """Every link that was mailed about it."""
        every = self.world.desk.view().find(ConsentLink, request_id=request.id)
        return sorted(every, key=lambda one: (one.contact_id, one.kind, one.expires_at, one.id))

    @move(3)
    def approve(self, dice: Dice) -> None:
        self.say(dice, self.request(dice, PENDING), yes=True)

    def say(self, dice: Dice, request: Request, yes: bool) -> bool:
        link = self.link(dice, request, LinkKind.APPROVE if yes else LinkKind.DENY)
        if link is None:
            return False
        bearer = self.bearer(self.row(Contact, link.contact_id))
        actor = bearer if dice.right(0.85) else self.admin(dice, request.tenant_id)
        if not yes:
            return self.attempt(dice, consent.deny, actor, link.id)
        minutes = None if dice.right(0.8) else dice.one((1, 15, 30, 31, 240, 0, -1))
        return self.attempt(dice, consent.approve, actor, link.id, minutes)

    @move()
    def deny(self, dice: Dice) -> None:
        self.say(dice, self.request(dice, PENDING), yes=False)

    @move()
    def veto(self, dice: Dice) -> None:
        request = self.request(dice, RequestState.DECLARED, RequestState.COOLING)
        link = self.link(dice, request, LinkKind.DENY, LinkKind.VETO)
        if link is not None:
            bearer = self.bearer(self.row(Contact, link.contact_id))
            self.attempt(
                dice, consent.veto, bearer if dice.right(0.8) else self.admin(dice, request.tenant_id), link.id
            )

    @move()
    def ask_back(self, dice: Dice) -> None:
        request = self.request(dice, PENDING)
        link = self.link(dice, request, *BEFORE)
        if link is not None:
            bearer = self.bearer(self.row(Contact, link.contact_id))
            actor = bearer if dice.right(0.8) else self.admin(dice, request.tenant_id)
            self.attempt(dice, consent.ask, actor, link.id, "Which of the two?")
