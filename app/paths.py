"""Where things are on this machine: below one home directory, or in the platform's own places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

APPLICATION = "countersign"


@dataclass(frozen=True, slots=True)
class Paths:
    """Four directories; everything else is a name below one of them. Nothing is created by asking."""

    config: Path
    data: Path
    state: Path
    logs: Path

    @classmethod
    def below(cls, home: Path) -> Paths:
        """All four below `home` (`--home`, COUNTERSIGN_HOME)."""
        home = home.expanduser().absolute()
        return cls(home / "config", home / "data", home / "state", home / "logs")

    @classmethod
    def of_platform(cls) -> Paths:
        """The platform's directories for this user."""
        from platformdirs import PlatformDirs  # a tenth of the first frame's budget: only where it is needed

        dirs = PlatformDirs(APPLICATION, appauthor=False)
        return cls(
            Path(dirs.user_config_dir), Path(dirs.user_data_dir), Path(dirs.user_state_dir), Path(dirs.user_log_dir)
        )

    @property
    def config_file(self) -> Path:
        return self.config / "countersign.toml"

    @property
    def key_file(self) -> Path:
        """The key that seals second-factor secrets; mode 0600, made on first use."""
        return self.config / "countersign.key"

    @property
    def shared_database(self) -> Path:
        """The embedded default's shared database."""
        return self.data / "shared.db"

    @property
    def replicas(self) -> Path:
        return self.data / "replica"

    @property
    def mailbox(self) -> Path:
        """The Maildir that mail is written to where no mail server is configured."""
        parent = self.data.parent if self.data.name == "data" else self.data
        return parent / "mailbox"

    @property
    def witnesses(self) -> Path:
        """The heads this machine has seen, a file for each shared database: a replaced one cannot replace them too."""
        return self.state / "witness"

    @property
    def outboxes(self) -> Path:
        """What was decided offline and is not sent yet, a file for each shared database."""
        return self.state / "outbox"

    @property
    def evidence(self) -> Path:
        return self.state / "evidence"

    @property
    def remembered(self) -> Path:
        """Who signed in last."""
        return self.state / "identity"

    @property
    def log_file(self) -> Path:
        return self.logs / "countersign.log"
