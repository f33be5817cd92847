"""Drawing pages: jinja2 with autoescape; every text from outside passes the one gate first, so that controls, bidi
tricks and zero-width characters are seen, not obeyed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.policy.words import span
from app.portal.door import door_of, is_secure
from app.portal.seal import Seal, keep_name, name_browser
from widgets.text import visible

HERE = Path(__file__).parent
STATIC = HERE / "static"


def page(
    request: Request, template: str, *, status: int = 200, subject: str | None = None, **values: object
) -> HTMLResponse:
    """A page from a template. With a `subject` it has a form: its seal stands in `seal`."""
    door = door_of(request)
    browser = name_browser(request)
    seal: Seal | None = door.sealer.seal(subject, browser) if subject is not None else None
    known: Mapping[str, object] = {
        "now": door.now(),
        "seal": seal,
        "style": style_address(),
        "somebody": getattr(request.state, "somebody", None),
        "at": request.url.path,
        "live": door.place.sync.status.live,
        "forked": door.place.sync.status.forked,
    }
    text = environment().get_template(template).render({**known, **values})
    response = HTMLResponse(text, status)
    if seal is not None:
        keep_name(response, browser, secure=is_secure(request))
    return response


def told(request: Request, heading: str, *words: str, status: int, link: tuple[str, str] | None = None) -> HTMLResponse:
    """A page that says one thing, and where to go on from there."""
    return page(request, "told.html", status=status, heading=heading, words=words, link=link)


@cache
def environment() -> Environment:
    """The templates, read once."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_gated,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"day": day, "clock": clock, "left": left, "iso": iso, "spelled": " ".join}
    return made


def _gated(value: object) -> object:
    """Every expression of every template passes here on its way out."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value, lines=True)


def day(moment: datetime) -> str:
    """ "27 November 2026"."""
    return f"{moment.day} {moment:%B %Y}"


def clock(moment: datetime, seconds: bool = False) -> str:
    """ "27 Nov 2026, 12:04 UTC"."""
    return f"{moment.day} {moment:%b %Y}, {moment.strftime('%H:%M:%S' if seconds else '%H:%M')} UTC"


def iso(moment: datetime) -> str:
    """For the `datetime` of a `time` element."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def left(moment: datetime, now: datetime) -> str:
    """How long until then: "19 h 12 m"."""
    return span(moment - now)


@cache
def style_address() -> str:
    """The style sheet under an address that changes with it, so that it can be kept for a year."""
    return f"/static/portal.css?{sha256((STATIC / 'portal.css').read_bytes()).hexdigest()[:12]}"
