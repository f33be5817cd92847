"""The one gate for text from outside: nothing that a terminal obeys or that an eye is fooled by comes through."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.text import LONGEST_COMBINING_RUN, clipped, fitted, safe, visible

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=60)
"""Every code point, lone surrogates included."""

FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANY_TEXT)
def test_nothing_that_controls_a_terminal_or_hides_comes_through(text: str) -> None:
    assert not [c for c in visible(text) if unicodedata.category(c) in FORBIDDEN]


@given(ANY_TEXT)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_not_touched(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;QQ==\x07", "␛]52;c;QQ==␇"),
        ("a\x00b", "a␀b"),
        ("a\x7fb\x9bc\x85", "a␡b⟨U+009B⟩c⟨U+0085⟩"),
        ("user\u202egnp.exe", "user⟨U+202E⟩gnp.exe"),
        ("a\u200bb\u2066c\ufeff", "a⟨U+200B⟩b⟨U+2066⟩c⟨U+FEFF⟩"),
        ("one\u2028two\u2029", "one⟨U+2028⟩two⟨U+2029⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\U000e0101", "⟨U+E0101⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("line\nline\tend\r", "line␊line␉end␍"),
        ("a\u00a0b", "a b"),
    ],
)
def test_each_kind_has_its_mark(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_feeds_stay_where_several_lines_are_drawn() -> None:
    assert visible("one\ntwo\r", lines=True) == "one\ntwo␍"


@pytest.mark.parametrize("text", ["Zoë", "Größe", "漢字", "नमस्ते", "👍 ok", "한국어", "Ｗｉｄｅ", "e\u0301"])
def test_the_worlds_letters_are_not_touched(text: str) -> None:
    assert visible(text) == text


def test_heaps_of_combining_marks_are_counted_not_drawn() -> None:
    heap = "e" + "\u0301" * 500 + "x"
    assert visible(heap) == "e" + "\u0301" * LONGEST_COMBINING_RUN + "⟨+496 marks⟩x"


def test_markup_is_text() -> None:
    content = safe("[bold red]x[/] [@click=app.quit]y[/]")
    assert content.plain == "[bold red]x[/] [@click=app.quit]y[/]"
    assert not content.spans


@given(st.text(max_size=40).map(visible), st.integers(0, 30))
def test_clipped_text_fits_and_says_that_it_was_clipped(text: str, cells: int) -> None:
    short = clipped(text, cells)
    assert cell_len(short) <= cells
    assert short == text or (cells == 0 and short == "") or short.endswith("…")


@given(st.text(max_size=40).map(visible), st.integers(1, 30), st.booleans())
def test_fitted_text_fills_its_cells_exactly(text: str, cells: int, right: bool) -> None:
    assert cell_len(fitted(text, cells, right=right)) == cells
