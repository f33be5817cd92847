"""A dossier as a page: Markdown or HTML, drawn from its data alone. What people wrote can be no markup in either."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from app.mail.letter import harmless
from app.reports.dossier import Document

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto }}
dt {{ font-weight: bold }} dd {{ white-space: pre-wrap }}
table {{ border-collapse: collapse }}
td, th {{ border: 1px solid #999; padding: .2rem .5rem; text-align: left; overflow-wrap: anywhere }}
</style></head>
<body>
{body}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading, its named values, and a table below them."""

    heading: str
    pairs: tuple[tuple[str, object], ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


def _parts(found: Document) -> Iterable[_Part]:
    who, approved, case = found["who"], found["who_approved"], found["which_case"]
    seen, length = found["what_was_viewed"], found["how_long"]
    yield _Part(
        "Who",
        (
            ("engineer", f"{who['engineer']} <{who['email']}>"),
            ("tenant", f"{who['tenant']} ({who['tenant_id']})"),
            ("as user", f"{who['as_user']} <{who['as_user_email']}>"),
        ),
    )
    elevation = approved["elevation"]
    decided_by = f", {elevation['decided_by']}" if elevation and elevation["decided_by"] else ""
    raised: tuple[tuple[str, object], ...] = ()
    if elevation:
        raised = (("full mode", f"{elevation['state']}{decided_by}: {elevation['reason']}"),)
    yield _Part(
        "Who approved",
        (("layer", approved["layer"]), *raised),
        ("at", "what", "by", "minutes", "note"),
        tuple((d["at"], d["what"], d["by"], d["minutes"], d["note"]) for d in approved["decisions"]),
    )
    yield _Part(
        "Which case",
        (
            ("ticket", case["ticket"]),
            ("reason", case["reason"]),
            ("scope", f"{case['scope']} (about {case['records_declared']:,} records)"),
            ("tried before", ", ".join(case["tried_before"])),
            ("why not", case["why_not"]),
        ),
    )
    yield _Part(
        "What was viewed",
        (
            ("mode", seen["mode"]),
            ("records", f"{seen['records_seen']:,} seen, about {seen['records_declared']:,} declared"),
            ("beyond the scope", f"{seen['beyond_scope']:,} times"),
            *((("viewed", "nothing"),) if seen["nothing"] else ()),
        ),
        ("at", "kind", "name", "fields", "count", "scope"),
        tuple(
            (v["at"], v["kind"], v["name"], ", ".join(v["fields"]), v["count"], "" if v["within_scope"] else "BEYOND")
            for v in seen["views"]
        ),
    )
    by = length["ended_by"] or ""
    yield _Part(
        "How long",
        (
            ("started", length["started_at"]),
            ("ended", length["ended_at"] or "still running"),
            (
                "lasted",
                f"{length['seconds'] // 60} min {length['seconds'] % 60} s of {length['seconds_allowed'] // 60} min",
            ),
            ("ended by", f"{by} ({length['ended_by_name']})" if length["ended_by_name"] else by),
            *((("end reason", length["end_reason"]),) if length["end_reason"] else ()),
        ),
    )
    outcome = found["outcome"]
    if outcome:
        yield _Part("What came of it", tuple((name.replace("_", " "), outcome[name]) for name in outcome))
    elif found["outcome_owed"]:
        yield _Part("What came of it", (("outcome", "owed by the engineer"),))
    yield _Part(
        "Entries of the tenant's log",
        (),
        ("number", "at", "action", "by", "hash"),
        tuple((e["seq"], e["at"], e["action"], e["actor"], e["hash"]) for e in found["entries"]),
    )


def as_markdown(found: Document) -> str:
    """The page as Markdown; what people wrote can be no markup in it."""
    lines = [f"# Dossier of session {_md(found['session'])}", ""]
    for part in _parts(found):
        lines += [f"## {part.heading}", ""]
        lines += [f"- **{name}**: {_md(value)}" for name, value in part.pairs]
        lines += [""] if part.pairs else []
        if part.rows:
            lines += ["| " + " | ".join(part.columns) + " |", "|" + "---|" * len(part.columns)]
            lines += ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in part.rows]
            lines.append("")
    return "\n".join(lines).rstrip()


def _md(value: object) -> str:
    text = " ".join(harmless(_words(value)).split())
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", text)


def as_html(found: Document) -> str:
    """The page as HTML that stands alone; everything from outside is escaped."""
    title = f"Dossier of session {_html(found['session'])}"
    body = [f"<h1>{title}</h1>"]
    for part in _parts(found):
        body.append(f"<h2>{escape(part.heading)}</h2>")
        if part.pairs:
            body.append("<dl>" + "".join(f"<dt>{escape(n)}</dt><dd>{_html(v)}</dd>" for n, v in part.pairs) + "</dl>")
        if part.rows:
            head = "".join(f"<th>{escape(column)}</th>" for column in part.columns)
            rows = "".join("<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>" for row in part.rows)
            body.append(f"<table><tr>{head}</tr>{rows}</table>")
    return _FRAME.format(title=title, body="\n".join(body))


def _html(value: object) -> str:
    return escape(harmless(_words(value)))


def _words(value: object) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
