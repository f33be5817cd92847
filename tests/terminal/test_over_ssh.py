"""Over SSH a person is known by the server's word, and the IP is the client's (REQ-703): `authorized_keys` as sshd runs
it, with the environment that sshd sets."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.over_ssh import asked_for
from storage.errors import Misconfigured
from tests.terminal.headless import ANN, RAJ, SUE, Answer, Home, home, prepared

__all__ = ["home", "prepared"]

CLIENT = "203.0.113.7"


def over_ssh(home: Home, whose: str, typed: str, cwd: Path, **accepted: str) -> Answer:
    """What sshd does for a key whose line says `command="countersign over-ssh WHOSE"`, and the client typed `typed`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COUNTERSIGN_", "SSH_"))}
    told = {
        "SSH_CONNECTION": f"{CLIENT} 50412 198.51.100.2 22",
        "SSH_ORIGINAL_COMMAND": typed,
        "COUNTERSIGN_HOME": str(home.path),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "over-ssh", whose],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**inherited, "NO_COLOR": "1", **accepted, **told},
        cwd=cwd,
        timeout=60,
        check=False,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_what_is_done_over_ssh_is_the_keys_owner_s_from_the_client_s_address(home: Home, tmp_path: Path) -> None:
    """REQ-401, REQ-703: the entry's actor and IP."""
    words = shlex.join(
        ["staff", "add", "--email", "kim@ops.example", "--name", "Kim Lo", "--role", "engineer", "--json"]
    )
    added = over_ssh(home, SUE, f"countersign {words}", tmp_path)
    assert added.status == 0, added.err
    entries = home.here("audit", "list", "--json", "--limit", "1000", who=SUE).document
    [entry] = [one for one in entries if one["action"] == "staff.added" and "kim" in json.dumps(one)]
    assert (entry["actor"]["email"], entry["ip"]) == (SUE, CLIENT)


@pytest.mark.parametrize(
    ("typed", "accepted"),
    [
        (f"--as {SUE} staff list", {}),
        (f"countersign --as={SUE} staff add --email x@y.example --name X --role super", {}),
        ("staff list", {"COUNTERSIGN_FIXED_AS": SUE}),
        (f"over-ssh {SUE}", {}),
    ],
)
def test_nobody_is_somebody_else_over_ssh(home: Home, tmp_path: Path, typed: str, accepted: dict[str, str]) -> None:
    """REQ-703: neither by flag, nor by an environment that a server accepts, nor by the command that fixes it."""
    told = over_ssh(home, ANN, typed, tmp_path, **accepted)
    assert told.status == 2
    assert f"{SUE if accepted else ANN}" in told.err


def test_what_a_client_says_in_its_environment_is_left_out(home: Home, tmp_path: Path) -> None:
    """REQ-703: COUNTERSIGN_AS from `AcceptEnv` is no word of the server's."""
    refused = over_ssh(home, ANN, f"staff deactivate {RAJ}", tmp_path, COUNTERSIGN_AS=SUE)
    assert refused.status == 3, refused.err
    assert "only a super" in refused.err


def test_what_lies_in_the_directory_is_not_run(home: Home, tmp_path: Path) -> None:
    """A program put where one logs in is not taken for ours."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("print('mine now')")
    assert "mine now" not in over_ssh(home, ANN, "staff list", tmp_path).out


def test_words_are_words_and_no_shell_sees_them() -> None:
    assert asked_for("countersign audit list --filter 'refund; rm -rf /' $(id)") == [
        "audit", "list", "--filter", "refund; rm -rf /", "$(id)",
    ]  # fmt: skip
    assert asked_for("") == []
    with pytest.raises(Misconfigured, match="cannot read"):
        asked_for("audit list 'open")


def test_a_fixed_identity_holds_without_over_ssh_too(home: Home) -> None:
    """REQ-703: a served console, a service, a `ForceCommand` of one's own: the variable is the server's word."""
    assert home.run("staff", "list", COUNTERSIGN_FIXED_AS=ANN).status == 0
    told = home.run("staff", "list", who=RAJ, COUNTERSIGN_FIXED_AS=ANN)
    assert told.status == 2 and f"let you in as {ANN}, not as {RAJ}" in told.err
