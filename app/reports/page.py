"""A report as a page: Markdown or HTML that stands alone, drawn from parts. What people wrote can be no markup in
either, and no control character reaches a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.mail.gate import harmless

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; --line: #8886; --soft: #8882; --dim: #777 }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.5rem; line-height: 1.25 }}
h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line) }}
dl {{ display: grid; grid-template-columns: 12rem 1fr; gap: .15rem 1rem; margin: .5rem 0 }}
dt {{ color: var(--dim) }} dd {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }}
div.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums }}
td, th {{ padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }}
th {{ font-weight: 600; color: var(--dim); border-bottom: 1px solid var(--line) }}
tr + tr td {{ border-top: 1px solid var(--soft) }}
@media (max-width: 36rem) {{ dl {{ grid-template-columns: 1fr }} dd {{ margin-bottom: .5rem }} }}
@media print {{ body {{ margin: 0; max-width: none }} h2 {{ break-after: avoid }} }}
</style></head>
<body>
{body}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, its named values, and a table below them."""

    heading: str
    pairs: tuple[tuple[str, object], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


def as_markdown(title: str, parts: Sequence[Part]) -> str:
    """The page as Markdown; what people wrote can be no markup in it."""
    lines = [f"# {_md(title)}", ""]
    for part in parts:
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


def as_html(title: str, parts: Sequence[Part]) -> str:
    """The page as HTML that stands alone; everything from outside is escaped."""
    body = [f"<h1>{_html(title)}</h1>"]
    for part in parts:
        body.append(f"<h2>{escape(part.heading)}</h2>")
        if part.pairs:
            body.append("<dl>" + "".join(f"<dt>{escape(n)}</dt><dd>{_html(v)}</dd>" for n, v in part.pairs) + "</dl>")
        if part.rows:
            head = "".join(f'<th scope="col">{escape(column)}</th>' for column in part.columns)
            rows = "".join("<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>" for row in part.rows)
            body.append(f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>')
    return _FRAME.format(title=_html(title), body="\n".join(body))


def _html(value: object) -> str:
    return escape(harmless(_words(value)))


def _words(value: object) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
