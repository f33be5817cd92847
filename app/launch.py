"""What must be known before the first frame, found with the standard library alone: where things are, which shared
database, and who I am. Everything else is in `app.settings`, which is heavier and loaded afterwards.

Each value comes from the first of: flag, environment, config file, default; `Launch.origin` tells which.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.database_url import is_postgres, place_of, shown
from app.paths import Paths
from storage.errors import Misconfigured

if TYPE_CHECKING:
    from app.settings import Settings

PREFIX = "COUNTERSIGN_"
FIXED_AS = PREFIX + "FIXED_AS"


@dataclass(frozen=True)
class Launch:
    """How this process was started. `identity` is an e-mail address, or None where nobody is known yet."""

    paths: Paths
    flags: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        database: str | None = None,
        home: str | None = None,
        identity: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Launch:
        """Flags as given (None: not given), and the environment. Raises Misconfigured for an unreadable config file."""
        environment = os.environ if environment is None else environment
        home = home or environment.get(PREFIX + "HOME") or None
        paths = Paths.below(Path(home)) if home else Paths.of_platform()
        flags = {"database": database, "as": identity}
        return cls(paths, {name: value for name, value in flags.items() if value}, dict(environment))

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config file's content; empty where there is none."""
        path = self.paths.config_file
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"cannot read {path}: {_words(error)}") from error
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise Misconfigured(f"{path}: {error}", "see `countersign config show` for its form") from error

    @property
    def default_database(self) -> str:
        return f"sqlite:///{self.paths.shared_database}"

    @cached_property
    def database(self) -> str:
        """The shared database's URL."""
        value = self.flags.get("database") or self.environment.get(PREFIX + "DATABASE") or self.config.get("database")
        if value is not None and not isinstance(value, str):
            raise Misconfigured(f"{self.paths.config_file}: database must be text, such as {self.default_database!r}")
        return value or self.default_database

    @property
    def on_postgres(self) -> bool:
        """Whether the team shares a PostgreSQL; else an SQLite file."""
        return is_postgres(self.database)

    @property
    def database_shown(self) -> str:
        """The shared database as it may be shown and logged: without a password."""
        return shown(self.database) if self.on_postgres else str(self.database_path)

    @property
    def console(self) -> dict[str, Any]:
        """What the first frame needs of `[console]`: as in the environment, else as in the config file; unchecked."""
        section = self.config.get("console")
        found: dict[str, Any] = dict(section) if isinstance(section, dict) else {}
        for key in ("theme", "clock"):
            if value := self.environment.get(f"{PREFIX}CONSOLE__{key.upper()}"):
                found[key] = value
        return found

    @property
    def database_path(self) -> Path:
        """The file behind the URL. Raises Misconfigured for any other scheme."""
        return database_path(self.database)

    @property
    def fixed_identity(self) -> str | None:
        """Who I am by the server's word (REQ-703): set by whatever let the person in (`countersign over-ssh`, a forced
        command, a service), so that nobody says it of themselves."""
        return self.environment.get(FIXED_AS) or None

    @property
    def identity(self) -> str | None:
        """Who I am: by the server's word, else `--as`, COUNTERSIGN_AS, else who signed in last. Raises Misconfigured
        where somebody says something else than the server does."""
        said = self.flags.get("as") or self.environment.get(PREFIX + "AS") or None
        fixed = self.fixed_identity
        if fixed is None:
            return said or self._remembered() or None
        if said is not None and said.casefold() != fixed.casefold():
            raise Misconfigured(
                f"the server let you in as {fixed}, not as {said}",
                "leave --as out; whoever runs the server says who you are",
            )
        return fixed

    def _remembered(self) -> str:
        try:
            return self.paths.remembered.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""  # nobody is remembered: the person says who they are

    def remember(self, email: str) -> None:
        """Be `email` from now on, unless told otherwise. Where the server says who that is, nothing is remembered."""
        if self.fixed_identity is not None:
            return
        self.paths.state.mkdir(parents=True, exist_ok=True)
        self.paths.remembered.write_text(email + "\n", "utf-8")

    @property
    def replica_path(self) -> Path:
        """This home's copy of that shared database."""
        return self.paths.replicas / f"{self._database_name}.db"

    @property
    def witness_path(self) -> Path:
        """What this home remembers of that shared database's heads."""
        return self.paths.witnesses / f"{self._database_name}.json"

    @property
    def outbox_path(self) -> Path:
        """What this home keeps for that shared database while it is out of reach."""
        return self.paths.outboxes / f"{self._database_name}.db"

    @property
    def _database_name(self) -> str:
        """A file name that stands for the database's own, whoever logs in to it."""
        where = place_of(self.database, self.environment) if self.on_postgres else str(self.database_path.resolve())
        return hashlib.sha256(where.encode()).hexdigest()[:16]

    @cached_property
    def settings(self) -> Settings:
        """Every setting, checked. Loads pydantic: not before the first frame."""
        from app.settings_layers import load

        return load(self)


def database_path(url: str) -> Path:
    """`sqlite:///relative` or `sqlite:////absolute` as a path. Raises Misconfigured for every other form."""
    form = "use sqlite:///path/to/shared.db or postgresql://user@host/name"
    if is_postgres(url):
        raise Misconfigured(f"{shown(url)} is no file: this works on an SQLite file only", "give it with --database")
    if not url.lower().startswith("sqlite:///"):
        raise Misconfigured(f"not a database URL: {shown(url)}", form)
    rest = url[len("sqlite:///") :]
    if not rest or rest == ":memory:" or "?" in rest:
        raise Misconfigured(f"the database URL names no file: {url}", form)
    return Path(rest).expanduser().absolute()


def _words(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
