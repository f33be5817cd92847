"""The portal in this process, on the populated world of the service tests, on either form of the shared database: what
can be tried without a browser is tried here, many times over, in little time."""

from __future__ import annotations

import html
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import httpx

from app.bootstrap import Workplace
from app.launch import Launch
from app.mail.links import make_tokens, token_hash
from app.portal.application import create_app
from app.portal.door import Door
from app.portal.who import key_text
from app.services import api_keys, mail
from storage.clock import SharedClock
from storage.models import KeyRight, LinkKind, Mail, MailState, Request
from storage.shared.vault import Vault, new_key
from storage.witness import Witness
from tests.services.world import POSTMAN, World

URL = "http://portal.example"
MAIL_KEY = b"k" * 32


class Inside:
    """A door, its application, and the people who knock."""

    def __init__(self, world: World, home: Path, url: str = URL, proxies: tuple[str, ...] = ()) -> None:
        launch = Launch.of(home=str(home), environment={})
        launch.paths.config_file.parent.mkdir(parents=True)
        settings = f"[portal]\nurl = {json.dumps(url)}\ntrusted_proxies = {json.dumps(proxies)}\n"
        launch.paths.config_file.write_text(settings)
        place = Workplace(
            launch,
            world.shared,
            world.replica,
            world.sync,
            world.desk,
            cast(SharedClock, world.clock),
            Vault(new_key()),
            Witness(home / "portal-witness.json"),
        )
        self.world = world
        self.door = Door.of(place)
        self.app = create_app(self.door, launch.settings.portal.trusted_proxies)

    def browser(self, address: str = "203.0.113.5", url: str = URL) -> httpx.AsyncClient:
        """Somebody with a browser that keeps cookies and names its origin; redirects are not followed."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url=url, headers={"origin": URL})

    async def deliver(self) -> None:
        """Hand on every letter, its tokens made as the postman makes them."""
        for letter in self.world.letters():
            if letter.state is MailState.QUEUED:
                links = tuple((kind, token_hash(token)) for kind, token in make_tokens(MAIL_KEY, letter).items())
                await self.world.desk.run(mail.delivered, POSTMAN, letter.id, links)

    async def token(self, request: Request, admin: str = "northwind/maria", kind: LinkKind = LinkKind.APPROVE) -> str:
        """The newest link of this kind about this request that this admin was mailed."""
        await self.deliver()
        mailed = [one for one in self.world.letters(request_id=request.id) if one.to_id == admin and kind in one.links]
        return make_tokens(MAIL_KEY, mailed[-1])[kind]

    async def signed_in(self, admin: str = "northwind/maria", address: str = "203.0.113.5") -> httpx.AsyncClient:
        """A browser with this admin signed in."""
        browser = self.browser(address)
        letter = await self.letter_to_sign_in(browser, admin)
        token = make_tokens(MAIL_KEY, letter)[LinkKind.SIGN_IN]
        shown = await browser.get(f"/sign-in/{token}")
        entered = await browser.post(f"/sign-in/{token}", data=fields(shown))
        assert entered.status_code == 303, entered.text
        return browser

    async def letter_to_sign_in(self, browser: httpx.AsyncClient, admin: str) -> Mail:
        """Ask for a link as this admin; the letter."""
        before = {one.id for one in self.world.letters("sign_in.asked")}
        email = self.world.admin(admin).email
        asked = await browser.post("/sign-in", data={**fields(await browser.get("/sign-in")), "email": email})
        assert asked.status_code == 200, asked.text
        await self.deliver()
        fresh = [one for one in self.world.letters("sign_in.asked") if one.id not in before]
        return next(one for one in fresh if one.to_id == admin)

    async def key(self, right: KeyRight, tenant: str | None = None) -> dict[str, str]:
        """The header that a program with a fresh key of this right sends."""
        secret = "s" * 43
        hashed = sha256(secret.encode()).hexdigest()
        done = await self.world.run(api_keys.create, self.world.dana, "program", right, tenant, hashed)
        if right is KeyRight.SETTINGS:
            await self.world.run(api_keys.accept, self.world.admin(ADMINS[str(tenant)]), done.answer["id"])
        return {"authorization": f"Bearer {key_text(done.answer['id'], secret)}"}

    async def head(self) -> Any:
        """Where every log stands: nothing was done if it is the same."""
        await self.world.sync.pull()
        return await self.world.shared.logs()


ADMINS = {"northwind": "northwind/maria", "contoso": "contoso/ines"}


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's forms (of the last, where two have the same)."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


def code_on(page: httpx.Response) -> str:
    """The confirmation code that the page shows."""
    found = re.search(r'<span aria-hidden="true">(\w+)</span>', page.text)
    assert found is not None, page.text
    return found[1]
