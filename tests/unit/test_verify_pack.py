"""REQ-404: a pack verifies offline, without this software; whatever is changed in it shows."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from storage.errors import Misconfigured
from storage.log.chain import Link
from storage.log.pack import verify_pack, write_pack
from tests.unit.chains import Entry, chain

MADE = {"exported_at": "2026-03-02T09:00:00.000000Z", "exported_by": "sue@op.example"}
NAMES = ["log.zip", "log.tar", "log.tar.gz", "log.tgz", "log.pack"]


def packed(path: Path, entries: list[Entry], before: Link = Link()) -> Path:  # noqa: B008 - frozen
    write_pack(path, "tenant:acme", entries, before, MADE)
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", [0, 7])
def test_a_whole_pack_and_a_stretch_verify(tmp_path: Path, name: str, start: int) -> None:
    entries = chain("tenant:acme", 20)
    before = Link(start, entries[start - 1].hash.hex()) if start else Link()
    report = verify_pack(packed(tmp_path / name, entries[start:], before))
    assert report.faults == ()
    assert (report.first, report.last, report.entries, report.whole) == (start + 1, 20, 20 - start, start == 0)
    assert report.last_hash == entries[-1].hash.hex()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_entries_make_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "again").mkdir()
    one = packed(tmp_path / name, chain("tenant:acme", 20))
    two = packed(tmp_path / "again" / name, chain("tenant:acme", 20))
    assert one.read_bytes() == two.read_bytes()


def test_a_dozen_lines_of_python_from_the_pack_itself_verify_it(tmp_path: Path) -> None:
    pack = packed(tmp_path / "log.zip", chain("tenant:acme", 20))
    room = tmp_path / "unpacked"
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(room)
    script = "\n".join(re.findall(r"^    (.*)$", (room / "VERIFY.txt").read_text(), re.MULTILINE))
    done = subprocess.run([sys.executable, "-I", "-c", script], cwd=room, capture_output=True, text=True, check=False)
    assert "verified 20 entries" in done.stdout, done.stderr
    assert verify_pack(room).faults == (), "and the program verifies what was unpacked"

    lines = (room / "log.jsonl").read_bytes()
    (room / "log.jsonl").write_bytes(lines.replace(b"the 5th", b"the 6th"))
    done = subprocess.run([sys.executable, "-I", "-c", script], cwd=room, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert [fault.seq for fault in verify_pack(room).faults] == [6], "the entry after the changed one is not linked"


def test_any_byte_changed_in_any_line_shows(tmp_path: Path) -> None:
    with zipfile.ZipFile(packed(tmp_path / "log.zip", chain("tenant:acme", 6))) as archive:
        archive.extractall(tmp_path)
    whole = (tmp_path / "log.jsonl").read_bytes()
    dice = random.Random(1)
    for place in dice.sample(range(len(whole)), 300):
        changed = bytearray(whole)
        changed[place] ^= 1 << dice.randrange(8)
        (tmp_path / "log.jsonl").write_bytes(changed)
        assert verify_pack(tmp_path).faults, (place, bytes(changed[place - 10 : place + 10]))


@pytest.mark.parametrize("cut", [1, 3])
def test_a_cut_tail_shows(tmp_path: Path, cut: int) -> None:
    with zipfile.ZipFile(packed(tmp_path / "log.zip", chain("tenant:acme", 6))) as archive:
        archive.extractall(tmp_path)
    lines = (tmp_path / "log.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_bytes(b"".join(lines[:-cut]))
    assert any("the manifest says last 6" in fault.what for fault in verify_pack(tmp_path).faults)


def test_lines_are_the_exact_bodies(tmp_path: Path) -> None:
    entries = chain("tenant:acme", 3)
    with zipfile.ZipFile(packed(tmp_path / "log.zip", entries)) as archive:
        lines = archive.read("log.jsonl").split(b"\n")[:-1]
    assert [hashlib.sha256(b"\0" + line).digest() for line in lines] == [entry.hash for entry in entries]
    assert json.loads(lines[1])["prev"] == entries[0].hash.hex()


@pytest.mark.parametrize("content", [b"", b"no pack", b"PK\x03\x04 broken"])
def test_what_is_no_pack_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.zip").write_bytes(content)
    with pytest.raises(Misconfigured):
        verify_pack(tmp_path / "log.zip")
    with pytest.raises(Misconfigured):
        verify_pack(tmp_path / "nowhere.zip")
