"""Disputes and the signing of reviews before the guards of the SQLite form, with the policy out of the way (P12, REQ-502,
REQ-504); and that `apply` itself looks the disputed entry up."""

# ruff: noqa: E501  (each wrong stands on one line)

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.services import reviews
from app.services.reviews import Disputed
from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.models import Contact, ContactRole, Review, ReviewKind
from storage.models.row import canonical
from storage.shared.change import Write, new_change_id
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.guards.scene import (
    ADMIN,
    ANN,
    APPROVED,
    AS_MARIA,
    BEN,
    COMPANY,
    MARIA,
    NOW,
    ODA,
    REQUEST,
    SESSION,
    SUE,
    TENANT,
    Scene,
    acting,
)
from tests.pilot.queue_world import ANN as ANNE
from tests.pilot.queue_world import DANA, RAJ, open_world

ENTRY = {"action": "session.started", "actor": {"id": ANN, "kind": "staff"}, "request": REQUEST, "session": SESSION}
DISPUTE = Review(
    "V-1", ReviewKind.DISPUTE, TENANT, REQUEST, SESSION, 7, "Nobody told us.", (ANN,), MARIA, ADMIN.name, NOW,
    NOW + timedelta(hours=72),
)  # fmt: skip
WAITING = replace(DISPUTE, opened_at=NOW - timedelta(hours=5), due_at=NOW + timedelta(hours=67))
ANSWERED = replace(WAITING, finding="It was in order.", signed_by=SUE, signed_at=NOW)
USER = replace(ADMIN, roles=(ContactRole.USER,))
ELSEWHERE = Contact("contoso/ines", "contoso", "Ines", "ines@contoso.example", (ContactRole.TENANT_ADMIN,))


def disputing() -> Scene:
    before = (*COMPANY, APPROVED)
    return Scene(before, AS_MARIA, Action.REVIEW_OPENED, (DISPUTE,), log={(TENANT, 7): canonical(ENTRY)})  # type: ignore[arg-type]  # JSON


def entry_of(**changes: object) -> Scene:
    return replace(disputing(), log={(TENANT, 7): canonical({**ENTRY, **changes})})  # type: ignore[dict-item]  # JSON


def signing() -> Scene:
    return Scene((*COMPANY, APPROVED, WAITING), acting(SUE), Action.REVIEW_SIGNED, (ANSWERED,))


@pytest.mark.parametrize(
    "scene",
    [
        disputing,
        signing,
        lambda: signing().by(acting(ODA)).writing(replace(ANSWERED, signed_by=ODA)),
        lambda: disputing().writing(replace(DISPUTE, barred=(ANN, BEN))),
        lambda: entry_of(actor={"id": MARIA, "kind": "tenant_admin"}),
    ],
)
def test_what_is_lawful_passes(scene: Callable[[], Scene]) -> None:
    scene().check()


