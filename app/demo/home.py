"""Where the demo lives, who is in it, and its making: one directory, shared by every `countersign demo` of this user.

Nothing outside it is touched. It is laid out as any home, so `countersign --home <demo> …` works in it too; only
the replica and what a console remembers are each console's own, so that two consoles are truly two.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.launch import PREFIX, Launch
from app.paths import Paths
from storage.errors import Misconfigured
from storage.models.row import parse_time

STALE = timedelta(hours=4)
"""A world in which nothing has happened for so long is made anew: its sessions are over, its letters too late."""
MARK = "this directory belongs to `countersign demo` and may be deleted\n"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoPaths(Paths):
    """A home of which the replica is one console's own."""

    console: Path

    @property
    def replicas(self) -> Path:
        return self.console / "replica"


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The demo's directory."""

    root: Path

    @classmethod
    def of(cls, launch: Launch) -> DemoHome:
        """Beside the data of whoever started it."""
        return cls(launch.paths.data / "demo")

    @property
    def shared(self) -> Path:
        return self.root / "data" / "shared.db"

    @property
    def secrets_file(self) -> Path:
        """The second factors of the demo's staff: theirs are shown to everybody on screen."""
        return self.root / "codes.json"

    def paths(self, number: int) -> DemoPaths:
        """The places of console `number`."""
        console = self.root / "consoles" / str(number)
        return DemoPaths(self.root / "config", self.root / "data", console / "state", self.root / "logs", console)

    def launch(self, number: int, email: str, environment: dict[str, str]) -> Launch:
        """How console `number` starts. Of the environment only how it looks is taken over."""
        kept = {name: value for name, value in environment.items() if name.startswith(PREFIX + "CONSOLE")}
        return Launch(self.paths(number), {"as": email, "database": f"sqlite:///{self.shared}"}, kept)

    def secrets(self) -> dict[str, str]:
        """Second factors by e-mail address."""
        found: dict[str, str] = json.loads(self.secrets_file.read_text("utf-8"))
        return found

    # -- making ---------------------------------------------------------------------------------------------------

    def prepare(self, *, fresh: bool, progress: Progress) -> None:
        """See that there is a world: made by whoever comes first, reused by the others. Raises Misconfigured."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.root.with_name("demo.lock"), waiting=lambda: progress("another console is making the world")):
            if not fresh and self.shared.exists() and (self._somebody_inside() or not self._stale()):
                return
            if self._somebody_inside():
                raise Misconfigured("another console is in the demo world", "close it first, or leave out --fresh")
            self._clear()
            self._make(progress)

    def _clear(self) -> None:
        mark = self.root / "README"
        if not self.root.exists():
            return
        if not mark.exists() and any(self.root.iterdir()):
            raise Misconfigured(
                f"{self.root} is not empty, and not the demo's", "move it away, or choose another --home"
            )
        shutil.rmtree(self.root)

    def _make(self, progress: Progress) -> None:
        from app.demo.people import LEGAL_EMAIL
        from app.demo.seed import seed  # heavy, and needed once
        from storage.shared.vault import Vault, load_key

        paths = self.paths(0)
        for directory in (self.root, paths.config, paths.data, paths.logs):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.root / "README").write_text(MARK, "utf-8")
        paths.config_file.write_text(f'[operator]\nlegal_email = "{LEGAL_EMAIL}"\n', "utf-8")
        made = seed(self.shared, paths.mailbox, Vault(load_key(paths.key_file)), progress)
        self.secrets_file.touch(mode=0o600)
        self.secrets_file.write_text(json.dumps(made.secrets), "utf-8")

    def _stale(self) -> bool:
        try:
            with closing(sqlite3.connect(f"{self.shared.as_uri()}?mode=ro", uri=True)) as connection:
                query = "SELECT at FROM operator_log ORDER BY seq DESC LIMIT 1"
                at = parse_time(connection.execute(query).fetchone()[0])
        except (sqlite3.Error, TypeError):
            return True
        return datetime.now(UTC) - at > STALE or not self.secrets_file.exists()

    # -- who is inside --------------------------------------------------------------------------------------------

    @contextmanager
    def entered(self) -> Iterator[int]:
        """Be a console in this world; its number, the lowest that is free."""
        places = self.root / "consoles"
        places.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(1, 100):
            with suppress(BlockingIOError), locked(places / f"{number}.lock", waiting=None):
                try:
                    yield number
                finally:
                    self._player_file(number).unlink(missing_ok=True)
                return
        raise Misconfigured("there are 99 consoles in the demo world", "close one")

    def _somebody_inside(self) -> bool:
        for lock in (self.root / "consoles").glob("*.lock"):
            try:
                with locked(lock, waiting=None):
                    pass
            except BlockingIOError:
                return True
        return False

    def _player_file(self, number: int) -> Path:
        return self.root / "consoles" / f"{number}.player"

    def plays(self, number: int, email: str | None) -> None:
        """Console `number` says whom its person plays now."""
        path = self._player_file(number)
        if email is None:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_text("utf-8") != email:
            path.write_text(email, "utf-8")

    def played(self) -> frozenset[str]:
        """The e-mail addresses of everybody whom some person plays at this moment."""
        found = set()
        for path in (self.root / "consoles").glob("*.player"):
            try:
                with locked(path.with_suffix(".lock"), waiting=None):
                    path.unlink(missing_ok=True)  # its console was killed
            except BlockingIOError:
                with suppress(FileNotFoundError):
                    found.add(path.read_text("utf-8"))
        return frozenset(found)


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None) -> Iterator[None]:
    """Hold a lock that ends with the process. Where it is taken: call `waiting` and wait, or with None raise
    BlockingIOError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                raise
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
