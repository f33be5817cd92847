"""The promises a third time, from the operator log alone: what an auditor with nothing but its entries would hold the
company to. It knows neither the model nor the policy, and no row of any table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAY, COOLING, USABLE, FRESH = timedelta(hours=24), timedelta(hours=2), timedelta(hours=8), timedelta(hours=2)
Entry = dict[str, Any]
SKEW = timedelta(seconds=2)
"""A moment that a console tells may be off by so much; that of an entry is the shared database's own."""


def at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])


@dataclass
class Story:
    """What the log has told about one request so far."""

    created: Entry
    told: dict[str, Entry] = field(default_factory=dict)
    """The newest entry of each action."""

    def when(self, action: str) -> datetime | None:
        entry = self.told.get(action)
        return at(entry) if entry is not None else None

    def who(self, action: str) -> str:
        return str(self.told[action]["actor"]["id"])


@dataclass
class Reader:
    """Reads entries in order. Raises AssertionError at the first that breaks a promise."""

    stories: dict[str, Story] = field(default_factory=dict)
    engineers: dict[str, str] = field(default_factory=dict)
    supers: set[str] = field(default_factory=set)
    shut: dict[str, set[str]] = field(default_factory=dict)
    running: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def read(self, bodies: Iterable[str]) -> None:
        for body in bodies:
            entry: Entry = json.loads(body)
            action, request = entry["action"], str(entry.get("request"))
            self._of_tenants(action, entry)
            self._of_staff(action, entry)
            if action == "request.created":
                self.stories[request] = Story(entry)
                self.engineers[request] = str(entry["data"].get("engineer", entry["actor"])["id"])
            story = self.stories.get(request)
            if story is not None:
                check = getattr(self, "_" + action.replace(".", "_"), None)
                if check is not None:
                    check(entry, story)
                story.told[action] = entry

    # ── who and where ──

    def _of_staff(self, action: str, entry: Entry) -> None:
        if action == "database.created" or (action == "staff.added" and entry["data"]["role"] == "super"):
            self.supers.add(entry["data"]["staff"])

    def _of_tenants(self, action: str, entry: Entry) -> None:
        """What shuts a tenant, and REQ-110: that whoever was inside is out in the very same Change."""
        why = self.shut.setdefault(entry.get("tenant") or "", set())
        turns = {
            "kill_switch.turned_on": ("kill", True),
            "kill_switch.turned_off": ("kill", False),
            "tenant.suspended": ("status", True),
            "tenant.resumed": ("status", False),
        }
        if action in turns:
            name, on = turns[action]
            (why.add if on else why.discard)(name)
        if action == "settings.changed" and "mode" in entry["after"]:
            why -= {"forbidden", "consent_only"}
            why |= {entry["after"]["mode"]} - {"default"}

    # ── ways in ──

    def _session_started(self, entry: Entry, story: Story) -> None:
        now, layer, why = at(entry), entry["data"]["layer"], self.shut[entry["tenant"]]
        assert entry["actor"]["id"] == self.engineers[entry["request"]], "REQ-201: only the engineer who asked enters"
        assert not why - {"consent_only"}, f"REQ-110: entered a tenant that is shut ({why})"
        assert layer == "consent" or "consent_only" not in why, "REQ-110: consent is the only way in"
        assert not story.told.keys() & {"session.started", "request.denied", "request.withdrawn", "break_glass.vetoed"}
        opened = {"consent": self._by_consent, "break_glass": self._by_glass, "emergency": self._by_emergency}[layer]
        since = opened(story, self.engineers[entry["request"]])
        assert since <= now < since + USABLE + SKEW, f"{layer} opened at {since}, entered at {now}"
        self.running[entry["session"]] = (entry["tenant"], datetime.fromisoformat(entry["data"]["expires_at"]))

    @staticmethod
    def _by_consent(story: Story, engineer: str) -> datetime:
        approved = story.told["request.approved"]
        by_themselves = approved["actor"]["kind"] == "tenant_admin" or approved["data"].get("standing_consent") is True
        assert by_themselves, "REQ-105, REQ-106: the tenant consents, nobody else"
        assert at(approved) < at(story.created) + DAY + SKEW, "REQ-104: decided within 24 hours"
        return at(approved)

    def _by_glass(self, story: Story, engineer: str) -> datetime:
        created, declared = at(story.created), story.when("break_glass.declared")
        signed, cooling = story.when("break_glass.countersigned"), story.when("break_glass.cooling")
        assert declared is not None and signed is not None and cooling is not None, "REQ-108: every step of it"
        assert story.created["data"]["urgent"], "REQ-108: urgent when it was created"
        assert created + DAY - SKEW <= declared <= signed <= cooling, "REQ-108: after a day, in this order"
        assert story.who("break_glass.declared") == engineer, "REQ-108: declared by its engineer"
        assert story.who("break_glass.countersigned") in self.supers - {engineer}, "REQ-107: signed by another, a super"
        assert "request.approved" not in story.told, "REQ-108: no admin decided"
        return cooling + COOLING

    def _by_emergency(self, story: Story, engineer: str) -> datetime:
        declared, signed = story.when("emergency.declared"), story.when("emergency.countersigned")
        assert declared is not None and signed is not None and signed < declared + FRESH + SKEW
        first, second = story.who("emergency.declared"), story.who("emergency.countersigned")
        three = len({first, second, engineer}) == 3
        assert three and {first, second} <= self.supers, "REQ-109: two supers besides them"
        registered, review = story.when("incident.registered"), story.told["review.opened"]
        assert registered == at(review) == signed, "REQ-109: registered, and a review opened, in the same Change"
        assert set(review["data"]["barred"]) == {first, second, engineer}, "REQ-109: a third person reviews"
        return signed

    # ── what ends, and what time ends ──

    def _break_glass_cooling(self, entry: Entry, story: Story) -> None:
        delivered = story.told["mail.delivered"]
        urgent = delivered["data"]["event"] == "break_glass.countersigned"
        assert urgent and at(delivered) == at(entry), "REQ-108: cooling begins with the first letter that was taken"
        assert "break_glass.cooling" not in story.told, "REQ-108: and only once"

    def _break_glass_vetoed(self, entry: Entry, story: Story) -> None:
        cooling = story.when("break_glass.cooling")
        assert entry["actor"]["kind"] in ("tenant_admin", "system"), "REQ-108: the tenant vetoes"
        assert cooling is None or at(entry) < cooling + COOLING, "REQ-108: before it is usable"

    def _request_expired(self, entry: Entry, story: Story) -> None:
        due = datetime.fromisoformat(entry["data"]["effective_at"])
        told = abs(due - at(story.created) - DAY) <= SKEW
        assert told and due <= at(entry), "REQ-104: dated at its deadline"

    def _emergency_lapsed(self, entry: Entry, story: Story) -> None:
        declared, signed = story.when("emergency.declared"), story.when("emergency.countersigned")
        due = datetime.fromisoformat(entry["data"]["effective_at"])
        assert declared is not None and abs(due - declared - FRESH) <= SKEW, "REQ-109: dated at its deadline"
        assert due <= at(entry) and (signed is None or signed < declared), "REQ-109: what nobody countersigned"
        before = story.when("emergency.lapsed")
        assert before is None or before <= declared, "REQ-109: recorded once"

    def _session_expired(self, entry: Entry, story: Story) -> None:
        _, due = self.running[entry["session"]]
        assert datetime.fromisoformat(entry["data"]["effective_at"]) == due <= at(entry), "REQ-203: dated at its end"

    def _elevation_granted(self, entry: Entry, story: Story) -> None:
        assert entry["actor"]["id"] != self.engineers[entry["request"]], "REQ-202: never one's own"

    def _request_countersigned(self, entry: Entry, story: Story) -> None:
        assert entry["actor"]["id"] != self.engineers[entry["request"]], "REQ-202: never one's own"

    def _review_signed(self, entry: Entry, story: Story) -> None:
        opened = story.told["review.opened"]
        if opened["data"]["review"] == entry["data"]["review"]:
            assert entry["actor"]["id"] not in opened["data"]["barred"], "REQ-502: by nobody who was part of it"
