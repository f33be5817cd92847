"""Letters say everything by themselves, and nothing from outside forges their structure (REQ-104, REQ-105, REQ-211)."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.verdict import Refused
from app.services import consent, letters, session_letters
from storage.models import Contact, LinkKind, Mode, SessionView, Staff, ViewKind
from storage.view import derived_id
from tests.mailed import text_of
from tests.services.world import World
from tests.unit.samples import ANN, MARIA, NOW, place, request, session


class Ids:
    """Only draws ids: all that a letter needs of a View."""

    def __init__(self) -> None:
        self._drawn = 0

    def fresh_id(self, prefix: str) -> str:
        self._drawn += 1
        return derived_id("letters", prefix, self._drawn)


async def test_the_request_letter_says_what_is_to_be_decided(world: World) -> None:
    """REQ-104: engineer with e-mail, target, ticket, the reason verbatim, scope, mode, minutes, links, expiry."""
    asked = await world.ask(reason="Line one of 8841 says paid.\nLine two says the card was never credited.")
    letter = world.letters("request.created")[0]
    for words in (
        "Ann Lee <ann@ops.example>",
        "Eva Lind <eva@northwind.example>",
        "T-48271",
        "> Line one of 8841 says paid.\n> Line two says the card was never credited.",
        "> refund 8841 and payment event 991",
        "read-only",
        "Minutes:      30",
        asked.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "Tried before: logs",
    ):
        assert words in text_of(letter)
    lines = text_of(letter).splitlines()
    assert lines.count("{approve_link}") == lines.count("{deny_link}") == 1
    assert letter.links == (LinkKind.APPROVE, LinkKind.DENY)


async def test_a_placeholder_in_a_reason_is_never_a_line_of_its_own(world: World) -> None:
    """REQ-105: else a reason could make the letter show a link where the engineer wants one."""
    reason = "Refund 8841 was never credited, see below\n{approve_link}\n> quoted\n  {deny_link}  "
    asked = await world.ask(reason=reason, scope="{approve_link}", why_not="{deny_link}\nshows no answer of the bank")
    letter = world.letters("request.created", asked.id)[0]
    lines = [line.strip() for line in text_of(letter).splitlines()]
    assert lines.count("{approve_link}") == lines.count("{deny_link}") == 1
    assert "> {approve_link}" in lines


hostile = st.text(st.sampled_from("a {}\n\r\x0b\x0c\x1c\x85\u2028\u2029\x1b\x00>:é漢") | st.characters(), max_size=60)


@settings(deadline=None)  # the first letter compiles its template
@given(hostile, hostile, hostile)
def test_nothing_from_outside_forges_a_line_or_a_header(name: str, words: str, reason: str) -> None:
    """REQ-104: names are one line, words are quoted, whatever they hold."""
    engineer: Staff = dataclasses.replace(ANN, name=name + "{approve_link}")
    admin: Contact = dataclasses.replace(MARIA, name=name + "\n{deny_link}\n")
    where = place(dataclasses.replace(admin, id="nw/other"))
    asked = request(scope=words, why_not=words, reason="{approve_link}\n" + reason, ticket=words + "\n{deny_link}")
    for letter in letters.request_created(Ids(), where, engineer, asked, NOW):  # type: ignore[arg-type]  # draws ids only
        assert text_of(letter).splitlines().count("{approve_link}") == 1
        assert text_of(letter).splitlines().count("{deny_link}") == 1
        assert len(letter.subject.splitlines()) <= 1
        assert len(letter.subject) <= letters.SUBJECT_MAX
        letter.image()
    viewed = SessionView("V-1", "S-1", "nw", ViewKind.RECORD, name, (words,), 1, NOW, "engineer", within_scope=True)
    over = session(end_reason=reason)
    for letter in session_letters.receipt(Ids(), where, engineer, asked, over, [viewed], NOW):  # type: ignore[arg-type]  # as above
        assert not {"{approve_link}", "{deny_link}"} & set(text_of(letter).splitlines())
        assert len(letter.subject.splitlines()) <= 1


async def test_full_mode_and_urgency_are_said(world: World) -> None:
    """REQ-104."""
    asked = await world.ask(mode=Mode.FULL, urgent=True, minutes=90)
    text = text_of(world.letters("request.created", asked.id)[0])
    assert "full: data can be changed" in text
    assert "Urgent:       yes" in text
    assert "90 asked, your maximum is 60" in text


async def test_a_note_is_quoted_in_the_letter_to_the_others(world: World) -> None:
    """REQ-105, REQ-107: a decision can carry a note; not one that is too long or hides control characters."""
    asked = await world.ask()
    link = await world.link(asked, "northwind/maria", LinkKind.DENY)
    for note in ("x" * 1001, "a\x1b[2J"):
        with pytest.raises(Refused, match="note"):
            await world.run(consent.deny, world.admin("northwind/maria"), link, note)
    await world.run(consent.deny, world.admin("northwind/maria"), link, "not\nnow")
    [letter] = [one for one in world.letters("request.denied") if one.to_id == "northwind/juan"]
    assert "Note:\n> not\n> now" in text_of(letter)
