"""The tenant's own door and the platform's: signing in by a mailed link, API keys and what programs do with them
(REQ-602, REQ-603)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.mail.links import make_tokens, token_hash
from app.services import api_keys, platform, sign_in
from storage.models import ApiKey, KeyRight, LinkKind, TenantMode, TenantStatus
from tests.services.machine.company import people, picks, places
from tests.services.machine.model import Key
from tests.services.machine.outages import Outages
from tests.services.machine.post import KEY

QUARTER = timedelta(minutes=15)
MOVES = {"active": ("suspended",), "suspended": ("active",)}
"""De-provisioning is left out: a story would be over."""


@dataclass
class Browser:
    """A letter with a link to sign in; `came` is when the mail server took it."""

    admin: str
    link: str
    came: datetime
    used: bool = False


class AtTheDoor(Outages):
    @rule(where=places, admin=st.integers(0, 1), pick=picks, again=st.booleans())
    def sign_in(self, where: str, admin: int, pick: int, again: bool) -> None:
        """A link is asked for, and used once, within a quarter of an hour of its delivery, by whom it was mailed to."""
        key = self.model.places[where].admins[admin]
        world, door = self.worlds[0], sign_in.door("198.51.100.7")
        asked = [at for name, at in self.doors() if name == key and self.now - at < timedelta(hours=1)]
        if not again or not self.browsers():

            def mailed(answer: Mapping[str, str]) -> None:
                self.doors().append((key, self.now))

            self.act(4, lambda: len(asked) < 5, sign_in.ask, door, key, then=mailed)
            self.deliver()
            for letter in world.letters("sign_in.asked"):
                came = self.post.accepted.get(letter.id)
                link = token_hash(make_tokens(KEY, letter)[LinkKind.SIGN_IN])
                if came is not None and all(one.link != link for one in self.browsers()):
                    self.browsers().append(Browser(letter.to_id, link, came))
            return
        browser = self.browsers()[pick % len(self.browsers())]
        self.count += 1

        def entered(answer: Mapping[str, str]) -> None:
            browser.used = True

        may = lambda: browser.admin == key and not browser.used and self.now < browser.came + QUARTER  # noqa: E731
        session = f"{self.count:064x}"
        self.act(4, may, sign_in.enter, self.known(key), browser.link, session, then=entered)

    def browsers(self) -> list[Browser]:
        return self.__dict__.setdefault("_browsers", [])  # type: ignore[no-any-return]

    def doors(self) -> list[tuple[str, datetime]]:
        return self.__dict__.setdefault("_doors", [])  # type: ignore[no-any-return]

    @rule(by=people, where=st.none() | places, lag=picks)
    def make_key(self, by: str, where: str | None, lag: int) -> None:
        person = self.model.people[by]
        place = self.model.places[where] if where else None

        def made(answer: Mapping[str, str]) -> None:
            self.model.keys[answer["id"]] = Key(place)

        right = KeyRight.SETTINGS if place else KeyRight.PLATFORM
        secret = f"{len(self.model.keys):064x}"
        self.act(lag, person.leads, api_keys.create, person, "nightly job", right, where, secret, then=made)

    def key(self, pick: int) -> tuple[str, Key] | None:
        every = list(self.model.keys.items())
        return every[pick // 3 % len(every)] if every else None

    @rule(pick=picks, where=places, admin=st.integers(0, 1), lag=picks)
    def accept_key(self, pick: int, where: str, admin: int, lag: int) -> None:
        """P5: that a program changes a tenant's settings is for its own people to say."""
        found = self.key(pick)
        if found is None:
            return
        name, key = found
        place = key.place if pick % 3 and key.place else self.model.places[where]

        def accepted(answer: Mapping[str, str]) -> None:
            key.accepted = True

        may = lambda: key.place is place and not key.revoked and not key.accepted  # noqa: E731
        self.act(lag, may, api_keys.accept, self.known(place.admins[admin]), name, then=accepted)

    @rule(pick=picks, by=people, lag=picks)
    def revoke_key(self, pick: int, by: str, lag: int) -> None:
        found, person = self.key(pick), self.model.people[by]
        if found is None:
            return
        name, key = found

        def revoked(answer: Mapping[str, str]) -> None:
            key.revoked = True

        self.act(lag, lambda: person.leads() and not key.revoked, api_keys.revoke, person, name, then=revoked)

    @rule(pick=picks, where=places, mode=st.sampled_from(["default", "consent_only"]), kill=st.booleans(), lag=picks)
    def settings_by_program(self, pick: int, where: str, mode: str, kill: bool, lag: int) -> None:
        found = self.key(pick)
        if found is None:
            return
        name, key = found
        place = key.place if pick % 3 and key.place else self.model.places[where]

        def changed(answer: Mapping[str, str]) -> None:
            place.mode, place.kill = mode, kill
            self.model.shut(place, self.now)

        def may() -> bool:
            works = key.place is place and key.accepted and not key.revoked
            return works and (place.mode, place.kill) != (mode, kill)

        wanted = {"mode": TenantMode(mode), "kill_switch": kill}
        self.act(lag, may, api_keys.change_settings, self.program(name), place.name, then=changed, **wanted)

    @rule(pick=picks, where=places, becomes=st.sampled_from(["active", "suspended"]), lag=picks)
    def platform_moves(self, pick: int, where: str, becomes: str, lag: int) -> None:
        """Suspended: whoever is inside is out, and nobody comes in. Only by a key of the platform's."""
        found, place = self.key(pick), self.model.places[where]
        if found is None:
            return
        name, key = found

        def moved(answer: Mapping[str, str]) -> None:
            place.status = becomes
            self.model.shut(place, self.now)

        may = lambda: key.place is None and not key.revoked and becomes in MOVES[place.status]  # noqa: E731
        who, status = self.program(name), TenantStatus(becomes)
        self.act(lag, may, platform.move_tenant, who, where, status, "the invoice is open", then=moved)

    @rule(where=places, mode=st.sampled_from(["default", "consent_only"]), lag=picks)
    def life_of_a_key(self, where: str, mode: str, lag: int) -> None:
        """A tenant's program does nothing before its people accepted it, and nothing after it was revoked."""
        place = self.model.places[where]
        self.make_key("dana", where, 4)
        this = 3 * (len(self.model.keys) - 1) + 1
        self.settings_by_program(this, where, mode, not place.kill, lag)
        self.accept_key(this, where, 0, 4)
        self.settings_by_program(this, where, mode, not place.kill, lag)
        self.revoke_key(this, "lee", 4)
        self.settings_by_program(this, where, mode, not place.kill, lag)

    def program(self, name: str) -> Any:
        return api_keys.actor_of(self.worlds[0].row(ApiKey, name), "198.51.100.9")
