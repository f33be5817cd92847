"""Log-ins on PostgreSQL (REQ-701): made with the account by whoever adds it, gone with it, nobody else's to give."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.__main__ import run
from tests.postgres import cluster

SUE, ANN, RAJ = "sue@ops.example", "ann@ops.example", "raj@ops.example"


@dataclass
class Team:
    """A database made and peopled by the command line; `people` holds what each was shown."""

    home: Path
    superuser: str
    people: dict[str, dict[str, Any]]
    capture: pytest.CaptureFixture[str]

    def does(self, email: str, *words: str, status: int = 0) -> str:
        """One command over that person's log-in ("" for the superuser's); what it said."""
        url = self.people[email]["database"] if email else self.superuser
        found = run(["--home", str(self.home), "--database", url, *words])
        out, err = self.capture.readouterr()
        assert found == status, (words, out, err)
        return out + err if status else out or err

    def adds(self, by: str, email: str, role: str, *more: str) -> None:
        words = ("staff", "add", "--email", email, "--name", email[:3].title(), "--role", role, "--json", *more)
        self.people[email] = json.loads(self.does(by, *words))

    def connects(self, email: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.people[email]["database"], autocommit=True)


@pytest.fixture
def team(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    name = cluster().fresh("template0", "logins")
    url = f"postgresql://postgres@/{name}?host={cluster().home}"
    made = Team(tmp_path, url, {}, capsys)
    made.people[SUE] = json.loads(made.does("", "init", "--email", SUE, "--name", "Sue", "--json"))
    yield made
    for person in made.people.values():
        role = person["database"].partition("//")[2].partition("@")[0].partition(":")[0]
        with psycopg.connect(cluster().url(), autocommit=True) as connection:
            connection.execute(f'drop role if exists "{role}"')
    cluster().drop(name)


def test_who_leaves_loses_the_log_in_and_every_connection(team: Team) -> None:
    team.adds(SUE, ANN, "engineer")
    with team.connects(ANN) as idle, team.connects(ANN) as busy:
        assert idle.execute("select session_user").fetchone() == (busy.info.user,)
        busy.execute("begin")
        assert "2 connections ended" in team.does(SUE, "staff", "deactivate", ANN)
        for connection in (idle, busy):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        team.connects(ANN)
    assert "does not let you in" in team.does(ANN, "staff", "list", status=2)


@pytest.mark.parametrize(
    "held",
    [
        "select countersign.step_up_begin('000000', 'session.start', 'local')",
        "alter role current_user password 'another'",
        "select pg_advisory_lock(hashtextextended('countersign log-ins', 0))",
    ],
)
def test_nobody_holds_up_the_end_of_their_own_log_in(team: Team, held: str) -> None:
    """P12: whatever they began and never commit, every time-out off."""
    team.adds(SUE, ANN, "engineer")
    with team.connects(ANN) as sitter:
        for timeout in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            sitter.execute(f"set {timeout} = 0")
        sitter.execute("begin")
        sitter.execute(held)
        assert "1 connections ended" in team.does(SUE, "staff", "deactivate", ANN)
        with pytest.raises(psycopg.OperationalError):
            sitter.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        team.connects(ANN)


def test_a_log_in_is_given_by_the_super_who_added_the_person_once(team: Team) -> None:
    team.adds(SUE, ANN, "engineer")
    team.adds(SUE, RAJ, "super")
    verifier = "SCRAM-SHA-256$4096:" + "A" * 24 + "$" + "B" * 44 + ":" + "C" * 44
    add = "select countersign.staff_login_add(%s, %s, null)"
    for who, whom in ((ANN, RAJ), (RAJ, ANN), (RAJ, SUE), (SUE, SUE)):
        with team.connects(who) as connection, pytest.raises(psycopg.Error, match="by the super who added") as refused:
            connection.execute(add, (team.people[whom]["id"], verifier))
        assert refused.value.sqlstate == "CSP01"
    with team.connects(SUE) as connection, pytest.raises(psycopg.Error, match="has a log-in already"):
        connection.execute(add, (team.people[ANN]["id"], verifier))
    assert "has a log-in already" in team.does(SUE, "staff", "login", ANN, status=3)


def test_the_table_of_log_ins_is_nobodys_to_write_and_active_staff_keep_theirs(team: Team) -> None:
    team.adds(SUE, ANN, "engineer")
    remove = "select countersign.staff_login_remove(%s)"
    with team.connects(ANN) as connection:
        for attack in (
            "insert into countersign.login values ('postgres', 'staff', 'U-X')",
            "update countersign.login set id = 'U-X'",
            "select * from countersign.login",
            "select countersign.watchdog()",
            "select countersign.departed()",
            "set role countersign_owner",
            "create role friend login",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)
        with pytest.raises(psycopg.Error, match="by a super, or by the worker"):
            connection.execute(remove, (team.people[SUE]["id"],))
    with team.connects(SUE) as connection, pytest.raises(psycopg.Error, match="active staff stays"):
        connection.execute(remove, (team.people[ANN]["id"],))


def test_a_role_that_can_do_more_than_staff_is_no_log_in_of_staff(team: Team) -> None:
    words = ("staff", "add", "--email", RAJ, "--name", "Raj", "--role", "engineer", "--login")
    assert "can do more than a member of staff" in team.does(SUE, *words, "postgres", status=3)
    assert "there is no log-in nobody_there" in team.does(
        SUE, "staff", "login", RAJ, "--login", "nobody_there", status=3
    )


def test_one_is_whoever_one_logged_in_as(team: Team) -> None:
    team.adds(SUE, ANN, "engineer")
    as_sue = ("--as", SUE)
    assert "is that of ann@ops.example" in team.does(ANN, *as_sue, "staff", "deactivate", ANN, status=2)
    assert "is not the worker's log-in" in team.does(ANN, "worker", "--once", status=2)
    refused = team.does(ANN, "consent", "approve", "a-token", status=2)
    assert "countersign_portal" in refused


def test_init_again_is_refused_and_an_upgrade_changes_nothing(team: Team) -> None:
    again = team.does("", "init", "--email", "eve@ops.example", "--name", "Eve", status=3)
    assert "staff are there already" in again
    assert "is up to date" in team.does("", "init", "--upgrade")
    assert "may not do this" in team.does(SUE, "init", "--upgrade", status=2)


def test_what_a_lost_network_leaves_behind_ends_by_itself(team: Team) -> None:
    """A person may have 20 connections: those whose other end is gone must not count for hours. Found by the fault
    suite: after seven silent losses of the network nobody was let in any more. An upgrade gives it to everybody."""
    wanted = {"tcp_keepalives_idle=15", "tcp_keepalives_interval=5", "tcp_keepalives_count=3"}
    team.adds(SUE, ANN, "engineer")
    role = psycopg.conninfo.conninfo_to_dict(team.people[ANN]["database"])["user"]
    with psycopg.connect(team.superuser, autocommit=True) as admin:
        settings = "select rolconfig from pg_roles where rolname = %s"
        assert wanted <= set(admin.execute(settings, (role,)).fetchall()[0][0])
        admin.execute(f'alter role "{role}" reset all')
        team.does("", "init", "--upgrade")
        assert wanted <= set(admin.execute(settings, (role,)).fetchall()[0][0])
