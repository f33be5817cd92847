"""The shape that lets an entry be recognised without parsing it says exactly what the parse says, of every text."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from storage.log.chain import leaf
from storage.log.shape import operator_entries, rows_counted, rows_listed, twin_text

HASH = st.text("0123456789abcdef", min_size=64, max_size=64)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text())
NESTED = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
SEQ = st.integers(1, 2**53 - 1)
ROWS = st.lists(st.tuples(st.sampled_from(["mail", "session_view"]), st.text(), HASH).map(list), max_size=3)
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "action": st.text(), "actor": st.dictionaries(st.text(), SCALARS, max_size=4), "at": st.text(),
    "change": st.text(), "ip": st.text(), "log": st.just("operator"), "prev": HASH, "rows": ROWS, "seq": SEQ,
    "v": st.just(1),
}  # fmt: skip
MAYBE: dict[str, st.SearchStrategy[object]] = {
    "after": st.dictionaries(st.text(), NESTED, max_size=3), "before": st.dictionaries(st.text(), NESTED, max_size=3),
    "data": st.dictionaries(st.text(), NESTED, max_size=3), "reason": st.text(), "request": st.text(),
    "session": st.text(), "target": st.text(), "tenant": st.text(), "ticket": st.text(),
    "ref": st.fixed_dictionaries({"hash": HASH, "log": st.text().map("tenant:".__add__), "seq": SEQ}),
    "seen": st.fixed_dictionaries({"hash": HASH, "seq": SEQ}),
}  # fmt: skip
BODIES = st.fixed_dictionaries(FIELDS, optional=MAYBE)
MARKS = [*'"\\{}[],: \n01-.eü', "\x00", "\ud800", "\\u00", '\\"', "null"]
INSERTED = st.sampled_from([*MARKS, '"prev":"', ',"log":"operator"', ',"seq":3', '"tenant":"acme",'])


def canonical(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def held_to_the_parse(text: str) -> bool:
    """Whether every line of the text is recognised; if so, every group says what the parse says."""
    found = operator_entries(text)
    lines = text.split("\n")
    if len(found) != len(lines):
        assert len(found) < len(lines)
        return False
    for line, groups in zip(lines, found, strict=True):
        body = json.loads(line)
        ref = body.get("ref")
        assert (body["log"], body["prev"], body["seq"]) == ("operator", groups[1], int(groups[8]))
        assert (ref is None) == (groups[3] == groups[4] == groups[5] == "")
        if ref is not None:
            assert ref == {"hash": groups[3], "log": f"tenant:{groups[4]}", "seq": int(groups[5])}
        assert body.get("tenant") == (groups[10] or None)
        assert body["rows"] == [list(row) for row in rows_listed(groups[7])]
        assert rows_counted(groups[7]) == len(body["rows"])
    return True


@given(st.lists(BODIES, min_size=2, max_size=4), st.data())
def test_lines_are_recognised_each_by_itself(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    """What is before a body on its line, or behind it, is not overlooked, wherever the line stands."""
    lines = [canonical(body) for body in bodies]
    alone = [held_to_the_parse(line) for line in lines]
    assert held_to_the_parse("\n".join(lines)) == all(alone)
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(st.sampled_from(["{}" + lines[place], lines[place] + "{}", lines[place] + "\n"]))
    assert not held_to_the_parse("\n".join(lines))


@given(BODIES)
def test_what_is_recognised_is_what_is_parsed(body: dict[str, object]) -> None:
    held_to_the_parse(canonical(body))


@given(BODIES, st.lists(st.tuples(st.integers(0, 10_000), INSERTED, st.integers(0, 3)), min_size=1, max_size=3))
@example({}, [(0, '{"prev":"', 0)])
def test_a_text_with_something_put_in_or_cut_out_is_recognised_only_if_it_parses_alike(
    body: dict[str, object], cuts: list[tuple[int, str, int]]
) -> None:
    text = canonical(body)
    for place, put_in, cut in cuts:
        place %= len(text) + 1
        text = text[:place] + put_in + text[place + cut :]
    held_to_the_parse(text)


@given(BODIES, st.lists(st.sampled_from(["log", "prev", "seq", "tenant", "ref", "rows"]), min_size=1))
def test_a_field_that_stands_deeper_is_not_taken_for_the_field(body: dict[str, object], deeper: list[str]) -> None:
    """A forger might hide the true link in `data` and link to somewhere else."""
    hidden = {name: body[name] for name in deeper if name in body}
    shadowed = {**{name: value for name, value in body.items() if name not in deeper}, "data": hidden}
    assert not held_to_the_parse(canonical(shadowed)) or not {"log", "prev", "seq", "rows"} & set(deeper)
    held_to_the_parse(canonical({**body, "data": hidden}))


PLAIN = st.text("abcdefghijklmnopqrstuvwxyz0123456789-ü ")
LIKELY = st.fixed_dictionaries(
    {
        **FIELDS, "rows": st.lists(st.tuples(st.just("mail"), PLAIN, HASH).map(list), max_size=3),
        "data": st.fixed_dictionaries({"links": st.lists(PLAIN, max_size=2), "count": st.integers(-9, 9)}),
    },
    optional={name: what for name, what in MAYBE.items() if name in ("reason", "request", "session", "ticket", "seen")},
)  # fmt: skip


@given(LIKELY, PLAIN.filter(bool), SEQ, HASH, HASH)
def test_what_the_program_writes_is_recognised_and_so_is_its_twin(
    draft: dict[str, object], tenant: str, twin_seq: int, twin_prev: str, twin_hash: str
) -> None:
    log = f"tenant:{tenant}"
    body = {**draft, "tenant": tenant, "ref": {"hash": twin_hash, "log": log, "seq": twin_seq}}
    text = canonical(body)
    assert held_to_the_parse(text)
    twin = {name: value for name, value in body.items() if name not in ("rows", "seen")}
    twin |= {"log": log, "seq": twin_seq, "prev": twin_prev, "ref": {"log": "operator", "seq": body["seq"]}}
    (groups,) = operator_entries(text)
    assert twin_text(groups, twin_prev) == canonical(twin)
    assert leaf(canonical(twin)) == leaf(twin_text(groups, twin_prev))
