"""What is loaded when: floors that need no screen load none; nobody waits for what the first frame does not need."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.launch import Launch
from storage.replica.engine import Replica

ROOT = Path(__file__).parents[2]
WEB = {"fastapi", "starlette", "uvicorn", "jinja2", "multipart", "python_multipart"}
HEAVY = {
    "aiosmtplib", "aiosqlite", "alembic", "cryptography", "psycopg", "pydantic", "sqlalchemy", "sqlmodel", "structlog",
    *WEB,
}  # fmt: skip
LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
EVERYTHING_OF = """
import importlib, pkgutil
package = importlib.import_module({name!r})
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if "migrations" not in module.name:  # alembic's scripts run in alembic's own environment
        importlib.import_module(module.name)
"""
HELP = """
from app.__main__ import run
run(["--help"])
"""
FIRST_FRAMES = """
import asyncio
from app.console import CountersignApp
from app.launch import Launch

class UntilConnecting(CountersignApp):
    async def _connect(self):
        assert self.context.replica is not None
        shown = asyncio.Event()
        self.call_after_refresh(shown.set)
        await shown.wait()
        {loaded}
        self.exit()
        await asyncio.Event().wait()  # leaving ends this worker

async def main():
    app = UntilConnecting(Launch.of(home={home!r}, database={database!r}))
    async with app.run_test(size=(120, 36)):
        while app.is_running:
            await asyncio.sleep(0.01)
asyncio.run(main())
"""


def loaded_by(script: str) -> set[str]:
    """Top-level packages in a fresh interpreter after `script`, which may print before."""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["storage", "app.policy"])
def test_it_loads_without_textual(name: str) -> None:
    assert not {"textual", "rich"} & loaded_by(EVERYTHING_OF.format(name=name) + LOADED)


def test_policy_and_the_models_rows_load_nothing_but_the_standard_library() -> None:
    loaded = loaded_by(EVERYTHING_OF.format(name="app.policy") + "import storage.models\n" + LOADED)
    ours = {"app", "storage"}
    added = loaded - ours - set(sys.stdlib_module_names) - loaded_by(LOADED)
    assert added == set()


def test_help_loads_nothing_heavy() -> None:
    assert not (HEAVY | {"textual"}) & loaded_by(HELP + LOADED)


def test_the_first_frame_and_the_list_of_last_time_load_nothing_heavy(tmp_path: Path, shared_path: Path) -> None:
    home, database = str(tmp_path / "home"), f"sqlite:///{shared_path}"
    replica_path = Launch.of(home=home, database=database, environment={}).replica_path
    replica_path.parent.mkdir(parents=True)
    Replica.open(replica_path).close()
    loaded = loaded_by(FIRST_FRAMES.format(home=home, database=database, loaded=LOADED))
    assert "textual" in loaded
    assert not HEAVY & loaded


def test_what_is_called_heavy_exists() -> None:
    """A dependency that is renamed must not make these promises empty."""
    assert {name for name in HEAVY if importlib.util.find_spec(name)} == HEAVY
