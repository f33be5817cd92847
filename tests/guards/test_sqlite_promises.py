"""P1 to P12: what the guards let pass, and what they refuse, with the policy out of the way (design.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.errors import GuardRefused, Stale
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    ActorKind,
    ContactRole,
    DecisionKind,
    ElevationState,
    EndKind,
    Layer,
    Mode,
    RequestState,
    Role,
    Standing,
    Start,
    TenantMode,
    TenantStatus,
)
from storage.shared.guards import GUARDS
from storage.shared.guards.case import Limits
from tests.guards.scene import (
    ACCOUNT,
    ADMIN,
    ANN,
    APPROVAL,
    APPROVED,
    AS_MARIA,
    ASKED,
    BEN,
    CLOCK,
    NOW,
    ODA,
    PENDING,
    RUNNING,
    SESSION,
    SETTINGS,
    STAFF,
    STANDING,
    SUE,
    TENANT,
    Scene,
    acting,
    approving,
    asking,
    countersigning,
    elevating,
    ending,
    proof,
    starting,
    used,
)

LATER, EARLIER = NOW + timedelta(hours=9), NOW - timedelta(days=2)
SPENT = replace(APPROVED, state=RequestState.USED, session_id=SESSION)
BEGUN = replace(STANDING, active_session=SESSION, starts=(Start(TENANT, NOW),))
FORCE = proof(SUE, "session.force_end")


def force_ending() -> Scene:
    scene = ending(EndKind.SUPER, Action.SESSION_FORCE_ENDED, acting(SUE, "P-1"))
    return scene.stored(FORCE).writing(used(FORCE))


def expiring() -> Scene:
    return ending(EndKind.CLOCK, Action.SESSION_EXPIRED, CLOCK)


def setting(**changes: object) -> Scene:
    after = replace(SETTINGS, **changes)  # type: ignore[arg-type]  # test data
    return Scene((*STAFF.values(), ADMIN, SETTINGS, ACCOUNT), AS_MARIA, Action.SETTINGS_CHANGED, (after,))


def standing_consent() -> Scene:
    decision = replace(APPROVAL, kind=DecisionKind.STANDING_CONSENT, by=TENANT, by_name="standing consent")
    scene = asking().stored(replace(SETTINGS, standing_consent=True))
    return scene.writing(replace(APPROVED, created_at=NOW), decision).named(
        Action.REQUEST_CREATED, Action.REQUEST_APPROVED
    )


LAWFUL: dict[str, Callable[[], Scene]] = {
    "asking": asking,
    "standing consent": standing_consent,
    "approving": approving,
    "approving for fewer minutes": lambda: approving().writing(replace(APPROVED, granted_minutes=15)),
    "countersigning": countersigning,
    "starting": starting,
    "starting with the code of create": lambda: (
        starting()
        .stored(replace(proof(ANN, "request.create"), used_by=("earlier",)))
        .writing(replace(proof(ANN, "request.create"), used_by=("earlier", "change-1")))
    ),
    "elevating": elevating,
    "force-ending": force_ending,
    "expiring": expiring,
    "the engineer ends": lambda: ending(EndKind.ENGINEER, Action.SESSION_ENDED, acting(ANN)),
    "the tenant ends": lambda: ending(EndKind.TENANT, Action.SESSION_ENDED, AS_MARIA),
    "changing settings": lambda: setting(max_minutes=15),
    "shutting with nobody inside": lambda: setting(kill_switch=True),
    "withdrawing": lambda: Scene(
        (*STAFF.values(), APPROVED),
        acting(ANN),
        Action.REQUEST_WITHDRAWN,
        (replace(APPROVED, state=RequestState.WITHDRAWN),),
    ),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_what_is_lawful_passes(name: str) -> None:
    LAWFUL[name]().check()


def _stored_staff(key: str, **changes: object) -> object:
    return replace(STAFF[key], **changes)  # type: ignore[arg-type]  # test data


TAGGED = "{0}+ops@{2}".format(*STAFF[ANN].email.upper().partition("@"))
"""Ann's own address as a mail system reads it too, under an account of its own (REQ-107)."""


def _from_a_second_account(scene: Scene, step_up: str) -> Scene:
    tagged = _stored_staff(BEN, email=TAGGED)
    return scene.stored(tagged).by(replace(acting(BEN, step_up), email=TAGGED))  # type: ignore[arg-type]  # test data


