"""One session in words: who, who approved, which case, what was seen, how long. Pure: rows in, fields out.

The panel beside the board and the dossier say the same because both are made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from screens.session_board import ASKED, BEYOND
from storage.models import Decision, DecisionKind, ElevationState, EndKind, Layer, Mode, Session
from storage.replica.queries.sessions import SessionCard
from widgets.cells import LEVEL_TONES, BarCell, Tone, Toned
from widgets.countdown import Level, level_of
from widgets.fields import BLANK, Field, field, line, under
from widgets.text import visible

Times = Callable[[datetime], str]

LAYER_WORDS = {
    Layer.CONSENT: "consent",
    Layer.BREAK_GLASS: "break-glass",
    Layer.EMERGENCY: "emergency",
}
_DECIDED = {
    DecisionKind.APPROVE: "approved",
    DecisionKind.DENY: "denied",
    DecisionKind.STANDING_CONSENT: "standing consent",
    DecisionKind.COUNTERSIGN: "countersigned full mode",
    DecisionKind.DECLINE: "declined full mode",
}


_LEFT = {
    Level.CALM: "",
    Level.SOON: f" · {Level.SOON.sign} under 5 minutes left",
    Level.LAST: f" · {Level.LAST.sign} under 1 minute left",
    Level.OVER: "",
}


@dataclass(frozen=True, slots=True)
class LastedCell:
    """How long the session has lasted, and by the clock alone when it is over."""

    session: Session

    def drawn(self, now: datetime, width: int) -> Toned:
        session = self.session
        end = session.ended_at or min(now, session.expires_at)
        over = session.ended_at is not None or now >= session.expires_at
        total = minutes(session.expires_at - session.started_at)
        return Toned(f"{minutes(end - session.started_at)} of {total}{'' if over else ' so far'}")


@dataclass(frozen=True, slots=True)
class StateCell:
    """Running, or over, by the clock (REQ-203)."""

    session: Session

    def drawn(self, now: datetime, width: int) -> Toned:
        session = self.session
        mode = "full" if session.mode is Mode.FULL else "read-only"
        if session.is_active(now):
            level = level_of((session.expires_at - now).total_seconds())
            return Toned(f"running · {mode}{_LEFT[level]}", LEVEL_TONES[level])
        if session.outcome is None:
            return Toned(f"over · {mode} · outcome owed", Tone.SOON)
        return Toned(f"ended · {mode}", Tone.DIM)


def minutes(span: timedelta) -> str:
    """A span in words: "42 s", "7 min", "1 h 5 min"."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    hours, rest = divmod(seconds // 60, 60)
    return f"{rest} min" if not hours else f"{hours} h {rest} min" if rest else f"{hours} h"


def headline(card: SessionCard) -> list[Field]:
    """Which session, and its state."""
    session = card.session
    return [line(Toned(visible(f"{session.id} · {card.tenant}"), Tone.STRONG)), line(StateCell(session))]


def countdown(card: SessionCard) -> list[Field]:
    """Its time running out, kept apart from the rest: it changes every second, nothing else does."""
    session = card.session
    return [] if session.ended_at is not None else [line(BarCell(session.started_at, session.expires_at))]


def session_fields(card: SessionCard, decisions: Sequence[Decision], times: Times) -> list[Field]:
    """Everything else the panel says of a session. `times` writes a moment in the reader's zone."""
    fields = [*people_fields(card), *case_fields(card)]
    fields += [*approval_fields(card, decisions, times), *elevation_fields(card, times)]
    fields += [*seen_fields(card), *length_fields(card, times)]
    if card.session.outcome is not None:
        fields += [BLANK, *outcome_fields(card.session)]
    return fields


def people_fields(card: SessionCard) -> list[Field]:
    email = f" <{card.engineer_email}>" if card.engineer_email else ""
    target = f" <{card.target_email}>" if card.target_email else ""
    return [field("engineer", visible(card.engineer + email)), field("as", visible(card.target + target))]


def case_fields(card: SessionCard) -> list[Field]:
    return [
        field("case", visible(f"{card.session.ticket} · request {card.session.request_id}")),
        field("reason", visible(card.reason)),
        field(
            "scope", visible(f"{card.scope} (about {card.declared:,} {'record' if card.declared == 1 else 'records'})")
        ),
    ]


