"""A row and its image: what the log's digest vouches for is what the console shows (design.md), for every type."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from storage.log.entry import leaf_hash
from storage.models import Elevation, ElevationState, Settings
from storage.models.row import Json, Row, canonical, decode, defaults, digest, encode, parse_time, row_types, time_text
from tests.unit.drawn import EXACT, moments, rows_of, strings

keys = st.text(st.characters(max_codepoint=127))
images: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-EXACT, EXACT) | strings,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)


@given(images)
def test_the_canonical_text_is_rfc_8785_byte_for_byte(value: Json) -> None:
    assert canonical(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize("value", ["\ud800", ["a", "\udfff"], {"a": "x\ud83d"}])
def test_lone_surrogates_have_no_image(value: Json) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        canonical(value)


def test_a_key_outside_ascii_has_no_image() -> None:
    """RFC 8785 sorts keys by UTF-16 units, Python by code points: on ASCII they agree."""
    with pytest.raises(ValueError, match="ASCII"):
        encode({"é": 1})


@pytest.mark.parametrize("value", [2**53, -(2**53)])
def test_an_integer_without_an_exact_double_has_no_image(value: int) -> None:
    with pytest.raises(ValueError, match=r"2\*\*53"):
        encode(value)


@pytest.mark.parametrize("value", [1.5, float("nan"), b"bytes", {1, 2}, object()])
def test_what_json_cannot_hold_exactly_has_no_image(value: object) -> None:
    with pytest.raises(ValueError, match="has no image"):
        encode(value)


@given(moments)
def test_a_time_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert parse_time(time_text(moment)) == moment
    assert len(time_text(moment)) == len("2026-03-02T09:00:00.000000Z")


@given(moments, moments)
def test_times_sort_as_text_as_they_do_as_times(one: datetime, other: datetime) -> None:
    assert (time_text(one) < time_text(other)) == (one < other)


def test_a_time_of_another_zone_is_stored_in_utc_and_a_naive_one_never() -> None:
    eastern = datetime(2026, 3, 2, 4, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert time_text(eastern) == "2026-03-02T09:00:00.000000Z"
    with pytest.raises(ValueError, match="zone"):
        time_text(datetime(2026, 3, 2))  # noqa: DTZ001 (the point)


@pytest.mark.parametrize("text", ["2026-03-02T09:00:00.000000", "2026-03-02T09:00:00+00:00", "yesterday", ""])
def test_another_form_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


@pytest.mark.parametrize("table", sorted(row_types()))
@given(data=st.data())
def test_every_row_comes_back_from_its_image(table: str, data: st.DataObject) -> None:
    kind = row_types()[table]
    row: Row = data.draw(rows_of(kind))
    image = row.image()
    assert kind.from_image(image) == row
    assert kind.from_image(image).image() == image
    assert image.encode() == rfc8785.dumps(encode(row))


@pytest.mark.parametrize("table", sorted(row_types()))
def test_an_image_of_another_shape_is_refused(table: str) -> None:
    for image in ("{}", "[]", "1", '{"id":"x","surplus":1}'):
        with pytest.raises(ValueError):
            row_types()[table].from_image(image)


@pytest.mark.parametrize("table", sorted(row_types()))
@given(data=st.data())
def test_an_image_from_before_a_field_was_there_is_read_with_its_default(table: str, data: st.DataObject) -> None:
    """Rows gain fields; a database that was filled before goes on to open. What its digest vouches for is its text."""
    kind = row_types()[table]
    row: Row = data.draw(rows_of(kind))
    absent = data.draw(st.sets(st.sampled_from(sorted(defaults(kind)))) if defaults(kind) else st.just(set()))
    older = {name: value for name, value in json.loads(row.image()).items() if name not in absent}
    assert kind.from_image(canonical(older)) == dataclasses.replace(row, **{n: defaults(kind)[n] for n in absent})


def test_a_value_inside_a_row_may_lack_a_later_field_too() -> None:
    asked = {"asked_at": "2026-03-02T09:00:00.000000Z", "reason": "to set it right", "state": "asked"}
    assert decode(Elevation, asked) == Elevation(
        ElevationState.ASKED, "to set it right", parse_time("2026-03-02T09:00:00.000000Z")
    )
    with pytest.raises(ValueError):
        decode(Elevation, {"state": "asked", "reason": "without its time"})


def test_a_field_of_a_newer_program_is_no_image_for_this_one() -> None:
    newer = Settings("northwind").image().replace('"id":', '"hours":"9 to 5","id":')
    with pytest.raises(ValueError, match="not an image of Settings"):
        Settings.from_image(newer)


@given(strings)
def test_digests_are_over_the_stored_bytes(text: str) -> None:
    assert digest(text) == hashlib.sha256(text.encode()).hexdigest()
    assert leaf_hash(text) == hashlib.sha256(b"\x00" + text.encode()).digest()