@pytest.mark.parametrize(
    "scene",
    [
        lambda: replace(disputing(), log={}),
        lambda: replace(disputing(), log={("contoso", 7): canonical(ENTRY)}),  # type: ignore[arg-type]  # JSON
        lambda: disputing().writing(replace(DISPUTE, entry_seq=8)),
        lambda: disputing().writing(replace(DISPUTE, entry_seq=None)),
        lambda: disputing().by(acting(SUE)).writing(replace(DISPUTE, opened_by=SUE, opened_by_name="Sue")),
        lambda: disputing().stored(USER),
        lambda: disputing().stored(replace(ADMIN, removed=True)),
        lambda: disputing().stored(ELSEWHERE).by(replace(AS_MARIA, id=ELSEWHERE.id, name="Ines")).writing(replace(DISPUTE, opened_by=ELSEWHERE.id, opened_by_name="Ines")),
        lambda: disputing().writing(replace(DISPUTE, barred=())),
        lambda: disputing().writing(replace(DISPUTE, barred=(BEN,))),
        lambda: entry_of(actor={"id": BEN, "kind": "staff"}),
        lambda: entry_of(actor={"id": MARIA, "kind": "tenant_admin"}).writing(replace(DISPUTE, barred=(BEN,))),
        lambda: disputing().writing(replace(DISPUTE, request_id=None)),
        lambda: disputing().writing(replace(DISPUTE, session_id=None)),
        lambda: entry_of(session="S-OTHER"),
        lambda: entry_of(request="R-OTHER"),
        lambda: disputing().writing(replace(DISPUTE, due_at=NOW + timedelta(hours=71))),
        lambda: disputing().writing(replace(DISPUTE, due_at=NOW + timedelta(days=30))),
        lambda: disputing().writing(replace(DISPUTE, opened_at=NOW - timedelta(days=1), due_at=NOW + timedelta(days=2))),
        lambda: disputing().writing(replace(DISPUTE, opened_by=BEN)),
        lambda: disputing().writing(replace(DISPUTE, opened_by_name="Nobody")),
        lambda: disputing().writing(replace(DISPUTE, finding="It was in order.", signed_by=SUE, signed_at=NOW)),
        lambda: disputing().writing(replace(DISPUTE, finding="It was in order.")),
        lambda: disputing().writing(replace(DISPUTE, kind=ReviewKind.EMERGENCY)),
        lambda: signing().by(acting(BEN)).writing(replace(ANSWERED, signed_by=BEN)),
        lambda: signing().by(acting(ANN)).writing(replace(ANSWERED, signed_by=ANN)),
        lambda: signing().writing(replace(ANSWERED, signed_by=ODA)),
        lambda: signing().writing(replace(ANSWERED, signed_at=NOW - timedelta(hours=1))),
        lambda: signing().writing(replace(ANSWERED, signed_at=None)),
        lambda: signing().writing(replace(ANSWERED, finding="")),
        lambda: signing().writing(replace(ANSWERED, barred=())),
        lambda: signing().writing(replace(ANSWERED, due_at=NOW + timedelta(days=9))),
        lambda: signing().stored(replace(ANSWERED, finding="It was not.")),
    ],
)  # fmt: skip
def test_what_is_not_is_refused(scene: Callable[[], Scene]) -> None:
    """P12: an entry that is there, about what it is about, by an admin of its tenant, now, for 72 hours, with whoever was
    part of it barred; signed once, now, by somebody who was not."""
    assert "P12" in scene().broken()
    with pytest.raises(GuardRefused):
        scene().check()


async def test_apply_itself_looks_the_disputed_entry_up(shared_path: Path, vault: Vault, clock: ManualClock) -> None:
    """P12, REQ-504: of an entry that is not there no dispute is opened, whatever the program says that it read; nor of
    one that is there in the name of somebody else's."""
    async with open_world(shared_path, vault, clock) as world:
        request = await world.ask(ANNE, "northwind", "wendy", "T-1")
        (asked,) = [
            one for one in await world.shared.entries("tenant:northwind", 0) if '"action":"request.created"' in one.body
        ]
        maria = world.replica.view("look").get(Contact, "northwind/maria")
        assert maria is not None
        actor = dataclasses.replace(
            world.actor(DANA), id=maria.id, name=maria.name, email=maria.email, kind=AS_MARIA.kind
        )
        ann, raj = world.staff(ANNE).id, world.staff(RAJ).id
        read = Disputed("northwind", asked.seq, "request.created", "staff", ann, request)

        async def opening(entry: Disputed, **changes: object) -> None:
            view = world.replica.view(new_change_id())
            change = reviews.dispute(view, actor, entry, "This was not agreed.", now=clock.now())
            (write,) = change.writes
            assert isinstance(write.row, Review)
            forged = Write(dataclasses.replace(write.row, **changes))  # type: ignore[arg-type]  # any field
            await world.shared.apply(dataclasses.replace(change, writes=(forged,)))

        for wrong in (
            replace(read, seq=asked.seq + 100),
            replace(read, request_id=None),
            replace(read, session_id="S-1"),
        ):
            with pytest.raises(GuardRefused, match="P12"):
                await opening(wrong)
        with pytest.raises(GuardRefused, match="does not sign its review"):
            await opening(read, barred=(raj,))
        await opening(read)
        await world.sync.pull()
        (review,) = world.replica.view("look").find(Review, tenant_id="northwind")
        assert review.barred == (ann,) and review.entry_seq == asked.seq