GONE = {"deactivated_at": NOW - timedelta(days=1)}
BROKEN: list[tuple[str, str, Callable[[], Scene]]] = [
    ("P1", "an actor nobody knows", lambda: asking().by(replace(acting(ANN, "P-1"), id="U-NOBODY"))),
    ("P1", "another address", lambda: asking().by(replace(acting(ANN, "P-1"), email="x@operator.example"))),
    ("P1", "an unknown contact", lambda: approving().by(replace(AS_MARIA, id=f"{TENANT}/nobody"))),
    ("P1", "no name", lambda: approving().by(replace(AS_MARIA, name=""))),
    ("P3", "pending to used", lambda: approving().writing(replace(SPENT, state=RequestState.USED))),
    ("P3", "approved under the wrong code", lambda: approving().named(Action.REQUEST_DENIED)),
    ("P3", "approved under nobody's name", lambda: replace(approving(), entries=(Draft(Action.REQUEST_APPROVED),))),
    ("P3", "denied to approved", lambda: approving().stored(replace(PENDING, state=RequestState.DENIED))),
    ("P3", "created as used", lambda: asking().writing(SPENT)),
    ("P3", "another reason after approval", lambda: approving().writing(replace(APPROVED, reason="something else"))),
    ("P3", "another digest after approval", lambda: approving().writing(replace(APPROVED, content_digest="e" * 64))),
    ("P3", "more minutes asked after the fact", lambda: approving().writing(replace(APPROVED, minutes=60))),
    ("P3", "a changed decision", lambda: approving().stored(replace(APPROVAL, minutes=15))),
    ("P3", "a decision under the wrong code", lambda: approving().writing(replace(APPROVAL, kind=DecisionKind.DENY))),
    ("P3", "a session that comes back", lambda: expiring().stored(replace(RUNNING, ended_at=NOW)).writing(RUNNING)),
    ("P3", "expired by a super", lambda: force_ending().named(Action.SESSION_EXPIRED)),
    ("P3", "another target", lambda: expiring().writing(replace(RUNNING, target_id="maria"))),
    ("P3", "elevated without asking", lambda: elevating().stored(RUNNING)),
    ("P4", "approving one's own", lambda: approving().stored(_stored_staff(ANN, email=ADMIN.email.upper()))),  # type: ignore[arg-type]
    ("P4", "approving in another's name", lambda: approving().writing(replace(APPROVAL, by=f"{TENANT}/juan"))),
    ("P4", "countersigning one's own", lambda: _own_countersign()),
    ("P4", "asking to enter one's own tenant", lambda: asking().stored(replace(ADMIN, email=STAFF[ANN].email))),
    ("P4", "entering one's own tenant", lambda: starting().stored(replace(ADMIN, email=STAFF[ANN].email))),
    ("P4", "elevating one's own", lambda: _own_elevation()),
    ("P4", "entering one's own tenant, tagged", lambda: starting().stored(replace(ADMIN, email=TAGGED))),
    ("P4", "countersigning from a second account", lambda: _from_a_second_account(countersigning(), "P-1")),
    ("P4", "elevating from a second account", lambda: _from_a_second_account(elevating(), "P-1")),
    ("P5", "a maximum below the least (REQ-602)", lambda: setting(max_minutes=14)),
    ("P5", "a maximum above the most (REQ-602)", lambda: setting(max_minutes=241)),
    ("P5", "settings by a super", lambda: setting(kill_switch=False, max_minutes=240).by(acting(SUE))),
    (
        "P5",
        "settings by a mere user",
        lambda: setting(max_minutes=240).stored(replace(ADMIN, roles=(ContactRole.USER,))),
    ),
    ("P5", "settings by a removed admin", lambda: setting(max_minutes=240).stored(replace(ADMIN, removed=True))),
    ("P5", "settings of another tenant", lambda: setting(max_minutes=240).stored(replace(ADMIN, tenant_id="contoso"))),
    ("P5", "approval by a super", lambda: _approval_by_super()),
    ("P5", "standing consent that was not given", lambda: standing_consent().stored(SETTINGS)),
    ("P5", "standing consent to full", lambda: standing_consent().writing(replace(APPROVED, mode=Mode.FULL))),
    ("P6", "the kill switch", lambda: starting().stored(replace(SETTINGS, kill_switch=True))),
    ("P6", "forbidden", lambda: starting().stored(replace(SETTINGS, mode=TenantMode.FORBIDDEN))),
    ("P6", "suspended", lambda: starting().stored(replace(ACCOUNT, status=TenantStatus.SUSPENDED))),
    ("P6", "a layer the mode excludes", lambda: _by_layer(Layer.BREAK_GLASS)),
    ("P7", "pending", lambda: _start_from(PENDING)),
    ("P7", "denied", lambda: _start_from(replace(APPROVED, state=RequestState.DENIED))),
    ("P7", "used", lambda: _start_from(replace(SPENT, state=RequestState.APPROVED))),
    ("P7", "lapsed", lambda: starting().stored(replace(APPROVED, usable_until=NOW))),
    ("P7", "another's request", lambda: _start_from(replace(APPROVED, engineer_id=BEN))),
    ("P7", "another content than approved", lambda: starting().stored(replace(APPROVAL, content_digest="e" * 64))),
    ("P7", "no decision at all", lambda: starting().stored(replace(APPROVAL, kind=DecisionKind.DENY))),
    ("P7", "a request that is not used up", lambda: starting().without(SPENT)),
    ("P7", "another target than asked", lambda: starting().writing(replace(RUNNING, target_id="maria"))),
    ("P8", "full without a countersign", lambda: starting().writing(replace(RUNNING, mode=Mode.FULL))),
    ("P8", "countersigned by an auditor", lambda: countersigning().stored(_stored_staff(BEN, role=Role.AUDITOR))),  # type: ignore[arg-type]
    ("P8", "full while only asked", lambda: elevating().writing(replace(RUNNING, mode=Mode.FULL, elevation=ASKED))),
    ("P9", "longer than granted", lambda: starting().stored(replace(APPROVED, granted_minutes=15))),
    ("P9", "longer than the tenant's maximum", lambda: starting().stored(replace(SETTINGS, max_minutes=29))),
    ("P9", "an end moved later", lambda: elevating().writing(_longer())),
    ("P9", "ended after its time", lambda: expiring().writing(_ended(NOW + timedelta(hours=1)))),
    ("P9", "another end after the end", lambda: _outcome_moves_the_end()),
    ("P9", "started tomorrow", lambda: _starts_at(NOW + timedelta(days=1))),
    ("P10", "no code", lambda: starting().by(acting(ANN))),
    ("P10", "a code that nobody gave", lambda: starting().by(acting(ANN, "P-9"))),
    ("P10", "another's code", lambda: _with_proof(replace(proof(ANN, "session.start"), staff_id=BEN))),
    ("P10", "a used code", lambda: _with_proof(replace(proof(ANN, "session.start"), used_by=("earlier",)))),
    ("P10", "a code for another act", lambda: _with_proof(proof(ANN, "session.elevate"))),
    ("P10", "an old code", lambda: _with_proof(replace(proof(ANN, "session.start"), at=NOW - timedelta(minutes=6)))),
    (
        "P10",
        "create's code after 2 minutes",
        lambda: _with_proof(replace(proof(ANN, "request.create"), at=NOW - timedelta(seconds=121))),
    ),
    ("P10", "a code that is not written back", lambda: starting().without(proof(ANN, "session.start"))),
    ("P10", "a proof made up in the Change", lambda: starting().writing(proof(ANN, "session.start", "P-2"))),
    ("P10", "a force-end without a code", lambda: force_ending().by(acting(SUE)).without(FORCE)),
    ("P11", "a second session", lambda: _standing(active_session="S-0")),
    ("P11", "an outcome owed", lambda: _standing(owes_outcome="S-0")),
    ("P11", "not in the standing", lambda: starting().without(STANDING)),
    ("P11", "a sixth within the hour", lambda: _standing(starts=_starts(5, TENANT))),
    ("P11", "an eleventh tenant within the day", lambda: _standing(starts=_starts(10))),
    ("P11", "earlier starts forgotten", lambda: starting().stored(replace(STANDING, starts=_starts(1, TENANT)))),
    ("P11", "a running session dropped", lambda: _talked_down(replace(STANDING, active_session=SESSION))),
    ("P11", "an outcome no longer owed", lambda: _talked_down(replace(STANDING, owes_outcome=SESSION))),
    ("P11", "a start taken back", lambda: _talked_down(replace(STANDING, starts=_starts(1)))),
    ("P10", "create's code where reuse is off", lambda: _no_reuse()),
    ("P12", "a deactivated engineer starts", lambda: starting().stored(_stored_staff(ANN, **GONE))),  # type: ignore[arg-type]
    ("P12", "past the end date", lambda: starting().stored(_stored_staff(ANN, until=NOW))),  # type: ignore[arg-type]
    ("P12", "a deactivated super force-ends", lambda: force_ending().stored(_stored_staff(SUE, **GONE))),  # type: ignore[arg-type]
    ("P12", "an auditor asks", lambda: asking().by(acting(ODA, "P-1"))),
]


