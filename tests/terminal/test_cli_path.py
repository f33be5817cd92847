"""The whole path by headless commands (issue 2, "Must show", 2; interface.md)."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.terminal.headless import ANN, OTTO, RAJ, SUE, Home, home, plain, prepared

__all__ = ["home", "prepared"]


def test_ask_consent_start_log_end_and_read_the_whole_story(home: Home, tmp_path: Path) -> None:
    """REQ-104, REQ-105, REQ-201, REQ-205, REQ-206, REQ-404, REQ-406."""
    request = home.asked(**{"--minutes": "30"})
    assert request["state"] == "pending" and request["seconds"] == 1800 and request["seconds_left"] <= 86400

    (letter,) = home.letters("maria")
    for words in ("Ann Lee <ann@ops.example>", "T-48271", "payment event 991 never reached", "refund 8841"):
        assert words in plain(letter)
    log, seq, entry_hash = str(letter["X-Countersign-Head"]).split()
    assert log == "tenant:northwind" and int(seq) >= 2 and len(entry_hash) == 64
    assert letter["Auto-Submitted"] == "auto-generated"

    token = home.token("maria")
    shown = home.process("consent", "show", token, "--json").document
    assert shown["link"]["usable"] and shown["request"]["state"] == "pending"
    approved = home.process("consent", "approve", token, "--minutes", "20", "--note", "go ahead", "--json").document
    assert approved["request"]["state"] == "approved" and approved["request"]["granted_minutes"] == 20
    assert "Handled" in str(home.letters("juan")[-1]["Subject"])

    session = home.process("session", "start", request["id"], "--json", who=ANN).document
    assert session["active"] and session["seconds"] == 1200 and session["mode"] == "read_only"
    home.process(
        "session", "log", session["id"], "--kind", "record", "--name", "refund 8841", "--fields", "state,sum", who=ANN
    )
    assert [one["id"] for one in home.process("session", "list", "--active", "--json").document] == [session["id"]]
    outcome = [
        "--cause",
        "webhook key rotated",
        "--changed",
        "nothing",
        "--beyond-scope",
        "no",
        "--follow-up",
        "fix it",
    ]
    ended = home.process("session", "end", session["id"], *outcome, "--json", who=ANN).document
    assert not ended["active"] and ended["outcome"]["changed"] == "nothing" and not ended["outcome_owed"]
    assert [view["fields"] for view in ended["viewed"]] == [["state", "sum"]]

    report = home.process("audit", "verify", "--all", "--json").document
    assert report["verified"] and set(report["logs"]) == {"operator", "tenant:northwind", "tenant:fabrikam"}
    pack = tmp_path / "pack.zip"
    home.process("audit", "export", "--tenant", "northwind", "-o", str(pack), who=OTTO)
    checked = home.process("audit", "verify", "--pack", str(pack), "--json").document
    assert checked["verified"] and checked["from_the_beginning"] and checked["log"] == "tenant:northwind"
    assert (seq, entry_hash) in {(str(e["seq"]), e["hash"]) for e in _dossier(home, session["id"])["entries"]}
    assert (
        home.process("audit", "list", "--filter", "action:log.exported", "--json").document[0]["actor"]["email"] == OTTO
    )

    for form, words in (("md", "## Who approved"), ("html", "<h2>Who approved</h2>")):
        assert words in home.process("audit", "dossier", session["id"], "--format", form).out

    told = home.process("report", "transparency", "--from", "today", "--json").document
    assert (told["requests"]["asked"], told["sessions"]["started"]) == (1, 1)
    for form, words in (("md", "## By layer"), ("html", "<h2>By layer</h2>")):
        assert words in home.process("report", "transparency", "--format", form).out
    assert home.run("report", "transparency", "--from", "3d", "--to", "9d").status == 2


def _dossier(home: Home, session_id: str) -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = home.ok("audit", "dossier", session_id, "--format", "json").document
    return document


def test_a_pack_verifies_by_its_own_instructions_and_a_changed_byte_is_found(home: Home, tmp_path: Path) -> None:
    """REQ-404: offline, without this software."""
    pack, folder = tmp_path / "pack.zip", tmp_path / "pack"
    home.ok("audit", "export", "--tenant", "northwind", "-o", str(pack))
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(folder)
    recipe = (folder / "VERIFY.txt").read_text()
    program = "\n".join(line[4:] for line in recipe.splitlines() if line.startswith("    "))
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("verified 1 entries")

    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"Northwind", b"Southwind"))
    with zipfile.ZipFile(pack, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    answer = home.here("audit", "verify", "--pack", str(pack))
    assert answer.status == 1 and "NOT verified" in answer.out
    assert subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, check=False).returncode != 0


def test_a_link_works_once_and_says_who_decided(home: Home) -> None:
    """REQ-105."""
    home.asked()
    maria, juan = home.token("maria"), home.token("juan", "deny")
    home.ok("consent", "approve", maria)
    again = home.here("consent", "approve", maria, "--json")
    assert again.status == 3
    assert "approved by Maria Santos" in again.document["refused"][0]["why"]
    late = home.here("consent", "deny", juan)
    assert late.status == 3 and "approved by Maria Santos" in late.err
    assert "approved by Maria Santos" in home.ok("consent", "show", juan).out
    assert home.here("consent", "show", "nonsense").status == 2


def test_of_two_who_decide_at_the_same_moment_one_is_faster_and_the_other_is_told(home: Home) -> None:
    """REQ-105, REQ-107; exit status 3 or 5, by how close it was."""
    request = home.asked()
    words = (["approve", home.token("maria")], ["deny", home.token("juan", "deny")])
    start = [sys.executable, "-m", "app", "--home", str(home.path), "consent"]
    both = [subprocess.Popen([*start, *each], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) for each in words]
    said = [one.communicate()[1].decode() for one in both]
    statuses = sorted(one.returncode for one in both)
    assert statuses in ([0, 3], [0, 5]), said
    state = home.ok("request", "show", request["id"], "--json").document["state"]
    winner = "Maria Santos" if both[0].returncode == 0 else "Juan Ortiz"
    assert state == ("approved" if both[0].returncode == 0 else "denied")
    assert winner in next(words for words, one in zip(said, both, strict=True) if one.returncode)


def test_a_question_and_its_answer_stand_with_the_request(home: Home) -> None:
    """REQ-115."""
    request = home.asked()
    home.ok("consent", "ask", home.token("maria"), "--text", "Which refund exactly?")
    home.ok("request", "answer", request["id"], "--text", "Refund 8841, of last Tuesday.", who=ANN)
    said = home.ok("request", "show", request["id"], "--json").document["exchanges"]
    assert [(one["kind"], one["text"]) for one in said] == [
        ("question", "Which refund exactly?"),
        ("answer", "Refund 8841, of last Tuesday."),
    ]
    assert any("Which refund exactly?" in plain(letter) for letter in home.letters("juan"))


def test_full_mode_takes_a_second_person_and_a_code(home: Home) -> None:
    """REQ-107, REQ-202, REQ-702."""
    request = home.asked(**{"--mode": "full"})
    own = home.here("request", "countersign", request["id"], "--otp", home.spare(ANN), "--json", who=ANN)
    assert own.status == 3 and own.document["refused"][0]["rule"] == "REQ-107"
    unasked = home.here("request", "countersign", request["id"], who=RAJ)
    assert unasked.status == 2 and "--otp" in unasked.err
    wrong = home.here("request", "countersign", request["id"], "--otp", "000000", "--json", who=RAJ)
    assert wrong.status == 3 and wrong.document["refused"][0]["rule"] == "REQ-702"
    signed = home.ok("request", "countersign", request["id"], "--otp", home.code(RAJ), "--json", who=RAJ).document
    assert signed["countersigned_by"]


def test_elevation_force_end_and_withdrawal(home: Home) -> None:
    """REQ-107, REQ-202, REQ-204, REQ-206."""
    session = home.inside()
    reason = "The refund must be set to failed by hand, the page offers no way to do it"
    home.ok("session", "elevate", session["id"], "--reason", reason, "--otp", home.spare(ANN), who=ANN)
    raised = home.ok("session", "countersign", session["id"], "--otp", home.spare(RAJ), "--json", who=RAJ).document
    assert raised["mode"] == "full"
    words = ["--reason", "Wrong customer, as the tenant said by telephone", "--otp"]
    refused = home.here("session", "force-end", session["id"], *words, home.spare(RAJ), who=RAJ)
    assert refused.status == 3 and "only a super" in refused.err
    ended = home.ok("session", "force-end", session["id"], *words, home.spare(SUE), "--json", who=SUE).document
    assert not ended["active"] and ended["end_kind"] == "super" and ended["outcome_owed"]
    given = ["--cause", "wrong customer", "--changed", "nothing", "--beyond-scope", "no"]
    assert home.ok("session", "end", session["id"], *given, "--json", who=ANN).document["outcome"]
    again = home.asked(
        **{"--reason": "Invoice 77 shows twice since Monday, the export of 12 May lacks it; needs the live list"}
    )
    assert home.ok("request", "withdraw", again["id"], "--json", who=ANN).document["state"] == "withdrawn"


def test_standing_consent_opens_at_once_and_explain_says_so_before(home: Home) -> None:
    """REQ-106, REQ-113."""
    told = home.ok("request", "explain", "--tenant", "fabrikam", "--json", who=ANN).document
    assert told["allowed"] and any("standing consent" in step for step in told["steps"])
    assert home.asked(**{"--tenant": "fabrikam", "--target": "eva"})["state"] == "approved"


def test_staff_are_named_ended_and_gone_at_once(home: Home) -> None:
    """REQ-701."""
    refused = home.here("staff", "add", "--email", "x@ops.example", "--name", "X", "--role", "engineer", who=ANN)
    assert refused.status == 3 and "only a super" in refused.err
    home.ok("staff", "deactivate", ANN, who=SUE)
    states = {one["email"]: one["active"] for one in home.ok("staff", "list", "--json").document}
    assert states == {SUE: True, ANN: False, RAJ: True, OTTO: True}
    words = [word for pair in {"--tenant": "northwind"}.items() for word in pair]
    assert home.ok("request", "explain", *words, "--json", who=ANN).document["allowed"] is False


def test_import_is_idempotent_and_leaves_settings_to_the_tenant(home: Home) -> None:
    """REQ-601, REQ-602."""
    file = home.path / "tenants.jsonl"
    assert home.ok("tenant", "import", str(file), "--json").document == {"tenants": 2, "changed": 0}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[0]["plan"], lines[0]["settings"] = "enterprise", {"mode": "forbidden", "kill_switch": True}
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert home.ok("tenant", "import", str(file), "--json").document == {"tenants": 2, "changed": 1}
    shown = home.ok("tenant", "show", "northwind", "--json").document
    assert shown["plan"] == "enterprise" and shown["settings"]["mode"] == "default"
    assert not shown["settings"]["kill_switch"] and shown["max_seconds"] == 45 * 60


def test_the_worker_delivers_what_waits_and_two_at_once_deliver_it_once(home: Home) -> None:
    """interface.md, "Mail": a letter that could not be written waits, and is delivered once."""
    box = home.path / "mailbox"
    box.write_text("in the way")
    home.asked()
    box.unlink()
    flags = [sys.executable, "-m", "app", "--home", str(home.path), "worker", "--once", "--json"]
    both = [subprocess.Popen(flags, stdout=subprocess.PIPE) for _ in range(2)]
    counts = [json.loads(one.communicate()[0])["delivered"] for one in both]
    assert sum(counts) == 2 and len(home.letters()) == 2
    assert home.ok("worker", "--once", "--json").document == {"recorded": 0, "delivered": 0}
    assert home.ok("consent", "show", home.token("maria")).status == 0
