"""The page of figures is renewed section by section: what was not measured again stays."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.page import HEAD, renew


def test_a_section_is_renewed_and_the_others_stay(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    for text in ("## One\n\nfirst\n", "## Two\n\nsecond\n", "## One\n\nanew\n"):
        renew(text, page)
    assert page.read_text() == f"{HEAD}\n## One\n\nanew\n\n## Two\n\nsecond\n"