def approval_fields(card: SessionCard, decisions: Sequence[Decision], times: Times) -> list[Field]:
    said: list[Toned | str] = []
    for decision in decisions:
        if decision.kind in (DecisionKind.COUNTERSIGN, DecisionKind.DECLINE):
            continue
        words = f"{decision.by_name} · {_DECIDED[decision.kind]} {times(decision.at)}"
        if decision.minutes is not None:
            words += f" · {decision.minutes} min"
        said.append(visible(words))
        if decision.note:
            said.append(Toned(visible(f"“{decision.note}”"), Tone.DIM))
    if not said:
        said.append(Toned(LAYER_WORDS[card.session.layer], Tone.DIM))
    fields = [field("approved by", *said)]
    signed = [decision for decision in decisions if decision.kind is DecisionKind.COUNTERSIGN]
    if signed:
        fields.append(
            field("countersigned", *(visible(f"{d.by_name} · {times(d.at)}" + _noted(d.note)) for d in signed))
        )
    return fields


def _noted(note: str | None) -> str:
    return f" · “{note}”" if note else ""


def elevation_fields(card: SessionCard, times: Times) -> list[Field]:
    elevation = card.session.elevation
    if elevation is None:
        return []
    asked = visible(f"asked {times(elevation.asked_at)}: “{elevation.reason}”")
    who, at = card.elevation_decided_by or "", elevation.decided_at
    if elevation.state is ElevationState.ASKED and card.session.ended_at is not None:
        answer = Toned("nobody decided before the end", Tone.DIM)
    elif elevation.state is ElevationState.ASKED:
        answer = Toned(f"{ASKED} waits for a second person", Tone.SOON)
    elif elevation.state is ElevationState.GRANTED:
        answer = Toned(visible(f"countersigned by {who} {times(at) if at else ''}"), Tone.GOOD)
    else:
        answer = Toned(visible(f"declined by {who} {times(at) if at else ''}"), Tone.DIM)
    return [field("full mode", asked), under(answer)]


def seen_fields(card: SessionCard) -> list[Field]:
    session = card.session
    if not session.views:
        return [field("seen", Toned("nothing yet" if session.ended_at is None else "nothing", Tone.DIM))]
    records = f"{session.records_seen} {'record' if session.records_seen == 1 else 'records'}"
    seen = f"{records} in {session.views} {'view' if session.views == 1 else 'views'}"
    fields = [field("seen", seen)]
    if session.beyond_scope:
        fields.append(under(Toned(f"{BEYOND} {session.beyond_scope} beyond the declared scope", Tone.BAD)))
    return fields


def length_fields(card: SessionCard, times: Times) -> list[Field]:
    session = card.session
    fields = [field("how long", LastedCell(session)), under(Toned(f"started {times(session.started_at)}", Tone.DIM))]
    if session.ended_at is None:
        return fields
    by = card.ended_by or "the clock"
    words = {
        EndKind.ENGINEER: f"by {by}, whose session it was",
        EndKind.SUPER: f"FORCED by {by}",
        EndKind.TENANT: f"by the tenant ({by})",
        EndKind.CLOCK: "by the clock",
        EndKind.DEACTIVATED: "because the account was deactivated",
    }[session.end_kind or EndKind.CLOCK]
    loud = session.end_kind in (EndKind.SUPER, EndKind.TENANT)
    fields.append(
        field("ended", Toned(visible(f"{times(session.ended_at)} {words}"), Tone.BAD if loud else Tone.PLAIN))
    )
    if session.end_reason:
        fields.append(under(visible(f"“{session.end_reason}”")))
    return fields


def outcome_fields(session: Session) -> list[Field]:
    outcome = session.outcome
    assert outcome is not None
    ticket = f"{session.ticket} closed in the same step" if outcome.ticket_closed else f"{session.ticket} stays open"
    beyond = visible(outcome.beyond_scope)
    return [
        field("cause", visible(outcome.cause)),
        field("changed", visible(outcome.changed)),
        field("beyond scope", beyond if outcome.beyond_scope == "no" else Toned(beyond, Tone.SOON)),
        *([field("follow-up", visible(outcome.follow_up))] if outcome.follow_up else []),
        field("ticket", visible(ticket)),
    ]
