"""REQ-802 over the portal's log-in: what a tenant decided by headless command while the server was out of reach is
kept, and sent on return over that log-in, and over no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from app.__main__ import run
from tests.postgres import cluster
from tests.terminal.headless import ANN, ASK, SUE, TENANTS

FORM = tuple(word for pair in ASK.items() for word in pair)
ASKED = ("request", "create", *FORM, "--mode", "read_only", "--minutes", "30")


class Team:
    """Sue, a super, and Ann, an engineer, of one database; the portal; all on one machine, with one home."""

    def __init__(self, database: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.database, self.home, self._capsys = database, home, capsys
        sue = self.says(self.role("postgres"), "init", "--email", SUE, "--name", "Sue", "--json")
        self.sue: str = json.loads(sue[0])["database"]
        add = ("staff", "add", "--email", ANN, "--name", "Ann Lee", "--role", "engineer", "--json")
        ann = json.loads(self.says(self.sue, *add)[0])
        self.ann: str = ann["database"]
        self.codes = iter(ann["recovery_codes"])
        self.portal = self.role("countersign_portal")
        (home / "tenants.jsonl").write_text("\n".join(json.dumps(one) for one in TENANTS))
        self.says(self.sue, "tenant", "import", str(home / "tenants.jsonl"))

    def role(self, name: str) -> str:
        return f"postgresql://{name}@/{self.database}?host={cluster().home}"

    def says(self, url: str, *words: str, status: int = 0) -> tuple[str, str]:
        """What a command says, and what it says to people."""
        found = run(["--home", str(self.home), "--database", url, *words])
        out, err = self._capsys.readouterr()
        assert found == status, (words, out, err)
        return out, err

    def asked(self) -> tuple[str, dict[str, str]]:
        """A request, and the tokens that the tenant's admins were mailed, by what each can do."""
        request = json.loads(self.says(self.ann, *ASKED, "--otp", next(self.codes), "--json")[0])["id"]
        self.says(self.role("countersign_worker"), "worker", "--once")
        letters = [file.read_text() for file in (self.home / "mailbox").rglob("*") if file.is_file()]
        tokens = set(re.findall(r"/consent/([A-Za-z0-9_-]+)", "\n".join(letters).replace("=\n", "")))
        shown = {one: json.loads(self.says(self.portal, "consent", "show", one, "--json")[0]) for one in tokens}
        return request, {found["link"]["for"]: one for one, found in shown.items()}

    def state(self, request: str) -> str:
        return str(json.loads(self.says(self.ann, "request", "show", request, "--json")[0])["state"])

    def outbox(self, url: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.says(url, "replica", "status", "--json")[0])["outbox"]
        return found

    @contextmanager
    def away(self) -> Iterator[None]:
        """The server lets nobody in while the block runs."""
        with psycopg.connect(cluster().url(), autocommit=True) as god:
            god.execute(f'alter database "{self.database}" allow_connections false')
            god.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (self.database,))
            yield
            god.execute(f'alter database "{self.database}" allow_connections true')


@pytest.fixture
def team(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Team]:
    name = cluster().fresh("template0", "door")
    yield Team(name, tmp_path, capsys)
    cluster().drop(name)


def test_a_denial_is_kept_and_sent_by_the_portals_log_in_on_return(team: Team) -> None:
    """REQ-802, REQ-105: it takes privilege away."""
    request, tokens = team.asked()
    with team.away():
        _, said = team.says(team.portal, "consent", "deny", tokens["deny"], "--note", "not today")
        assert f"queued, not in force: denial of {request}" in said
        assert "not done" in team.says(team.portal, "consent", "approve", tokens["approve"], status=4)[1]
    assert team.state(request) == "pending", "Ann's log-in decides for nobody"
    (waiting,) = team.outbox(team.ann)
    assert waiting["state"] == "queued" and "portal's log-in" in waiting["words"]
    _, said = team.says(team.portal, "consent", "show", tokens["deny"])
    assert f"sent: denial of {request} in force since" in said
    assert team.state(request) == "denied"
    log = json.loads(team.says(team.ann, "audit", "list", "--filter", "action:request.denied", "--json")[0])
    assert [(one["actor"]["kind"], one["data"]["note"]) for one in log] == [("tenant_admin", "not today")]
    assert [one["state"] for one in team.outbox(team.portal)] == ["sent"]


def test_what_staff_decided_is_not_sent_by_the_portals_log_in(team: Team) -> None:
    """P1, REQ-802: nobody acts for another."""
    request, tokens = team.asked()
    with team.away():
        assert "queued" in team.says(team.ann, "--as", ANN, "request", "withdraw", request)[1]
    team.says(team.portal, "consent", "show", tokens["deny"])
    (waiting,) = team.outbox(team.portal)
    assert waiting["state"] == "queued" and waiting["words"] == f"it is sent over the log-in of {ANN}"
    team.says(team.ann, "request", "list")
    assert team.state(request) == "withdrawn", "Ann's next command has sent it"
