"""The ASGI application: pages and endpoints, put together once, around one workplace."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.portal import consent
from app.portal.door import Door, address_of, door_of
from app.portal.manners import Manners
from app.portal.pages import STATIC, told
from app.portal.rates import PAGES

_KINDS = {".css": "text/css", ".svg": "image/svg+xml"}


def create_app(door: Door, trusted_proxies: Sequence[str] = ()) -> FastAPI:
    """The portal. `trusted_proxies` are addresses whose word on who asks, and over TLS or not, is believed."""
    app = FastAPI(title="Countersign", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.door = door
    app.include_router(consent.router)
    app.add_api_route("/", _home, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/healthz", _health, methods=["GET", "HEAD"])
    app.add_api_route("/static/{name}", _static, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_exception_handler(HTTPException, _not_served)
    app.middleware("http")(_paced)
    app.add_middleware(Manners, url=door.url)
    if trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted_proxies))
    return app


async def _home() -> Response:
    return RedirectResponse("/access", 303)


async def _health(request: Request) -> Response:
    """Whether the portal can serve: it reaches the shared database, and the history is the one it verified."""
    status = door_of(request).place.sync.status
    rev = status.position.head.seq if status.position is not None else 0
    words = "history in doubt" if status.forked else "ok" if status.live else "out of reach"
    return JSONResponse({"status": words, "rev": rev}, 200 if words == "ok" else 503)


async def _static(name: str) -> Response:
    """A file of the portal's own; its address changes when it does."""
    file = STATIC / name
    if file.parent != STATIC or file.suffix not in _KINDS or not file.is_file():
        raise HTTPException(404)
    kept = {"cache-control": "public, max-age=31536000, immutable"}
    return FileResponse(file, media_type=_KINDS[file.suffix], headers=kept)


async def _paced(request: Request, call_next):  # type: ignore[no-untyped-def]  # starlette's own type is private
    """Nobody asks for more pages than a person, or a decent program, would."""
    if seconds := door_of(request).rates.count(PAGES, address_of(request)):
        refused = told(request, "Too many requests", f"Try again in {seconds} seconds.", status=429)
        refused.headers["retry-after"] = str(seconds)
        return refused
    return await call_next(request)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headings = {404: "There is no such page", 405: "That cannot be done here"}
    heading = headings.get(error.status_code, "That did not work")
    answer = told(request, heading, "Open the link from your letter again, or sign in.", status=error.status_code)
    answer.headers.update(error.headers or {})
    return answer
