"""Bad input of every kind gets its clear error, its exit status, and never a traceback (issue 2, section 5)."""

from __future__ import annotations

import json
import re
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.terminal.headless import ANN, ASK, OTTO, SUE, TENANTS, Answer, Home, home, prepared

__all__ = ["home", "prepared"]

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202eevil\u200b [red]x[/red] " + "é" * 50


def tells(answer: Answer, status: int, *words: str) -> None:
    assert answer.status == status, (answer.status, answer.err)
    assert "Traceback" not in answer.err + answer.out
    for word in words:
        assert word in answer.err, answer.err


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    return Home(tmp_path / "empty")


def test_no_database_yet_says_how_to_make_one(empty: Home) -> None:
    tells(empty.here("staff", "list"), 2, "there is no shared database", "countersign init")


def test_a_second_init_and_a_bad_one_make_nothing(home: Home, empty: Home) -> None:
    tells(home.here("init", "--email", "x@y.example", "--name", "X"), 2, "exists already")
    tells(empty.here("init", "--email", "nonsense", "--name", "X"), 3, "no e-mail address")
    assert not empty.database.exists()


def test_missing_and_mistyped_words(home: Home) -> None:
    tells(home.here("request", "create", "--tenant", "northwind"), 2, "--target")
    tells(home.here("stff"), 2, "Did you mean 'staff'?")
    tells(home.here("request", "list", "--state", "pendng"), 2, "pending")
    tells(home.here("request", "explain", "--tenant", "northwind", "--tried", "lgos"), 2, "'lgos'", "logs, metrics")
    tells(home.here("audit", "list", "--filter", "since:yestrday"), 2, "since", "yestrday")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tenant", "show", "northwnd"], ["no tenant northwnd", "did you mean northwind?"]),
        (["request", "show", "R-000000"], ["no request R-000000"]),
        (["session", "end", "S-0", "--cause", "x", "--changed", "x", "--beyond-scope", "no"], ["no session S-0"]),
        (["audit", "list", "--log", "tenant:fabrikan"], ["did you mean fabrikam?"]),
        (["audit", "verify", "--log", "nonsense"], ["no log nonsense", "tenant:northwind"]),
        (["staff", "deactivate", "an@ops.example"], ["no staff account", "did you mean ann@ops.example?"]),
        (["consent", "approve", "nonsense"], ["link is not known"]),
        (["audit", "verify", "--pack", "/nowhere"], ["/nowhere"]),
        (["audit", "export", "--log", "operator", "-o", "/nowhere/x.zip"], ["there is no directory /nowhere"]),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(home: Home, words: list[str], says: list[str]) -> None:
    tells(home.here(*words), 2, *says)


def test_an_unknown_target_or_person_is_named_with_the_nearest(home: Home) -> None:
    words = [word for pair in {**ASK, "--target": "mria"}.items() for word in pair]
    tells(home.here("request", "create", *words, who=ANN), 2, "no contact mria", "did you mean maria?")
    tells(home.here("request", "withdraw", "R-1", who="nobody@ops.example"), 2)
    tells(home.here("staff", "deactivate", ANN, who="suse@ops.example"), 2, "did you mean sue@ops.example?")


BAD_LINES: list[tuple[dict[str, Any] | str, str]] = [
    ("{", "not JSON"),
    ("[1]", "expected an object"),
    ('{"id": "x", "id": "y"}', "id: the field stands there twice"),
    ({"id": "x", "contacts": []}, "name: missing"),
    ({"id": "x", "name": "X"}, "contacts: expected a list"),
    ({"id": "a b", "name": "X", "contacts": []}, "id: expected an id"),
    ({"id": "x", "name": 7, "contacts": []}, "name: expected text, found 7"),
    ({"id": "x", "name": "X\x1b[2J", "contacts": []}, "name: "),
    ({"id": "x", "name": "\ud800", "contacts": []}, "name: "),
    ({"id": "x", "name": "X", "contacts": [], "pln": "pro"}, "pln: no such field; did you mean plan?"),
    ({"id": "x", "name": "X", "contacts": [], "status": "gone"}, "status: expected one of active"),
    ({"id": "x", "name": "X", "contacts": [], "settings": {"max_minutes": 999}}, "settings.max_minutes: "),
    ({"id": "x", "name": "X", "contacts": [], "settings": {"mode": "open"}}, "settings.mode: expected one of default"),
    ({"id": "x", "name": "X", "contacts": [], "settings": {"kill_switch": 1}}, "settings.kill_switch: expected true"),
    (
        {"id": "x", "name": "X", "contacts": [{"id": "a", "name": "A", "email": "x", "roles": []}]},
        "contacts[0].email: ",
    ),
    (
        {"id": "x", "name": "X", "contacts": [{"id": "a", "name": "A", "email": "a@b.example", "roles": ["boss"]}]},
        "contacts[0].roles: expected one of tenant_admin",
    ),
    ({**TENANTS[0], "id": "northwind"}, "id: 'northwind' stands in line 1 already"),
]


