"""A chunk by columns is the chunk, or it cannot be taken apart: nothing in between (REQ-404)."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.filling.verified import Filling
from storage.log.chain import GENESIS
from storage.log.entry import OPERATOR, Head
from storage.shared.columns import Mixed, columns_of, pulled_of
from storage.shared.interface import Pulled, StoredEntry, StoredRow
from storage.witness import Witness

LINES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
HASHES = st.binary(min_size=32, max_size=32)
TABLES = st.sampled_from(["mail", "session_view", "request"])
ENTRIES = st.lists(st.tuples(HASHES, LINES), min_size=1, max_size=4)
TWINS = st.lists(st.tuples(LINES.filter(bool), st.integers(1, 2**53), HASHES, LINES), max_size=4)
ROWS = st.dictionaries(st.tuples(TABLES, LINES), st.tuples(st.integers(1, 9), LINES.filter(bool)), max_size=5)
PRIVATE = st.dictionaries(LINES, st.tuples(st.integers(1, 9), HASHES.map(bytes.hex)), max_size=5)


@st.composite
def chunks(draw: st.DrawFn) -> Pulled:
    entries = [StoredEntry(OPERATOR, seq, *one) for seq, one in enumerate(draw(ENTRIES), 1)]
    rows = [StoredRow(*key, rev, image, "") for key, (rev, image) in sorted(draw(ROWS).items())]
    rows += [StoredRow("command", key, rev, "", digest) for key, (rev, digest) in draw(PRIVATE).items()]
    twins = tuple(StoredEntry(f"tenant:{tenant}", *rest) for tenant, *rest in draw(TWINS))
    return Pulled("epoch", Head(9, "head"), None, tuple(entries), twins, tuple(rows), True)


@given(chunks())
def test_taken_apart_it_is_what_it_was(chunk: Pulled) -> None:
    assert pulled_of(columns_of(chunk), Head()) == chunk


@given(chunks())
def test_a_line_feed_in_a_text_is_noticed(chunk: Pulled) -> None:
    first = chunk.entries[0]
    broken = replace(chunk, entries=(first._replace(body=first.body + "\n"), *chunk.entries[1:]))
    with pytest.raises(Mixed):
        pulled_of(columns_of(broken), Head())


@given(chunks(), st.binary(max_size=64).filter(lambda one: len(one) != 32))
def test_a_hash_of_another_length_is_noticed(chunk: Pulled, other: bytes) -> None:
    broken = replace(chunk, entries=(*chunk.entries[:-1], chunk.entries[-1]._replace(hash=other)))
    with pytest.raises(Mixed):
        columns_of(broken)


def one_entry(table: str, image: str) -> tuple[StoredEntry, str]:
    """An entry that lists one row, and that row's digest."""
    digest = sha256(image.encode()).hexdigest()
    body = {
        "action": "log.exported", "actor": {"id": "U-1"}, "at": "now", "change": "c", "ip": "", "log": OPERATOR,
        "prev": GENESIS, "rows": [[table, "K", digest]], "seq": 1, "v": 1,
    }  # fmt: skip
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return StoredEntry(OPERATOR, 1, sha256(b"\0" + text.encode()).digest(), text), digest


@pytest.mark.parametrize("closely", [False, True], ids=["at a glance", "closely"])
@pytest.mark.parametrize(("table", "private"), [("mail", True), ("command", False)])
def test_a_long_history_is_not_taken_with_a_row_that_came_the_wrong_way(
    tmp_path: Path, table: str, private: bool, closely: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image of a private row never comes here, and no other row is taken for its digest alone."""
    if closely:
        monkeypatch.setattr("storage.filling.verified.look", lambda *_: None)
    image = '{"id":"K"}'
    entry, digest = one_entry(table, image)
    right = StoredRow(table, "K", 1, "" if table == "command" else image, digest if table == "command" else "")
    wrong = StoredRow(table, "K", 1, "" if private else image, digest if private else "")
    for row, taken in ((right, True), (wrong, False)):
        chunk = Pulled("epoch", Head(1, entry.hash.hex()), None, (entry,), (), (row,), False)
        filling = Filling(None, Witness(tmp_path / "witness.json"))
        assert (filling.take(columns_of(chunk)) is not None) is taken
