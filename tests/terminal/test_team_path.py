"""The whole path by headless commands on PostgreSQL, everybody over a log-in of their own (issue 3, section 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.__main__ import run
from tests.postgres import cluster
from tests.terminal.headless import ANN, ASK, SUE, TENANTS


@pytest.fixture
def database() -> Iterator[str]:
    name = cluster().fresh("template0", "path")
    yield name
    cluster().drop(name)


def test_ask_mail_consent_start_and_verify_each_over_their_own_log_in(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-104, REQ-105, REQ-201: staff deliver no mail, a tenant decides over the portal's log-in, all is verified."""

    def says(url: str, *words: str, status: int = 0) -> str:
        found = run(["--home", str(tmp_path), "--database", url, *words])
        out, err = capsys.readouterr()
        assert found == status, (words, out, err)
        return out if status == 0 else err

    def role(name: str) -> str:
        return f"postgresql://{name}@/{database}?host={cluster().home}"

    sue = json.loads(says(role("postgres"), "init", "--email", SUE, "--name", "Sue", "--json"))
    add = ("staff", "add", "--email", ANN, "--name", "Ann Lee", "--role", "engineer", "--json")
    ann = json.loads(says(sue["database"], *add))
    (tmp_path / "tenants.jsonl").write_text("\n".join(json.dumps(one) for one in TENANTS))
    says(sue["database"], "tenant", "import", str(tmp_path / "tenants.jsonl"))
    mine, codes = ann["database"], iter(ann["recovery_codes"])
    form = [word for pair in ASK.items() for word in pair]
    ask = ("request", "create", *form, "--mode", "read_only", "--minutes", "30", "--otp", next(codes), "--json")
    request = json.loads(says(mine, *ask))
    assert request["state"] == "pending" and not (tmp_path / "mailbox").exists()
    says(role("countersign_worker"), "worker", "--once")
    letters = "\n".join(file.read_text() for file in (tmp_path / "mailbox").rglob("*") if file.is_file())
    token = re.findall(r"/consent/([A-Za-z0-9_-]+)", letters.replace("=\n", ""))[0]
    assert "portal's log-in" in says(mine, "consent", "approve", token, status=2)
    approved = json.loads(says(role("countersign_portal"), "consent", "approve", token, "--json"))
    assert approved["request"]["state"] == "approved"
    session = json.loads(says(mine, "session", "start", request["id"], "--otp", next(codes), "--json"))
    assert session["active"] and session["seconds"] == 1800
    assert json.loads(says(sue["database"], "audit", "verify", "--all", "--json"))["verified"]
