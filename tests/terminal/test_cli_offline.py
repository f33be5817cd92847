"""REQ-802 by headless commands: the shared database is away (its file renamed), and comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.terminal.headless import ANN, RAJ, SUE, Home, home, prepared

__all__ = ["home", "prepared"]

OUTCOME = ["--cause", "webhook key rotated", "--changed", "nothing", "--beyond-scope", "no"]


@contextmanager
def away(home: Home) -> Iterator[None]:
    """The shared database is out of reach while the block runs."""
    elsewhere = home.database.with_name("elsewhere.db")
    home.database.rename(elsewhere)
    yield
    elsewhere.rename(home.database)


def outbox(home: Home) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.ok("replica", "status", "--json").document["outbox"]
    return found


def actions(home: Home) -> list[str]:
    """Every entry's action, oldest first."""
    return [one["action"] for one in reversed(home.ok("audit", "list", "--json").document)]


def test_a_withdrawal_is_queued_and_sent_once_on_return(home: Home) -> None:
    request = home.asked()
    with away(home):
        answer = home.run("request", "withdraw", request["id"], "--note", "not needed", "--json", who=ANN)
        assert answer.status == 0, answer.err
        queued = answer.document["queued"]
        assert "queued, not in force: withdrawal of " + request["id"] in answer.err
        shown = home.here("request", "show", request["id"], "--json")
        assert shown.status == 0 and shown.document["state"] == "pending", "it is not in force"
        (kept,) = outbox(home)
        assert (kept["id"], kept["state"], kept["subjects"]) == (queued, "queued", [request["id"]])
        again = home.here("request", "withdraw", request["id"], who=ANN)
        assert again.status == 3 and "has been waiting since" in again.err
    back = home.ok("request", "list", "--json")
    assert f"sent: withdrawal of {request['id']} in force since" in back.err
    assert home.ok("request", "show", request["id"], "--json").document["state"] == "withdrawn"
    assert actions(home).count("request.withdrawn") == 1
    (kept,) = outbox(home)
    assert kept["state"] == "sent" and kept["settled_at"]
    home.ok("replica", "status", "--seen")
    assert outbox(home) == []
    entry = home.ok("audit", "list", "--filter", "action:request.withdrawn", "--json").document[0]
    assert entry["actor"]["email"] == ANN


def test_what_adds_privilege_is_refused_offline_with_the_reason(home: Home) -> None:
    """REQ-802: exit status 4, and nothing kept."""
    request = home.asked()
    home.ok("consent", "approve", home.token("maria"))
    with away(home):
        start = home.here("session", "start", request["id"], "--otp", home.spare(ANN), who=ANN)
        assert start.status == 4 and "what adds privilege needs the shared database itself" in start.err
        assert outbox(home) == []


def test_a_force_end_is_refused_offline_because_only_the_database_can_check_a_code(home: Home) -> None:
    """P10: always a code of its own."""
    session = home.inside()
    with away(home):
        words = ["--reason", "Wrong customer, as the tenant said by telephone", "--otp", home.spare(SUE)]
        answer = home.here("session", "force-end", session["id"], *words, who=SUE)
        assert answer.status == 4 and "only the shared database can check" in answer.err
        assert outbox(home) == []


def test_views_and_the_ending_go_out_in_the_order_in_which_they_were_given(home: Home) -> None:
    session = home.inside()
    with away(home):
        for name in ("refund 8841", "payment 991"):
            home.ok("session", "log", session["id"], "--kind", "record", "--name", name, "--fields", "sum", who=ANN)
        home.ok("session", "end", session["id"], *OUTCOME, who=ANN)
        late = home.here("session", "log", session["id"], "--kind", "record", "--name", "more", who=ANN)
        assert late.status == 3 and "your ending of" in late.err
        assert [one["command"] for one in outbox(home)] == ["session.log_view"] * 2 + ["session.end"]
    home.ok("worker", "--once")
    done = home.ok("session", "show", session["id"], "--json").document
    assert [view["name"] for view in done["viewed"]] == ["refund 8841", "payment 991"]
    assert not done["active"] and done["outcome"]["cause"] == "webhook key rotated" and done["views"] == 2
    assert [one["state"] for one in outbox(home)] == ["sent"] * 3


def test_one_that_comes_to_nothing_does_not_hold_up_the_next_and_is_told_until_seen(home: Home) -> None:
    """Design, "Offline": never one blocking another; a conflict becomes words for the person."""
    first, second = home.asked(), home.asked(**{"--reason": "Invoice 77 shows twice, only the live list tells why so"})
    token = home.token("maria", "deny")
    with away(home):
        home.ok("request", "withdraw", first["id"], who=ANN)
        home.ok("request", "withdraw", second["id"], who=ANN)
        kept = home.path / "state" / "outbox"
        aside = kept.rename(kept.with_name("aside"))
    newest = home.ok("consent", "deny", token, "--json").document["request"]["id"]
    aside.rename(kept)
    back = home.ok("request", "list")
    assert "NOT APPLIED (conflict)" in back.err
    assert f"{newest} was denied by Maria Santos at" in back.err
    assert "your withdrawal was not needed" in back.err
    states = {one["subjects"][0]: one["state"] for one in outbox(home)}
    assert states == {newest: "conflict"} | {one["id"]: "sent" for one in (first, second) if one["id"] != newest}
    assert "not needed" in home.ok("replica", "status").out, "told again, until it is put away"


def test_a_denial_by_the_link_in_a_mail_is_kept_too(home: Home) -> None:
    """REQ-802 names it: deny."""
    request, token = home.asked(), home.token("juan", "deny")
    with away(home):
        assert home.ok("consent", "deny", token, "--json").document["queued"]
        approved = home.here("consent", "approve", home.token("maria"))
        assert approved.status == 4
    home.ok("worker", "--once")
    assert home.ok("request", "show", request["id"], "--json").document["state"] == "denied"


def test_two_processes_of_one_home_queue_and_send_at_the_same_time(home: Home) -> None:
    session = home.inside()

    def together(*commands: list[str]) -> None:
        start = [sys.executable, "-m", "app", "--home", str(home.path), "--as", ANN]
        running = [
            subprocess.Popen([*start, *each], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for each in commands
        ]
        for one in running:
            said = one.communicate(timeout=60)
            assert one.returncode == 0, said

    with away(home):
        together(*(["session", "log", session["id"], "--kind", "record", "--name", f"r{n}"] for n in range(4)))
        assert len(outbox_while_away(home)) == 4
    together(["worker", "--once"], ["request", "list"], ["session", "list"])
    shown = home.ok("session", "show", session["id"], "--json").document
    assert sorted(view["name"] for view in shown["viewed"]) == ["r0", "r1", "r2", "r3"]
    assert sum("viewed" in one for one in actions(home)) == 4, actions(home)


def outbox_while_away(home: Home) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(home.here("replica", "status", "--json").out)["outbox"]
    return found


def test_everything_can_be_read_offline_and_the_age_is_said(home: Home) -> None:
    request = home.asked()
    with away(home):
        answer = home.here("request", "list", "--json", who=RAJ)
        assert answer.status == 0 and answer.document[0]["id"] == request["id"]
        assert "OFFLINE" in answer.err and "its newest entry is" in answer.err
