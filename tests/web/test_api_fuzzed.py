"""schemathesis against the OpenAPI document: whatever is sent, the answer is one that the document names (issue 4)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.headless import SUE, Home
from tests.web.portal import Portal


@pytest.mark.long
@pytest.mark.parametrize("scope", ["tenant:northwind", "platform"])
def test_schemathesis_finds_nothing(home: Home, portal: Portal, tmp_path: Path, scope: str) -> None:
    """Valid and invalid input, every endpoint, with a tenant's key and with the platform's."""
    right = ["--right", "read"] if scope.startswith("tenant") else []
    made = home.ok("apikey", "create", "--name", "fuzz", "--scope", scope, *right, "--json", who=SUE).document
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{portal.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {made['key']}",
            "--rate-limit",
            "200/m",
            "--max-examples",
            "25",
            "--phases",
            "examples,coverage,fuzzing",
            "--include-path-regex",
            "^/(healthz|api/platform)" if scope == "platform" else "^/(healthz|api/(tenant|audit))",
            # Rates answer 429 to whoever asks without pause; which input is refused by a *rule* no schema can say.
            "--exclude-checks",
            "positive_data_acceptance",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
