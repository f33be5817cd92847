"""Every kind of letter, word for word (issue 4, section 2): each event has its template, both parts say everything,
nothing from outside is more than words, and nothing is loaded from elsewhere."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from html.parser import HTMLParser

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from app.mail.rendering import events
from storage.models import Mail
from storage.models.row import Json, canonical
from tests.mailed import HEAD, parts
from tests.unit.letter_samples import said_by, samples

SAMPLES = samples()
LINK_ATTRIBUTES = {"src", "background", "data", "poster", "action", "srcset"}


class Reading(HTMLParser):
    """What a mail reader makes of the HTML: its text, its tags, where its links lead."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.tags, self.links, self.attributes = "", list[str](), list[str](), set[str]()
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_letter_word_for_word(name: str, snapshot: SnapshotAssertion) -> None:
    letter = parts(SAMPLES[name])
    assert letter.plain == snapshot(name="plain")
    assert letter.html == snapshot(name="html")


def test_every_template_has_a_sample_and_every_sample_its_template() -> None:
    assert {mail.event for mail in SAMPLES.values()} == set(events())


@pytest.mark.parametrize("name", SAMPLES)
def test_both_parts_say_everything_that_the_row_holds(name: str) -> None:
    """What was mailed is provable from the row; the plain part lacks nothing (interface.md, "Mail")."""
    mail = SAMPLES[name]
    letter = parts(mail)
    for medium in (letter.plain, Reading(letter.html).text):
        missing = [fact for fact in said_by(mail) if flat(fact) not in flat(medium.replace("\n> ", "\n"))]
        assert not missing


@pytest.mark.parametrize("name", SAMPLES)
def test_every_letter_names_the_head_and_what_it_is_for(name: str) -> None:
    """REQ-405: the mailbox is a witness."""
    letter = parts(SAMPLES[name])
    for medium in (letter.plain, Reading(letter.html).text):
        assert HEAD.hash in medium and "Keep the letter" in medium


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_loaded_and_nothing_runs(name: str) -> None:
    """A reader opens it without telling anyone: no image, no script, no font, no style sheet from elsewhere."""
    source = parts(SAMPLES[name]).html
    read = Reading(source)
    assert not {"script", "img", "link", "iframe", "object", "form", "svg"} & set(read.tags)
    assert not LINK_ATTRIBUTES & read.attributes and "url(" not in source and "@import" not in source
    assert not [name for name in read.attributes if name.startswith("on")]
    wanted = {"https://portal.example/access", *(f"{{{kind.value}_link}}" for kind in SAMPLES[name].links)}
    assert set(read.links) <= wanted


hostile = st.text(
    st.sampled_from("<>&\"'{}%#a \n\r\t\x0b\x0c\x1c\x85\u2028\u2029\u202e\x1b\x00é漢")
    | st.characters(exclude_categories=["Cs"]),
    max_size=40,
)


def replaced(value: Json, by: str) -> Json:
    """Facts with every free text replaced. Times stay times, and what steers stays."""
    if isinstance(value, dict):
        return {key: inner if key == "to" else replaced(inner, by) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, by) for inner in value]
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", value):
        return value + by
    return value


@settings(deadline=None)  # the first letter compiles its template
@given(st.sampled_from(sorted(SAMPLES)), hostile)
def test_whatever_people_write_stays_words(name: str, text: str) -> None:
    """REQ-104, REQ-105: no tag, no link, no line of its own, no control character, in any template."""
    evil = text + '\n{approve_link}\n{{ head }}<script>alert(1)</script><a href="https://evil.example">here</a>'
    mail: Mail = SAMPLES[name]
    facts = canonical(replaced(json.loads(mail.facts), evil))
    changed = dataclasses.replace(mail, facts=facts, subject="x" + " ".join(evil.split()), to_name="M" + evil)
    good, letter = Reading(parts(mail).html), parts(changed)
    read = Reading(letter.html)
    assert set(read.tags) <= {*good.tags, "br"} and set(read.links) == set(good.links)
    assert letter.plain.splitlines().count("{approve_link}") == parts(mail).plain.splitlines().count("{approve_link}")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]", letter.plain + html.unescape(letter.html))


def test_a_fact_that_is_missing_is_a_fault_and_no_gap() -> None:
    """StrictUndefined: better no letter, and a fault that shows, than one that leaves out what it should say."""
    mail = dataclasses.replace(SAMPLES["request.created"], facts="{}")
    with pytest.raises(jinja2.UndefinedError):
        parts(mail)


def test_a_letter_from_before_letters_had_facts_still_goes_out() -> None:
    """Rows may gain fields: what was queued by an earlier version is delivered by this one, links and all."""
    now = SAMPLES["request.created"]
    old = dataclasses.replace(now, facts="{}", text="Dear Maria,\n\nApprove:\n{approve_link}\nSee {deny_link}")
    letter = parts(old)
    assert letter.plain.splitlines().count("{approve_link}") == 1 and "See {deny_link}" in letter.plain
