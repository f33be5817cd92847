"""A dossier as a page: its five questions, each a part, drawn from its data alone (REQ-406)."""

from __future__ import annotations

from collections.abc import Iterator

from app.reports import page
from app.reports.dossier import Document
from app.reports.page import Part


def as_markdown(found: Document) -> str:
    """The page as Markdown."""
    return page.as_markdown(_title(found), tuple(_parts(found)))


def as_html(found: Document) -> str:
    """The page as HTML that stands alone."""
    return page.as_html(_title(found), tuple(_parts(found)))


def _title(found: Document) -> str:
    return f"Dossier of session {found['session']}"


def _parts(found: Document) -> Iterator[Part]:
    yield _who(found["who"])
    yield _who_approved(found["who_approved"])
    yield _which_case(found["which_case"])
    yield _what_was_viewed(found["what_was_viewed"])
    yield _how_long(found["how_long"])
    outcome = found["outcome"]
    if outcome:
        yield Part("What came of it", tuple((name.replace("_", " "), outcome[name]) for name in outcome))
    elif found["outcome_owed"]:
        yield Part("What came of it", (("outcome", "owed by the engineer"),))
    yield Part(
        "Entries of the tenant's log",
        (),
        ("number", "at", "action", "by", "hash"),
        tuple((e["seq"], e["at"], e["action"], e["actor"], e["hash"]) for e in found["entries"]),
    )


def _who(who: Document) -> Part:
    return Part(
        "Who",
        (
            ("engineer", f"{who['engineer']} <{who['email']}>"),
            ("tenant", f"{who['tenant']} ({who['tenant_id']})"),
            ("as user", f"{who['as_user']} <{who['as_user_email']}>"),
        ),
    )


def _who_approved(approved: Document) -> Part:
    elevation = approved["elevation"]
    raised: tuple[tuple[str, object], ...] = ()
    if elevation:
        decided_by = f", {elevation['decided_by']}" if elevation["decided_by"] else ""
        raised = (("full mode", f"{elevation['state']}{decided_by}: {elevation['reason']}"),)
    return Part(
        "Who approved",
        (("layer", approved["layer"]), *raised),
        ("at", "what", "by", "minutes", "note"),
        tuple((d["at"], d["what"], d["by"], d["minutes"], d["note"]) for d in approved["decisions"]),
    )


def _which_case(case: Document) -> Part:
    return Part(
        "Which case",
        (
            ("ticket", case["ticket"]),
            ("reason", case["reason"]),
            ("scope", f"{case['scope']} (about {case['records_declared']:,} records)"),
            ("tried before", ", ".join(case["tried_before"])),
            ("why not", case["why_not"]),
        ),
    )


def _what_was_viewed(seen: Document) -> Part:
    return Part(
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


def _how_long(length: Document) -> Part:
    by = length["ended_by"] or ""
    lasted = f"{length['seconds'] // 60} min {length['seconds'] % 60} s of {length['seconds_allowed'] // 60} min"
    return Part(
        "How long",
        (
            ("started", length["started_at"]),
            ("ended", length["ended_at"] or "still running"),
            ("lasted", lasted),
            ("ended by", f"{by} ({length['ended_by_name']})" if length["ended_by_name"] else by),
            *((("end reason", length["end_reason"]),) if length["end_reason"] else ()),
        ),
    )