def test_every_malformed_import_line_is_named_and_nothing_of_the_file_is_applied(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "tenants.jsonl"
    first = json.dumps({**TENANTS[0], "name": "Changed"})
    lines = [first, *(line if isinstance(line, str) else json.dumps(line) for line, _ in BAD_LINES)]
    file.write_text("\n".join(lines) + "\n")
    answer = home.here("tenant", "import", str(file), who=SUE)
    tells(answer, 2, "nothing of the file was applied")
    for number, (_, words) in enumerate(BAD_LINES, 2):
        assert re.search(rf"^line {number}: {re.escape(words)}", answer.err, re.MULTILINE), (number, words, answer.err)
    assert "\x1b" not in answer.err
    assert home.ok("tenant", "show", "northwind", "--json").document["name"] == "Northwind Travel"


def test_a_file_that_is_not_utf8_is_told_by_line(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "tenants.jsonl"
    file.write_bytes(b"\n\xff\xfe\n")
    tells(home.here("tenant", "import", str(file)), 2, "line 2: not UTF-8 text")
    tells(home.here("tenant", "import", str(tmp_path / "none")), 2, "No such file")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[portal]\nurk = "x"\n', ["line 2", "'portal.urk'", "did you mean portal.url?"]),
        ('\n\ndatabse = "x"\n', ["line 3", "'databse'", "did you mean database?"]),
        ('[console]\ntheme = "drak"\n', ["line 2", "console.theme", "'dark'"]),
        ("[limits]\nsessions_per_hour = 'many'\n", ["line 2", "limits.sessions_per_hour", "valid integer"]),
        ("database = \n", ["countersign.toml", "line 1"]),
    ],
)
def test_a_config_file_with_a_fault_names_key_line_and_what_is_expected(
    empty: Home, text: str, says: list[str]
) -> None:
    (empty.path / "config").mkdir(parents=True)
    (empty.path / "config" / "countersign.toml").write_text(text)
    tells(empty.here("config", "show"), 2, *says)


def test_database_urls_that_are_not_of_this_version(empty: Home) -> None:
    answer = empty.here("--database", "postgresql://ann:secret@localhost:1/x", "staff", "list")
    tells(answer, 4, "out of reach")
    assert "secret" not in answer.err
    answer = empty.here("--database", "mysql://ann:secret@db/x", "staff", "list")
    tells(answer, 2, "not a database URL")
    assert "secret" not in answer.err


def test_files_that_are_no_shared_database(home: Home) -> None:
    home.database.write_text("hello, this is no database at all\n" * 100)
    tells(home.here("staff", "list"), 1, "is not a database")
    home.database.unlink()
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("CREATE TABLE x (a)")
    tells(home.here("staff", "list"), 2, "not a Countersign database")


def test_a_newer_schema_is_told_and_doctor_finds_it(home: Home) -> None:
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    tells(home.here("staff", "list"), 2, "newer Countersign", "update Countersign")
    checked = home.here("doctor", "--json")
    assert checked.status == 1
    assert [one["name"] for one in checked.document["checks"] if not one["well"]] == ["shared database"]


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "home", Path("/proc/countersign")):
        answer = Home(place).run("init", "--email", "a@b.example", "--name", "A")
        tells(answer, 2, str(place))


