"""The demo's Maildir as the mailbox pane reads it: every letter, newest first, with the hashes of its links' tokens.

The tokens are here, and nowhere in any database: this is the tenant's mailbox, which in a real installation is theirs.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

from screens.demo_letter import Letter

_LINK = re.compile(r"^https?://\S+/consent/([A-Za-z0-9_-]+)$", re.MULTILINE)


class Letterbox:
    """Reads each file once: a letter that has arrived never changes. May be read ahead in another thread."""

    def __init__(self, mailbox: Path) -> None:
        self._mailbox = mailbox
        self._letters: dict[str, Letter] = {}

    def letters(self) -> list[Letter]:
        """What is there now, newest first."""
        for folder in ("new", "cur"):
            for path in (self._mailbox / folder).glob("*.countersign*"):
                key = path.name.partition(".countersign")[0]
                if key not in self._letters:
                    with suppress(FileNotFoundError):  # moved to `cur` this moment
                        self._letters[key] = _read(key, path)
        return sorted(self._letters.values(), key=lambda letter: (letter.at, letter.key), reverse=True)


def _read(key: str, path: Path) -> Letter:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    name, address = parseaddr(str(message["To"]))
    body = message.get_body(("plain",))
    text = str(body.get_content()) if body is not None else ""
    at = parsedate_to_datetime(str(message["Date"])) if message["Date"] else datetime.now(UTC)
    hashes = tuple(hashlib.sha256(token.encode()).hexdigest() for token in _LINK.findall(text))
    head = str(message["X-Countersign-Head"] or "")
    return Letter(
        key, name, address, str(message["Subject"]), at.astimezone(UTC), text.replace("\r\n", "\n"), hashes, head
    )
