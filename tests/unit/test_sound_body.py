"""The quick way to say that an entry is sound says so exactly when the wordy way finds nothing wrong."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from storage.log.chain import Link, check_entry, check_gap, leaf, sound_body
from storage.shared.interface import StoredEntry

LINK = Link(4, "ab" * 32)
VALUES: st.SearchStrategy[object] = st.one_of(
    st.sampled_from(["operator", "tenant:acme", 4, 5, 6, 5.0, True, None, LINK.hash, "0" * 64, [], {}]), st.text()
)
BODIES = st.dictionaries(st.sampled_from(["log", "seq", "prev", "ref"]), VALUES)
RIGHT = {"log": "operator", "seq": 5, "prev": LINK.hash}


@given(
    st.one_of(st.just(RIGHT), BODIES, BODIES.map(lambda changed: RIGHT | changed), st.integers(), st.none()),
    st.sampled_from(["", " ", "x", "{}", "\udcff"]),
    st.sampled_from(["", " ", "\ufeff"]),
    st.integers(3, 7),
    st.booleans(),
)
def test_the_quick_look_and_the_wordy_check_agree_on_every_entry(
    data: object, behind: str, before: str, seq: int, hashed: bool
) -> None:
    text = before + json.dumps(data) + behind
    entry = StoredEntry("operator", seq, leaf(text) if hashed else b"\0" * 32, text)
    body, wrong = check_entry("operator", entry, LINK)
    nothing_wrong = check_gap("operator", entry, LINK) is None and not wrong
    sound = sound_body("operator", seq, entry.hash, text, LINK)
    if sound is not None:
        assert nothing_wrong and sound == body
    elif nothing_wrong:
        assert text != text.strip(), "only blanks around a body send a sound entry the wordy way"
