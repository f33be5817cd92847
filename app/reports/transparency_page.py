"""The transparency report as a page, drawn from its data alone (REQ-408)."""

from __future__ import annotations

from collections.abc import Iterator

from app.reports import page
from app.reports.page import Part
from app.reports.transparency import Document

_LAYERS = {"consent": "1 · consent", "break_glass": "2 · break-glass", "emergency": "3 · emergency"}


def as_markdown(found: Document) -> str:
    """The page as Markdown."""
    return page.as_markdown(_title(found), tuple(_parts(found)))


def as_html(found: Document) -> str:
    """The page as HTML that stands alone."""
    return page.as_html(_title(found), tuple(_parts(found)))


def _title(found: Document) -> str:
    return f"Support access, {found['from'][:10]} to {found['until'][:10]}"


def _parts(found: Document) -> Iterator[Part]:
    head = found["counted_from"]
    yield Part(
        "What this is",
        (
            ("period", f"{_utc(found['from'])} until {_utc(found['until'])} UTC"),
            ("counted from", f"the {head['log']} log up to number {head['seq']:,}, hash {head['hash']}"),
            ("made at", f"{_utc(found['made_at'])} UTC"),
            ("anonymous", "counts and medians alone; nobody and no customer is named"),
        ),
    )
    yield _requests(found["requests"])
    yield Part(
        "By layer",
        (),
        ("layer", "approved", "never used", "sessions", "median wait", "median session"),
        tuple(
            (
                _LAYERS[one["layer"]],
                one["approved"],
                one["not_used"],
                one["sessions"],
                span(one["median_waiting_seconds"]),
                span(one["median_session_seconds"]),
            )
            for one in found["layers"]
        ),
    )
    yield Part("Break-glass", _counted(found["break_glass"]))
    yield Part("Emergencies", _counted(found["emergencies"]))
    yield _sessions(found["sessions"])
    yield Part("What tenants did themselves", _counted(found["tenants_own_acts"]))


def _requests(asked: Document) -> Part:
    return Part(
        "Requests",
        (
            ("asked", f"{asked['asked']:,} by {asked['engineers']:,} engineers, for {asked['tenants']:,} tenants"),
            ("urgent", f"{asked['urgent']:,}"),
            ("for full mode", f"{asked['full']:,}"),
            ("refused by a rule", f"{asked['refused_by_rule']:,} before they became requests"),
            ("questions asked back", f"{asked['questions_asked']:,}"),
        ),
        ("outcome", "requests"),
        tuple((name.replace("_", " "), f"{count:,}") for name, count in asked["outcomes"].items()),
    )


def _sessions(held: Document) -> Part:
    return Part(
        "Sessions",
        (
            ("started", f"{held['started']:,} in {held['tenants']:,} tenants; {held['running']:,} still run"),
            ("in full mode", f"{held['full']:,}"),
            ("median length", span(held["median_seconds"])),
            ("records seen", f"{held['records_seen']:,}"),
            ("nothing viewed", f"in {held['nothing_viewed']:,} sessions"),
            ("beyond the declared scope", f"in {held['beyond_scope']:,} sessions"),
            ("outcome still owed", f"by {held['outcome_owed']:,} sessions"),
        ),
        ("ended by", "sessions"),
        tuple((name, f"{count:,}") for name, count in held["ended_by"].items()),
    )


def _counted(counts: Document) -> tuple[tuple[str, object], ...]:
    return tuple((name.replace("_", " "), f"{count:,}") for name, count in counts.items())


def _utc(at: str) -> str:
    return at[:19].replace("T", " ")


def span(seconds: int | None) -> str:
    """`4 h 48 min`, `31 min`, `40 s`; a dash where there is nothing to tell."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
