"""Emergencies, reviews, disputes and the rota by headless commands (interface.md; REQ-109, 111, 113, 504)."""

from __future__ import annotations

import pytest

from tests.terminal.headless import ANN, OTTO, SUE, Home, home, plain, prepared

__all__ = ["home", "prepared"]

KIM = "kim@ops.example"
LEGAL = "legal@ops.example"
HARM = "A runaway import deletes bookings of 2026 every minute, travellers are stranded at gate B12."
FINDING = "Compared the session with ticket T-48271: entering was necessary, nothing else was seen."


@pytest.fixture
def two_supers(home: Home) -> Home:
    """Kim is a second super, and the operator's legal address is set."""
    added = home.ok("staff", "add", "--email", KIM, "--name", "Kim Lo", "--role", "super", "--json", who=SUE).document
    home.secrets[KIM], home.recovery[KIM] = added["secret"], added["recovery_codes"]
    config = home.path / "config" / "countersign.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'[operator]\nlegal_email = "{LEGAL}"\n')
    return home


def test_an_emergency_a_review_and_a_dispute(two_supers: Home) -> None:
    home, request = two_supers, two_supers.asked()["id"]
    said = ("--category", "data_loss", "--reason", HARM)
    assert home.here("request", "emergency", request, *said, "--otp", home.spare(ANN), who=ANN).status == 3
    waits = home.ok("request", "emergency", request, *said, "--otp", home.spare(SUE), "--json", who=SUE).document
    assert waits["state"] == "pending" and waits["emergency"]["category"] == "data_loss"
    assert [way["words"] for way in waits["ways"] if way["open"]][-1] == "emergency: a second super, reported publicly"
    refused = home.here("request", "countersign", request, "--otp", home.spare(SUE), "--json", who=SUE)
    assert refused.status == 3 and "second super" in refused.out
    opened = home.ok("request", "countersign", request, "--otp", home.spare(KIM), "--json", who=KIM).document
    assert (opened["state"], opened["layer"]) == ("approved", "emergency")
    (legal,) = home.letters(LEGAL)
    assert HARM in plain(legal) and opened["emergency"]["incident_id"] in plain(legal)
    (review,) = home.ok("review", "list", "--json", who=OTTO).document
    assert review["state"] == "waits" and set(review["not_by"]) == {"Ann Lee", "Sue Park", "Kim Lo"}
    assert home.here("review", "sign", review["id"], "--finding", FINDING, who=KIM).status == 3
    signed = home.ok("review", "sign", review["id"], "--finding", FINDING, "--json", who=OTTO).document
    assert signed["state"] == "signed" and home.ok("review", "list", "--json", who=OTTO).document == []
    about = ("--tenant", "northwind", "--contact", "maria", "--text", "Nobody of us was asked before.")
    disputed = home.ok("review", "dispute", *about, "--entry", "2", "--json").document
    assert (disputed["kind"], disputed["about"]) == ("dispute", "entry 2 of its log")


def test_without_a_legal_address_no_emergency(home: Home) -> None:
    """REQ-109: in words, with what to set."""
    request = home.asked()["id"]
    told = home.here("request", "emergency", request, "--category", "outage", "--reason", HARM, "--otp", "1", who=SUE)
    assert told.status == 3 and "operator.legal_email" in told.err


def test_break_glass_says_when_it_will_be_possible(home: Home) -> None:
    """REQ-108, REQ-113: not before its time, and the way that leads in first is always said."""
    request = home.asked()["id"]
    told = home.here("request", "break-glass", request, "--reason", HARM, "--otp", home.spare(ANN), who=ANN)
    assert told.status == 3 and "was not flagged urgent" in told.err
    ways = home.ok("request", "show", request, "--json").document["ways"]
    assert [(way["layer"], way["open"]) for way in ways][:2] == [("consent", True), ("break_glass", False)]


def test_the_rota(home: Home) -> None:
    """REQ-111: hours, a shift, who is on call, taken off again."""
    home.ok("rota", "hours", "--zone", "Europe/Berlin", "--open", "mon-fri 09:00-17:30", who=SUE)
    set_ = ("rota", "set", ANN, "--from", "2026-01-01T00:00", "--to", "2026-01-20T00:00")
    assert home.here(*set_, who=SUE).status == 3, "it is over"
    assert home.here("rota", "hours", "--zone", "Europe/Berlin", "--open", "sometimes", who=SUE).status == 2
    assert home.here("rota", "hours", "--zone", "Mars/Base", "--open", "mon 09:00-10:00", who=SUE).status == 3
    shown = home.ok("rota", "show", "--json").document
    assert len(shown["hours"]["spans"]) == 5 and shown["shifts"] == []
