"""A letter's facts, put into words by its event's template: once as plain text, once as HTML, from one source, so that
the two cannot say different things.

`templates/<event>.j2` says what the letter says with the macros of a *kit*; there is one kit for each medium. Whatever
a template prints that is not its own words is text from outside, and is made harmless on the way out: in plain text
flattened to one line, or quoted behind "> " (`words`), so that nothing can stand on a line of its own; in HTML
escaped. jinja2 is loaded here, and only when the first letter is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from app.mail.gate import harmless, one_line
from storage.log.entry import Head
from storage.models import LinkKind, Mail, parse_time

EARLIER = "earlier.j2"


@dataclass(frozen=True, slots=True)
class Postmark:
    """What a letter carries that is not its own: who sends, where the portal is, which log and head it witnesses."""

    sender: str
    portal_url: str
    log: str
    head: Head
    epoch: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Both parts of a letter."""

    plain: str
    html: str


def render(mail: Mail, links: Mapping[LinkKind, str], mark: Postmark) -> Rendered:
    """The letter in words. `links` are whole addresses, by kind. Raises jinja2.TemplateError where a template asks for
    a fact that the letter does not have: a fault of ours, not of its reader."""
    facts = mail.said() | ({"text": _linked(mail.text, links)} if mail.text else {})
    context = {
        **facts,
        "to_whom": facts.get("to", ""),
        "to": {"name": mail.to_name, "email": mail.to_email},
        "subject": mail.subject,
        "links": {kind.value: link for kind, link in links.items()},
        "head": {"log": mark.log, "seq": mark.head.seq, "hash": mark.head.hash},
        "portal_url": mark.portal_url,
    }
    plain, html = (
        _environment(medium)
        .get_template(EARLIER if mail.text else f"{mail.event}.j2")
        .render(context, layout=f"layout.{medium}.j2")
        for medium in ("txt", "html")
    )
    return Rendered(re.sub(r"\n{3,}", "\n\n", plain).strip() + "\n", html)


def events() -> list[str]:
    """Every event that has a template."""
    own = {"parts.j2", EARLIER}
    names = _environment("txt").list_templates()
    return sorted(
        name.removesuffix(".j2") for name in names if not name.startswith(("layout.", "kit.")) and name not in own
    )


def _linked(text: str, links: Mapping[LinkKind, str]) -> list[str]:
    """The lines of a letter from before letters had facts; only whole lines are links there."""
    marks = {f"{{{kind.value}_link}}": link for kind, link in links.items()}
    return [marks.get(line, line) for line in text.splitlines()]


@cache
def _environment(medium: str) -> Environment:
    """Autoescape is on in both, but `finalize` sees each printed value first, and returns text of that medium."""
    environment = Environment(
        loader=PackageLoader("app.mail"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_as_plain if medium == "txt" else _as_html,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = lambda at: parse_time(at).strftime("%Y-%m-%d %H:%M:%S UTC")
    environment.filters["whom"] = _whom
    environment.filters["quoted"] = _quoted_plain if medium == "txt" else _quoted_html
    environment.filters["packed"] = lambda text: Markup("\n".join(filter(None, text.split("\n"))))
    environment.globals["row"] = lambda label, value: Markup(f"  {label + ':':<13} {_as_plain(value)}")
    for library in (f"kit.{medium}.j2", "parts.j2"):
        module = environment.get_template(library).module
        environment.globals |= {name: macro for name, macro in vars(module).items() if not name.startswith("_")}
    return environment


def _as_plain(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(one_line(str(value)))


def _as_html(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(harmless(str(value)))


def _whom(someone: Mapping[str, str]) -> str:
    """ "Ann Lee <ann@ops.example>"."""
    return f"{someone['name']} <{someone['email']}>" if someone["email"] else str(someone["name"])


def _quoted_plain(text: str) -> Markup:
    """Several lines of outside text, each behind "> "."""
    lines = [one_line(one) for one in text.splitlines()] or [""]
    return Markup("\n".join(f"> {one}".rstrip() for one in lines))


def _quoted_html(text: str) -> Markup:
    return Markup("<br>\n").join(one_line(one) for one in text.splitlines() or [""])
