"""docs/deploy.md, followed word for word: its `sh` blocks run as they stand on a server of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.postgres import Cluster, binaries

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"
SERVER = "db.example.net"


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server as durable as a real one, with psql and pg_dump beside it."""
    programs = next(
        place for place in binaries().values() if (place / "pg_dump").exists() and (place / "psql").exists()
    )
    made = Cluster(programs, durable=True)
    yield made
    made.close()


def test_from_an_empty_postgresql_to_a_team(server: Cluster, tmp_path: Path) -> None:
    """Every block, in order, in one shell; each of its commands must succeed."""
    page = PAGE.read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 9
    script = "set -euo pipefail\n" + "\n".join(blocks).replace(SERVER, quote(str(server.home), safe=""))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COUNTERSIGN_", "PG", "XDG_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), str(server.programs), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**kept, "HOME": str(tmp_path / "home"), "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "WARNING" not in done.stderr, done.stderr

    people = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("sue", "ann", "otto", "raj")}
    for one in people.values():
        assert set(one) == {"id", "email", "otpauth", "secret", "recovery_codes", "database"}
    assert re.match(r"postgresql://cs_u_\w+:[\w-]{32}@", people["ann"]["database"])
    assert people["raj"]["database"].startswith("postgresql://raj@")
    listed = done.stdout[done.stdout.rindex("STANDING") :]
    assert re.search(r"ann@ops\.example .*left", listed) and re.search(r"raj@ops\.example .*active", listed)
    assert "Northwind" in done.stdout and "is taken away" in done.stderr

    secrets = [
        one["database"].partition("@")[0].rpartition(":")[2] for one in people.values() if "raj" not in one["email"]
    ]
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or not any(secret.encode() in file.read_bytes() for secret in secrets), file
