"""Dossiers and exports: what people wrote can be neither markup, nor a formula, nor a terminal's command (REQ-406)."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from app.reports.dossier_page import as_html, as_markdown
from app.reports.export import Form, Stretch, form_of, write
from storage.log.chain import Link, leaf
from storage.models.row import canonical
from storage.shared.interface import StoredEntry

EVIL = "<script>alert(1)</script> [x](javascript:1) | **b** `c` \x1b]52;c;eA==\x07 \u202e \n## Who"


def dossier(words: str) -> dict[str, Any]:
    """A dossier that says the same words wherever people can put any."""
    at = "2026-01-02T03:04:05.000000Z"
    return {
        "session": "S-1",
        "who": dict.fromkeys(("engineer", "email", "tenant", "tenant_id", "as_user", "as_user_email"), words),
        "who_approved": {
            "layer": "consent",
            "decisions": [{"at": at, "what": "approve", "by": words, "minutes": 20, "note": words}],
            "elevation": {"state": "granted", "reason": words, "decided_by": words},
        },
        "which_case": {
            **dict.fromkeys(("ticket", "reason", "scope", "why_not"), words),
            "records_declared": 2,
            "tried_before": ["logs"],
        },
        "what_was_viewed": {
            "mode": "full",
            "records_seen": 3,
            "records_declared": 2,
            "beyond_scope": 1,
            "nothing": False,
            "views": [
                {"at": at, "kind": "record", "name": words, "fields": [words], "count": 3, "within_scope": False}
            ],
        },
        "how_long": {
            "started_at": at,
            "ended_at": at,
            "seconds": 61,
            "seconds_allowed": 1200,
            "ended_by": "super",
            "ended_by_name": words,
            "end_reason": words,
        },
        "outcome": {"cause": words, "ticket_closed": True},
        "outcome_owed": False,
        "entries": [{"seq": 1, "at": at, "action": "session.started", "actor": words, "hash": "ab"}],
    }


def test_markdown_holds_five_headings_whatever_people_wrote() -> None:
    page = as_markdown(dossier(EVIL))
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == [line for line in as_markdown(dossier("plain")).splitlines() if line.startswith("#")]
    for question in ("Who", "Who approved", "Which case", "What was viewed", "How long"):
        assert f"## {question}" in headings
    unescaped = re.sub(r"\\.", "", page)
    assert "<" not in unescaped and "](" not in unescaped and "`" not in unescaped
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", page)
    assert "1 min 1 s of 20 min" in page and "BEYOND" in page


def test_html_has_the_same_elements_whatever_people_wrote() -> None:
    def tags(words: str) -> list[str]:
        found: list[str] = []
        parser = HTMLParser()
        parser.handle_starttag = lambda tag, attrs: found.append(tag)  # type: ignore[method-assign]
        parser.feed(as_html(dossier(words)))
        return found

    assert tags(EVIL) == tags("plain") and "script" not in tags(EVIL)
    assert "\x1b" not in as_html(dossier(EVIL)) and "\u202e" not in as_html(dossier(EVIL))


def stretch(*reasons: str) -> Stretch:
    bodies = [canonical({"seq": number, "reason": reason}) for number, reason in enumerate(reasons, 1)]
    entries = tuple(StoredEntry("operator", n, leaf(body), body) for n, body in enumerate(bodies, 1))
    return Stretch("operator", Link(), entries, ())


def test_csv_holds_no_formula_and_no_control(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    write(file, Form.CSV, stretch("=1+1", "@x", "-2", "\x1b[2J", "two\nlines, quoted"), {})
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["reason"][0] for row in rows[:3]] == ["'", "'", "'"]
    assert "\x1b" not in file.read_text() and rows[4]["reason"] == "two\nlines, quoted"


def test_json_lines_are_the_exact_bodies(tmp_path: Path) -> None:
    file, taken = tmp_path / "log.jsonl", stretch("größer", "日本")
    write(file, Form.JSONL, taken, {})
    assert file.read_bytes().split(b"\n")[:-1] == [entry.body.encode() for entry in taken.entries]
    assert [form_of(Path(name)) for name in ("a.csv", "a.JSONL", "a.zip", "a")] == [
        Form.CSV,
        Form.JSONL,
        Form.PACK,
        Form.PACK,
    ]
