"""A Maildir as the mail system of the embedded default: each letter a file, complete the moment it appears."""

from __future__ import annotations

import os
import re
import secrets
from email.message import EmailMessage
from pathlib import Path


class Maildir:
    """`tmp/`, `new/` and `cur/` below `path`. A letter's file name is derived from its id, so a letter that two
    processes deliver at once, or one delivers twice, is there once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def deliver(self, mail_id: str, message: EmailMessage) -> bool:
        """Write the letter; False if it was there already. Raises OSError where nothing can be written."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", mail_id) + ".countersign"
        for folder in ("tmp", "new", "cur"):
            (self.path / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._is_there(name):
            return False
        draft = self.path / "tmp" / f"{name}.{secrets.token_hex(6)}"
        try:
            with draft.open("wb") as file:
                file.write(message.as_bytes(policy=message.policy.clone(linesep="\n")))  # a Maildir's lines end so
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, self.path / "new" / name)  # unlike a rename, this refuses what is there already
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        return True

    def _is_there(self, name: str) -> bool:
        """In `new`, or read and moved to `cur` by a mail reader, which adds flags to the name."""
        return (self.path / "new" / name).exists() or any((self.path / "cur").glob(name + "*"))
