"""A team at work on a PostgreSQL of its own: three engineers, each inside a tenant, and a super; made by the commands
themselves, cloned for each fault."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pwd
import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from app.__main__ import run
from tests.postgres import Cluster, binaries
from tests.terminal.headless import ASK

ENGINEERS = ("ann", "raj", "lee")
SUPER = "sue"
_TENANT = {
    "id": "fabrikam",
    "name": "Fabrikam",
    "plan": "free",
    "status": "active",
    "settings": {"standing_consent": True, "max_minutes": 240},
    "contacts": [{"id": "eva", "name": "Eva Berg", "email": "eva@fabrikam.example", "roles": ["tenant_admin", "user"]}],
}


@dataclass(frozen=True)
class Person:
    """Somebody with a log-in of their own; `session` is the session they are in ("" for the super)."""

    name: str
    email: str
    role: str
    secret: str
    session: str = ""

    def url(self, database: str, port: int, host: str = "127.0.0.1") -> str:
        return f"postgresql://{self.role}@{host}:{port}/{database}"


@dataclass(frozen=True)
class Team:
    """A database that nobody is connected to, and whose it is."""

    database: str
    people: tuple[Person, ...]


class Server(Cluster):
    """A durable server with everything PostgreSQL brings, which can be killed."""

    def __init__(self) -> None:
        super().__init__(
            next(place for place in binaries().values() if (place / "pg_basebackup").exists()), durable=True
        )

    @property
    def socket(self) -> Path:
        return self.home / ".s.PGSQL.5432"

    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """kill -9 of the postmaster; its children notice by themselves."""
        os.kill(self.postmaster(), signal.SIGKILL)

    def start_again(self) -> None:
        """After a kill: as soon as the last child has let go of the shared memory."""
        until = time.monotonic() + 30
        while True:
            try:
                return self.start()
            except AssertionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)  # the poll of a condition

    def restart(self) -> None:
        self.stop("fast")
        self.start()

    def dump(self, database: str, file: Path) -> None:
        self._run("pg_dump", "--format=custom", f"--file={file}", self.url(database))

    def restore(self, database: str, file: Path) -> None:
        """In the place of the database that is there."""
        self.drop(database)
        self._run("createdb", "-h", self.home, "-U", "postgres", "-T", "template0", database)
        self._run("pg_restore", "--exit-on-error", f"--dbname={self.url(database)}", file)

    def gone(self) -> None:
        """End it, in whichever state it is, and forget its files."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def standby(self, port: int) -> Standby:
        """A streaming standby of this server, which follows it over the port."""
        return Standby(self, port)


class Standby(Server):
    """Made by pg_basebackup, following by streaming replication until it is promoted."""

    def __init__(self, primary: Server, port: int) -> None:
        self.home = Path(mkdtemp(prefix="cs-sb-", dir="/tmp"))
        self.user, self.programs, self._settings = primary.user, primary.programs, primary._settings
        self._numbers = primary._numbers
        if self.user is not None:
            os.chown(self.home, pwd.getpwnam(self.user).pw_uid, -1)
        self.data = self.home / "data"
        source = f"host=127.0.0.1 port={port} user=postgres"
        self._run("pg_basebackup", "-D", self.data, "-d", source, "-c", "fast", "-R", "-X", "stream", "--no-sync")
        self.start()

    def promote(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "promote")


def made(server: Server) -> Team:
    """Init, people, a tenant with standing consent, and a session for each engineer."""
    database = server.fresh("template0", "team")
    home = Path(mkdtemp(prefix="cs-team-"))
    try:
        return _made(server, database, home)
    finally:
        shutil.rmtree(home)


def _made(server: Server, database: str, home: Path) -> Team:
    def says(url: str, *words: str) -> Any:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run(["--home", str(home), "--database", url, *words, "--json"])
        assert status == 0, (words, out.getvalue(), err.getvalue())
        return json.loads(out.getvalue())

    def enrolled(document: Any, session: str = "") -> Person:
        role = re.split("[:@]", document["database"].partition("://")[2])[0]
        return Person(document["email"].split("@")[0], document["email"], role, document["secret"], session)

    sue = says(server_url(server, database), "init", "--email", "sue@ops.example", "--name", "Sue Park")
    file = home / "tenant.jsonl"
    file.write_text(json.dumps(_TENANT))
    ask = {**ASK, "--tenant": "fabrikam", "--target": "eva", "--mode": "read_only", "--minutes": "240"}
    people = []
    for name in ENGINEERS:
        email = f"{name}@ops.example"
        add = ("staff", "add", "--email", email, "--name", f"{name.title()} Ops", "--role", "engineer")
        one = says(sue["database"], *add)
        if not people:
            says(sue["database"], "tenant", "import", str(file))
        codes, words = iter(one["recovery_codes"]), [word for pair in ask.items() for word in pair]
        request = says(one["database"], "request", "create", *words, "--otp", next(codes))
        session = says(one["database"], "session", "start", request["id"], "--otp", next(codes))
        people.append(enrolled(one, session["id"]))
    return Team(database, (*people, enrolled(sue)))


def server_url(server: Server, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={server.home}"
