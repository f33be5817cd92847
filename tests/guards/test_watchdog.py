"""Whoever sits on the operator log's head is cut off by the worker, and the others go on; time-outs are the attacker's
to lift, so they are no protection."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.models.row import time_text
from storage.shared.change import new_change_id
from tests.guards.test_logins import ANN, SUE, Team, team
from tests.postgres import cluster

__all__ = ["team"]
ACME = {"id": "acme", "name": "Acme", "plan": "business", "status": "active", "contacts": []}
WAITED = (
    "select exists (select from pg_locks where not granted and waitstart < clock_timestamp() - interval '5 seconds')"
)


def an_export(person: dict[str, Any], email: str) -> str:
    """An honest Change of an engineer that needs nothing: they exported a log."""
    actor = {
        "kind": "staff",
        "id": person["id"],
        "name": email[:3].title(),
        "email": email,
        "ip": "local",
        "step_up": None,
    }
    return json.dumps(
        {
            "id": new_change_id(),
            "at": time_text(datetime.now(UTC)),
            "actor": actor,
            "entries": [{"action": "log.exported", "data": {"log": "operator"}}],
            "reads": [],
            "writes": [],
            "answer": {},
            "seen": None,
        }
    )


def test_a_log_in_that_holds_the_head_is_cut_off_and_the_others_go_on(team: Team, tmp_path: Path) -> None:
    """As an engineer would type it: every time-out off, begin, one honest command, and never commit."""
    team.adds(SUE, ANN, "engineer")
    (tmp_path / "tenants.jsonl").write_text(json.dumps(ACME))
    worker = team.superuser.replace("postgres@", "countersign_worker@", 1)
    sitter = team.connects(ANN)
    for timeout in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        sitter.execute(f"set {timeout} = 0")
    sitter.execute("begin")
    sitter.execute("select countersign.apply(%s::jsonb)", (an_export(team.people[ANN], ANN),))

    home, url = str(tmp_path / "sue"), team.people[SUE]["database"]
    command = ["--home", home, "--database", url, "tenant", "import", str(tmp_path / "tenants.jsonl")]
    colleague = subprocess.Popen([sys.executable, "-m", "app", *command], stderr=subprocess.PIPE, text=True)
    with psycopg.connect(cluster().url(sitter.info.dbname), autocommit=True) as looking:
        while looking.execute(WAITED).fetchone() != (True,):
            assert colleague.poll() is None, colleague.communicate()
    team.people["worker"] = {"database": worker}
    try:
        said = team.does("worker", "worker", "--once")
    finally:
        del team.people["worker"]  # its role is not the test's to drop

    assert "it held the log's head while others waited" in said
    _, words = colleague.communicate(timeout=60)
    assert colleague.returncode == 0, words
    with pytest.raises(psycopg.OperationalError):
        sitter.execute("select 1")
    with psycopg.connect(cluster().url(sitter.info.dbname), autocommit=True) as looking:
        left = looking.execute(
            "select count(*) from countersign.operator_log where body like '%log.exported%'"
        ).fetchone()
    assert left == (0,)
