"""The ASGI application: pages and endpoints, put together once, around one workplace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.logfile import write_crash
from app.portal import access, api, consent, entry, log, sign_in
from app.portal.api_models import HealthDocument
from app.portal.document import described
from app.portal.door import Door, address_of, door_of
from app.portal.manners import Manners
from app.portal.pages import STATIC, told
from app.portal.problems import Problem, answer, of_error
from app.portal.rates import PAGES
from app.portal.who import NotFromOurPage, SignInNeeded
from storage.errors import CountersignError

_UNWELL: dict[int | str, dict[str, Any]] = {503: {"model": HealthDocument, "description": "It cannot serve now."}}
_KINDS = {".css": "text/css", ".svg": "image/svg+xml"}


def create_app(door: Door, trusted_proxies: Sequence[str] = ()) -> FastAPI:
    """The portal. `trusted_proxies` are addresses whose word on who asks, and over TLS or not, is believed."""
    app = FastAPI(title="Countersign", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.door = door
    for module in (consent, sign_in, access, log, entry):
        app.include_router(module.router)
    app.add_api_route("/", _home, methods=["GET", "HEAD"], include_in_schema=False)
    app.include_router(api.tenant_router)
    app.include_router(api.platform_router)
    app.add_api_route("/healthz", _health, methods=["GET"], response_model=HealthDocument, responses=_UNWELL)
    app.add_api_route("/healthz", _health, methods=["HEAD"], include_in_schema=False)
    app.add_api_route("/openapi.json", _document, methods=["GET", "HEAD"], include_in_schema=False)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]  # FastAPI's own way to say it
    app.add_api_route("/static/{name}", _static, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(RequestValidationError, _not_readable)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(CountersignError, _refused)
    app.add_exception_handler(Exception, _fault)
    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(NotFromOurPage, _not_ours)
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
        words = f"Try again in {seconds} seconds."
        if _is_api(request):
            return answer(Problem(429, words, retry_after=seconds))
        refused: Response = told(request, "Too many requests", words, status=429)
        refused.headers["retry-after"] = str(seconds)
        return refused
    return await call_next(request)


async def _document(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _refused(request: Request, error: Exception) -> Response:
    """A command, or the database, said no where nobody had words of their own for it."""
    assert isinstance(error, CountersignError)
    problem = of_error(error)
    return answer(problem) if _is_api(request) else told(request, "Not done", f"{error}.", status=problem.status)


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of ours: to the log file with its traceback, told in words."""
    write_crash(door_of(request).place.launch, error, ["serve"])
    words = "That is a fault of this portal. It is written down; nothing was changed by this request."
    return answer(Problem(500, words)) if _is_api(request) else told(request, "A fault of ours", words, status=500)


async def _not_readable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if not _is_api(request):
        return told(request, "That cannot be read", "Nothing was done. Go back, and try again.", status=400)
    found = [{"where": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in error.errors()]
    return answer(Problem(422, "the request is not what it must be", errors=found))


def _methods(request: Request) -> set[str]:
    """Every method of an address: the router knows those of the first route that fits."""
    found: set[str] = set()
    for path, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.url.path):
            found |= {method.upper() for method in operations}
    return found


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _to_sign_in(request: Request, error: Exception) -> Response:
    return RedirectResponse("/sign-in", 303)


async def _not_ours(request: Request, error: Exception) -> Response:
    words = "This form did not come from a page of yours that is still good. Nothing was done."
    return told(request, "Nothing was done", words, status=403, link=("/access", "Start again"))


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if _is_api(request):
        refused = answer(Problem(error.status_code, str(error.detail)))
        refused.headers.update(error.headers or {})
        if error.status_code == 405:
            refused.headers["allow"] = ", ".join(sorted(_methods(request)))
        return refused
    headings = {404: "There is no such page", 405: "That cannot be done here"}
    heading = headings.get(error.status_code, "That did not work")
    shown = told(request, heading, "Open the link from your letter again, or sign in.", status=error.status_code)
    shown.headers.update(error.headers or {})
    return shown