def test_a_full_disk_is_told_and_loses_nothing_acknowledged(home: Home) -> None:
    """No file may grow: as near to a full disk as a test can come without mounting one."""
    before = home.database.stat().st_size

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, before))

    words = ["tenant", "import", str(home.path / "many.jsonl")]
    many = [{**TENANTS[0], "id": f"tenant-{number}"} for number in range(300)]
    (home.path / "many.jsonl").write_text("".join(json.dumps(one) + "\n" for one in many))
    done = subprocess.run(
        [sys.executable, "-m", "app", "--home", str(home.path), *words],
        capture_output=True,
        preexec_fn=full,
        check=False,
    )
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    tells(answer, 4)
    assert home.ok("audit", "verify", "--all", "--json").document["verified"]
    assert len(home.ok("tenant", "list", "--json").document) == 2


def test_out_of_reach_reads_the_copy_and_changes_nothing(home: Home) -> None:
    """REQ-802; exit status 4."""
    home.ok("staff", "list")
    home.database.rename(home.database.with_name("elsewhere.db"))
    read = home.here("tenant", "list", "--json")
    assert read.status == 0 and len(read.document) == 2 and "OFFLINE" in read.err
    tells(home.here("staff", "deactivate", ANN, who=SUE), 4, "do it again when the shared database is back")


def test_hostile_text_never_reaches_the_terminal_raw(home: Home) -> None:
    """REQ-101; design.md, "Terminal injection"."""
    words = [word for pair in {**ASK, "--ticket": HOSTILE, "--reason": HOSTILE}.items() for word in pair]
    refused = home.here("request", "create", *words, "--json", who=ANN)
    assert refused.status == 3 and refused.document["refused"]
    name = "Ann \u202e\u200bLee"
    added = home.here("staff", "add", "--email", "evil@ops.example", "--name", name, "--role", "auditor", "--json")
    listed = [
        home.here("staff", "list"),
        home.here("staff", "list", "--json"),
        home.here("audit", "list"),
        added,
        refused,
    ]
    for answer in listed:
        raw = answer.out + answer.err
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", raw), repr(raw)
    tells(home.run("request", "show", "\udcff"), 2, "not UTF-8 text")


def test_an_auditor_reads_everything_and_changes_nothing(home: Home) -> None:
    """REQ-701."""
    words = [word for pair in ASK.items() for word in pair]
    assert home.here("request", "create", *words, "--otp", home.code(OTTO), "--json", who=OTTO).status == 3
    home.ok("request", "list", who=OTTO)
    home.ok("audit", "list", "--log", "tenant:northwind", who=OTTO)


def _behind_the_back(home: Home, *statements: str) -> None:
    """Change the file as somebody with `sqlite3` would, triggers out of the way and back again."""
    with closing(sqlite3.connect(home.database, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (("UPDATE operator_log SET body = replace(body, 'Raj', 'Ray') WHERE seq = 5",), "operator log, number 5"),
        (("DELETE FROM operator_log WHERE seq = 5",), "operator log, number 5"),
        (("UPDATE staff SET image = replace(image, 'auditor', 'super')",), "table staff"),
        (("UPDATE tenant_log SET body = replace(body, 'pro', 'con') WHERE tenant_id = 'northwind'",),
         "log of tenant northwind, number 1"),
        (("DELETE FROM operator_log WHERE seq = (SELECT max(seq) FROM operator_log)",
          "UPDATE log_head SET seq = seq - 1, hash = (SELECT hash FROM operator_log ORDER BY seq DESC LIMIT 1)"
          " WHERE log = 'operator'"), "this console saw number"),
    ],
    ids=["a byte", "an entry gone", "a row", "a tenant's entry", "the tail cut"],
)  # fmt: skip
def test_tampering_is_found_named_and_exit_status_1(home: Home, statements: tuple[str, ...], says: str) -> None:
    """REQ-403, REQ-404, REQ-405; issue 2, "Must show", 3."""
    home.ok("staff", "list")
    _behind_the_back(home, *statements)
    answer = home.run("audit", "verify", "--all")
    assert answer.status == 1 and says in answer.out, answer.out
    assert "Traceback" not in answer.err
