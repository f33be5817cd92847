"""REQ-404: the verifier names what is wrong with a chain, whoever wrote it; it needs nothing of the writer's."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from storage.log.chain import Fault, Link, leaf
from storage.log.verify import verify_chain
from tests.unit.chains import Entry, chain

LENGTH = 12


def head_of(entries: list[Entry]) -> Link:
    return Link(entries[-1].seq, entries[-1].hash.hex())


def test_a_sound_chain_has_no_fault() -> None:
    entries = chain("operator", LENGTH)
    assert verify_chain("operator", entries, head_of(entries)) == []
    assert verify_chain("operator", [], Link()) == []


@given(number=st.integers(1, LENGTH), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_changed_is_told_under_the_entry_it_is_in(number: int, place: float, bit: int) -> None:
    entries = chain("operator", LENGTH)
    victim = entries[number - 1]
    text = bytearray(victim.body.encode())
    text[int(place * len(text))] ^= 1 << bit
    entries[number - 1] = Entry(victim.seq, victim.hash, text.decode("utf-8", "surrogateescape"))
    (fault,) = verify_chain("operator", entries, head_of(entries))
    assert fault.seq == number and "do not have the stored hash" in fault.what


@given(st.sets(st.integers(1, LENGTH), min_size=1, max_size=LENGTH - 1))
def test_missing_entries_are_told_by_number(missing: set[int]) -> None:
    entries = chain("operator", LENGTH)
    left = [entry for entry in entries if entry.seq not in missing]
    faults = verify_chain("operator", left, head_of(entries))
    gaps = {number for number in missing if number - 1 not in missing and number < left[-1].seq}
    cut = {LENGTH} if left[-1].seq < LENGTH else set()
    assert {fault.seq for fault in faults} == gaps | cut


@given(st.permutations(range(LENGTH)))
def test_any_other_order_is_a_fault(order: list[int]) -> None:
    entries = chain("operator", LENGTH)
    faults = verify_chain("operator", [entries[index] for index in order], head_of(entries))
    assert bool(faults) == (order != sorted(order))


@given(st.integers(1, LENGTH), st.integers(1, LENGTH))
def test_two_bodies_swapped_are_both_told(first: int, second: int) -> None:
    entries = chain("operator", LENGTH)
    one, two = entries[first - 1], entries[second - 1]
    entries[first - 1] = Entry(first, two.hash, two.body)
    entries[second - 1] = Entry(second, one.hash, one.body)
    told = {fault.seq for fault in verify_chain("operator", entries, head_of(entries))}
    assert {first, second} <= told if first != second else not told


def test_an_entry_of_another_log_is_told() -> None:
    (fault,) = verify_chain("tenant:zeta", chain("tenant:acme", 1))
    assert str(fault) == "log of tenant zeta, number 1: its body belongs to the log of tenant acme"


def test_a_chain_rewritten_from_some_entry_on_shows_against_a_head_that_was_seen() -> None:
    true, false = chain("operator", LENGTH), chain("operator", LENGTH - 1)
    forged = [*false, chain("operator", LENGTH)[-1]]
    forged[-1] = Entry(LENGTH, leaf("{}"), "{}")
    assert verify_chain("operator", forged, head_of(true))[-1] == Fault(
        "operator", LENGTH, "the recorded head's hash is not the last entry's hash"
    )


def test_the_verifier_imports_neither_models_nor_writers() -> None:
    """design.md: the verifier shares no code path with the writer."""
    script = (
        "import sys, storage.log.verify, storage.log.pack; print(*[m for m in sys.modules if m.startswith('storage.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        "storage.log",
        "storage.log.chain",
        "storage.log.ledger",
        "storage.log.verify",
        "storage.log.pack",
        "storage.log.source",
        "storage.errors",
    }
