"""Sealed forms: a post counts only from a page that was shown, in the browser it was shown to, for what it showed.

A form carries its *seal*: the id of the Change it would make, and when the page was made. Both are authenticated
(HMAC-SHA-256) together with the page's subject and with a cookie of that browser, so that no other site can post it
(CSRF), nobody can make one up, and a form sent twice is one Change: the shared database applies an id once. Where a
person must confirm, the page shows a short code that follows from the seal and that they type: what follows links, or
presses every button, sends none (REQ-105).
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256

from fastapi import Request, Response

from storage.shared.change import new_change_id

ALPHABET = "ACDEFGHJKMNPQRTUVWXY3479"
"""Letters and digits that nobody takes for one another, on paper, on a telephone or in a bad font."""
CODE_LENGTH = 4
OPEN_SECONDS = 3600
"""How long a page can lie open before it must be loaded again."""
COOKIE = "countersign_form"
_SEAL = re.compile(r"([0-9a-f-]{36})\.([0-9]{1,12})\.([0-9a-f]{64})")
_CHANGE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Seal:
    """What goes into a form (`text`), and the code that stands on the page beside it."""

    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A seal that was good: the id for its Change, and the code its page showed."""

    change_id: str
    code: str

    def is_confirmed_by(self, typed: str) -> bool:
        """Whether somebody typed the code; in any case of letters, with whatever space they put in."""
        plain = re.sub(r"[\s.-]", "", typed).upper()
        return hmac.compare_digest(plain.encode(), self.code.encode())


class Sealer:
    """Makes and opens seals with a key of its own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, subject: str, browser: str) -> Seal:
        """For the page about `subject`, shown to `browser`."""
        change_id, made = new_change_id(), str(int(time.time()))
        mac = self._mac("seal", change_id, made, subject, browser).hex()
        return Seal(f"{change_id}.{made}.{mac}", self._code(change_id, made, subject))

    def open(self, text: str, subject: str, browser: str) -> Opened | None:
        """None for a seal that is made up, of another page or browser, or too old."""
        parts = _SEAL.fullmatch(text)
        if parts is None or not browser or not _CHANGE_ID.fullmatch(parts[1]):
            return None
        change_id, made, mac = parts.groups()
        if not hmac.compare_digest(self._mac("seal", change_id, made, subject, browser), bytes.fromhex(mac)):
            return None
        if not -60 <= time.time() - int(made) <= OPEN_SECONDS:
            return None
        return Opened(change_id, self._code(change_id, made, subject))

    def csrf(self, session_id: str) -> str:
        """What every form of a signed-in person's pages carries: no other site knows it."""
        return self._mac("csrf", session_id).hex()

    def is_csrf(self, text: str, session_id: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.csrf(session_id).encode())

    def _code(self, change_id: str, made: str, subject: str) -> str:
        digest = self._mac("code", change_id, made, subject)
        return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:CODE_LENGTH])

    def _mac(self, purpose: str, *parts: str) -> bytes:
        message = "\0".join((purpose, *(sha256(part.encode("utf-8", "surrogatepass")).hexdigest() for part in parts)))
        return hmac.digest(self._key, message.encode(), "sha256")


def browser_of(request: Request) -> str:
    """The random name of this browser; "" for one that has none yet, or has cookies switched off."""
    value = request.cookies.get(COOKIE, "")
    return value if re.fullmatch(r"[A-Za-z0-9_-]{22}", value) else ""


def name_browser(request: Request) -> str:
    """The browser's name, a fresh one where it has none: `keep_name` must then go with the answer."""
    return browser_of(request) or secrets.token_urlsafe(16)


def keep_name(response: Response, browser: str, *, secure: bool) -> None:
    """Have the browser keep its name while it runs. It says nothing about anybody."""
    response.set_cookie(COOKIE, browser, httponly=True, secure=secure, samesite="lax", path="/")