def _own_countersign() -> Scene:
    scene = countersigning().by(acting(ANN, "P-1")).stored(proof(ANN, "request.countersign"))
    signed = replace(APPROVED, mode=Mode.FULL, countersigned_by=ANN)
    decision = replace(APPROVAL, id="D-2", kind=DecisionKind.COUNTERSIGN, by=ANN)
    return scene.writing(signed, decision, used(proof(ANN, "request.countersign")))


def _own_elevation() -> Scene:
    granted = replace(ASKED, state=ElevationState.GRANTED, decided_by=ANN)
    scene = elevating().by(acting(ANN, "P-1")).writing(replace(RUNNING, mode=Mode.FULL, elevation=granted))
    return scene.stored(proof(ANN, "session.countersign")).writing(used(proof(ANN, "session.countersign")))


def _approval_by_super() -> Scene:
    return approving().by(acting(SUE)).writing(replace(APPROVAL, by=SUE), replace(APPROVED, decided_by=SUE))


def _by_layer(layer: Layer) -> Scene:
    scene = _start_from(replace(APPROVED, layer=layer)).stored(replace(SETTINGS, mode=TenantMode.CONSENT_ONLY))
    return scene.writing(replace(RUNNING, layer=layer))


def _start_from(request: object) -> Scene:
    row = replace(request)  # type: ignore[type-var]  # test data
    spent = replace(row, state=RequestState.USED, session_id=SESSION)
    return starting().stored(row).writing(spent).named(*Action)  # whatever P3 may ask for is there


