"""What every page and endpoint works with: the workplace, the key that seals forms, and who asks from where."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Request

from app.portal.rates import Rates
from app.portal.seal import Sealer
from storage.errors import ForkedHistory, Misconfigured, Offline
from storage.models import Actor, Row

if TYPE_CHECKING:
    from sqlite3 import Connection

    from app.bootstrap import Workplace
    from storage.shared.change import Applied, Change
    from storage.view import View

MOST_LOOKING = 4
"""So many at once are looked for more than once."""

R = TypeVar("R", bound=Row)


@dataclass
class Door:
    """One per process. Everything shown comes from `place`'s replica, everything that changes goes through its desk."""

    place: Workplace
    sealer: Sealer
    rates: Rates = field(default_factory=Rates)
    looks_again: tuple[float, ...] = (0, 0.1, 0.2, 0.4, 0.8)
    """Seconds before each further look for a row that is not known here."""
    _looking: int = 0

    @classmethod
    def of(cls, place: Workplace) -> Door:
        """Raises Misconfigured over a log-in that is not the portal's: a tenant decides over that one alone (P5)."""
        if place.login is not None and place.login.kind != "portal":
            raise Misconfigured(
                f"{place.login.role} is not the portal's log-in",
                "run `countersign serve` as countersign_portal: postgresql://countersign_portal@host/name",
            )
        return cls(place, Sealer(place.vault.derived_key("portal forms")))

    @property
    def reader(self) -> Connection:
        return self.place.replica.reader

    @property
    def url(self) -> str:
        """The start of every link in a letter: what the world calls this portal."""
        return self.place.launch.settings.portal.url

    @property
    def behind_tls(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    def now(self) -> datetime:
        return self.place.clock.now()

    def view(self) -> View:
        return self.place.desk.view()

    async def row_or_pulled(self, kind: type[R], key: str) -> R | None:
        """The row of that key; one that is not here yet may just be being made by another process. A letter lies in its
        mailbox a moment before its links are on record, and whoever opens one then shall not be told that it is not
        known: so it is looked for a little longer, but not for many who guess at the same time."""
        found = self.view().get(kind, key)
        looks = self.looks_again if self._looking < MOST_LOOKING else self.looks_again[:1]
        self._looking += 1
        try:
            for seconds in looks if found is None else ():
                await asyncio.sleep(seconds)
                with contextlib.suppress(Offline, ForkedHistory):
                    await self.place.sync.pull()
                if (found := self.view().get(kind, key)) is not None:
                    break
        finally:
            self._looking -= 1
        return found

    async def run(
        self, command: Callable[..., Change], actor: Actor, *args: object, change_id: str | None = None, **named: Any
    ) -> Applied:
        """Run a command at once or not at all: nobody waits at a web page for an outbox to be sent. The same
        `change_id` again does nothing and gives the first answer. Raises what the desk raises."""
        return await self.place.desk.carry_out(command, actor, *args, change_id=change_id, **named)


def door_of(request: Request) -> Door:
    """The door that this request came through."""
    found = request.app.state.door
    assert isinstance(found, Door)
    return found


def address_of(request: Request) -> str:
    """Where the request comes from; behind a trusted proxy, whom the proxy names."""
    return request.client.host if request.client is not None else "unknown"


def is_secure(request: Request) -> bool:
    """Whether cookies may be marked Secure: this request, or the portal as the world knows it, is under TLS."""
    return request.url.scheme == "https" or door_of(request).behind_tls
