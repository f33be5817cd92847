"""Who is asking: a tenant admin by the cookie of a browser, or a program by its API key."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request, Response

from app.policy.portal import is_signed_in, may_use
from app.portal.door import address_of, door_of, is_secure
from app.portal.problems import Problem
from app.portal.rates import BAD_KEYS
from app.services import api_keys
from storage.models import Actor, ActorKind, ApiKey, Contact, KeyRight, PortalSession, Tenant
from storage.replica.queries.portal import key_by_id, portal_session

_KEY = re.compile(r"csk_(K-[0-9A-HJKMNP-TV-Z]{6})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Somebody:
    """A tenant admin who is signed in. `csrf` goes into every form of theirs."""

    session: PortalSession
    contact: Contact
    tenant: Tenant
    csrf: str
    address: str

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.TENANT_ADMIN, self.contact.id, self.contact.name, self.contact.email, self.address)

    @property
    def log(self) -> str:
        """The name of their tenant's log."""
        return f"tenant:{self.tenant.id}"


class SignInNeeded(Exception):
    """Nobody is signed in: the page is theirs only who are."""


class NotFromOurPage(Exception):
    """A form without the word that its page put in."""


def cookie_name(request: Request) -> str:
    """Under TLS the browser itself holds the cookie to this host and to TLS."""
    return "__Host-countersign" if is_secure(request) else "countersign"


def fresh_token() -> str:
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def keep_session(request: Request, response: Response, token: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=seconds,
        httponly=True,
        secure=is_secure(request),
        samesite="lax",
        path="/",
    )


def forget_session(request: Request, response: Response) -> None:
    response.delete_cookie(cookie_name(request), path="/", httponly=True, secure=is_secure(request), samesite="lax")


def somebody_of(request: Request) -> Somebody | None:
    """Whoever is signed in with this browser, and still an admin; None for nobody."""
    token = request.cookies.get(cookie_name(request), "")
    if not token or len(token) > 100:
        return None
    door = door_of(request)
    found = portal_session(door.reader, hash_of(token))
    if found is None:
        return None
    session, contact, tenant = found
    if contact is None or tenant is None or not is_signed_in(session, contact, door.now()):
        return None
    return Somebody(session, contact, tenant, door.sealer.csrf(session.id), address_of(request))


async def signed_in(request: Request) -> Somebody:
    """For pages. Raises SignInNeeded."""
    found = somebody_of(request)
    if found is None:
        raise SignInNeeded
    request.state.somebody = found
    return found


async def posting(request: Request) -> Somebody:
    """For forms of signed-in people. Raises SignInNeeded, NotFromOurPage."""
    found = await signed_in(request)
    form = await request.form()
    if not door_of(request).sealer.is_csrf(str(form.get("csrf", "")), found.session.id):
        raise NotFromOurPage
    return found


Admin = Annotated[Somebody, Depends(signed_in)]
Posting = Annotated[Somebody, Depends(posting)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API for a tenant: an admin's browser, or the tenant's program."""

    tenant_id: str
    actor: Actor
    key: ApiKey | None


def key_text(key_id: str, secret: str) -> str:
    """A key as its program keeps it; shown once."""
    return f"csk_{key_id}_{secret}"


def key_of(request: Request) -> ApiKey | None:
    """The key that this request carries and that is known here; None where it carries none. Raises Problem."""
    carried = request.headers.get("authorization", "")
    if not carried:
        return None
    door, address = door_of(request), address_of(request)
    if seconds := door.rates.wait(BAD_KEYS, address):
        raise Problem(429, "too many unknown keys", retry_after=seconds)
    scheme, _, value = carried.partition(" ")
    parts = _KEY.fullmatch(value.strip()) if scheme.lower() == "bearer" else None
    key = key_by_id(door.reader, parts[1]) if parts is not None else None
    good = hmac.compare_digest(key.secret_hash if key else "0" * 64, hash_of(parts[2] if parts else ""))
    if key is None or not good or key.revoked_at is not None:
        door.rates.count(BAD_KEYS, address)
        raise Problem(401, "the API key is not known, or was revoked")
    return key


def caller(request: Request, right: KeyRight) -> Caller:
    """For the tenant's endpoints. Raises Problem, Refused."""
    key = key_of(request)
    if key is not None:
        require_key(key, right, key.tenant_id)
        return Caller(key.tenant_id or "", api_keys.actor_of(key, address_of(request)), key)
    found = somebody_of(request)
    if found is None:
        raise Problem(401, "sign in, or send an API key: Authorization: Bearer csk_…")
    return Caller(found.tenant.id, found.actor, None)


def require_key(key: ApiKey, right: KeyRight, tenant_id: str | None) -> None:
    """Raises Problem in words where the key does not open this."""
    verdict = may_use(key, right, tenant_id)
    if key.right is KeyRight.PLATFORM and right is not KeyRight.PLATFORM:
        raise Problem(403, "a platform key opens no tenant's settings or log")
    if not verdict.allowed:
        raise Problem(403, verdict.why())


async def reads_tenant(request: Request) -> Caller:
    return caller(request, KeyRight.READ)


async def sets_tenant(request: Request) -> Caller:
    return caller(request, KeyRight.SETTINGS)


async def platform(request: Request) -> Actor:
    """The operator's platform, by its key alone."""
    key = key_of(request)
    if key is None:
        raise Problem(401, "send the platform's API key: Authorization: Bearer csk_…")
    require_key(key, KeyRight.PLATFORM, None)
    return api_keys.actor_of(key, address_of(request))


Reader = Annotated[Caller, Depends(reads_tenant)]
Setter = Annotated[Caller, Depends(sets_tenant)]
PlatformKey = Annotated[Actor, Depends(platform)]