def _longer() -> object:
    (session,) = (row for row in elevating().after if row.TABLE == "session")
    return replace(session, expires_at=RUNNING.expires_at + timedelta(seconds=1))  # type: ignore[call-arg]


def _ended(at: object) -> object:
    return replace(RUNNING, ended_at=at, end_kind=EndKind.CLOCK)  # type: ignore[arg-type]


def _outcome_moves_the_end() -> Scene:
    over = replace(RUNNING, ended_at=NOW, end_kind=EndKind.ENGINEER)
    after = replace(over, ended_at=NOW - timedelta(minutes=1))
    return Scene((*STAFF.values(), over), acting(ANN), Action.OUTCOME_GIVEN, (after,))


def _starts_at(moment: object) -> Scene:
    begun = replace(RUNNING, started_at=moment, expires_at=moment + timedelta(minutes=30))  # type: ignore[operator, arg-type]
    return starting().writing(begun)


def _with_proof(step_up: object) -> Scene:
    return starting().stored(step_up).writing(used(step_up))  # type: ignore[arg-type]


def _talked_down(before: Standing) -> Scene:
    return Scene((*STAFF.values(), before, RUNNING), acting(ANN), Action.SESSION_ENDED, (STANDING,))


def _no_reuse() -> Scene:
    scene = _with_proof(replace(proof(ANN, "request.create"), at=NOW))
    return replace(scene, limits=Limits(step_up_reuse_seconds=0))


def _starts(count: int, tenant: str | None = None) -> tuple[Start, ...]:
    return tuple(Start(tenant or f"t{n}", NOW - timedelta(minutes=5 * n + 1)) for n in range(count))


def _standing(**before: object) -> Scene:
    stored = replace(STANDING, **before)  # type: ignore[arg-type]
    return starting().stored(stored).writing(replace(BEGUN, starts=(*stored.starts, Start(TENANT, NOW))))


@pytest.mark.parametrize(("promise", "what", "scene"), BROKEN, ids=[f"{p}-{what}" for p, what, _ in BROKEN])
def test_what_breaks_a_promise_is_refused(promise: str, what: str, scene: Callable[[], Scene]) -> None:
    assert promise in scene().broken(), what
    with pytest.raises(GuardRefused):
        scene().check()


def test_shutting_a_tenant_while_somebody_enters_is_decided_again() -> None:
    for shut in ({"kill_switch": True}, {"mode": TenantMode.FORBIDDEN}):
        with pytest.raises(Stale, match=SESSION):
            setting(**shut).stored(RUNNING).check()
        ended = replace(RUNNING, ended_at=NOW, end_kind=EndKind.TENANT)
        setting(**shut).stored(RUNNING, APPROVED).writing(ended).named(
            Action.SETTINGS_CHANGED, Action.SESSION_ENDED
        ).check()


def test_what_is_over_by_time_does_not_hold_up_the_shutting() -> None:
    setting(kill_switch=True).stored(RUNNING).check(now=LATER)


def test_a_session_that_is_over_by_time_leaves_room_for_the_next() -> None:
    old = replace(RUNNING, id="S-0", expires_at=NOW)
    _standing(active_session="S-0").stored(old).check()


def test_yesterdays_starts_count_no_more() -> None:
    old = (Start("t", EARLIER),) * 20
    starting().stored(replace(STANDING, starts=old)).check()


def test_a_tenant_admin_needs_no_code_of_ours() -> None:
    assert approving().actor.kind is ActorKind.TENANT_ADMIN
    approving().check()


def test_every_promise_has_its_module() -> None:
    promises = sorted({guard.__module__.rsplit(".", 1)[-1][:3] for guard in GUARDS})
    assert promises == [f"p{number:02}" for number in range(1, 13)]
