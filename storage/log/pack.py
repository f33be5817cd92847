"""A pack: a stretch of one log as a zip file (or .tar, .tar.gz) that verifies offline, without this software (REQ-404).

`log.jsonl` holds, a line each, the exact body bytes of the entries; `hash = SHA-256(0x00 ‖ line)` and each body's
`prev` is the hash of the line before. `manifest.json` says which stretch it is and how it is anchored at both ends;
`VERIFY.txt` says how to check it in a dozen lines of any language. A pack that was unpacked into a directory verifies
as well.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from storage.errors import Misconfigured
from storage.log.chain import EntryLike, Fault, Link, check_entry, check_gap, leaf

FORMAT = "countersign-pack/1"
_FIXED = (1980, 1, 1, 0, 0, 0)
"""The same entries make the same bytes: a zip file's own times say nothing here."""
_LONGEST_LINE = 64 * 1024 * 1024
_LONGEST_MANIFEST = 1024 * 1024

_VERIFY = """\
log.jsonl holds one entry a line. The hash of an entry is SHA-256 of one zero byte and the line's bytes without its
line feed. Each entry's "prev" is the hash of the line before it; the first one's is "prev" of manifest.json (64 zeros
if the log begins here), and the last line's hash is "last_hash" there. In Python:

    import hashlib, json
    manifest = json.load(open("manifest.json"))
    prev, seq = manifest["prev"], manifest["first"]
    for line in open("log.jsonl", "rb").read().split(b"\\n")[:-1]:
        entry = json.loads(line)
        assert entry["prev"] == prev and entry["seq"] == seq and entry["log"] == manifest["log"], seq
        prev, seq = hashlib.sha256(b"\\0" + line).hexdigest(), seq + 1
    assert prev == manifest["last_hash"] and seq == manifest["last"] + 1
    print("verified", seq - manifest["first"], "entries; the newest hash is", prev)

That shows that the entries belong together. That they are the ones that were mailed to you is shown by comparing
"last_hash", or any entry's, with the X-Countersign-Head of a letter: log, number, hash.
"""


@dataclass(frozen=True, slots=True)
class PackReport:
    """What a check of a pack came to. `whole`: it begins with the log's first entry."""

    log: str
    entries: int
    first: int
    last: int
    last_hash: str
    whole: bool
    faults: tuple[Fault, ...]


def write_pack(path: Path, log: str, entries: Sequence[EntryLike], before: Link, made: dict[str, str]) -> None:
    """Write the entries that follow `before`; `made` is put into the manifest as it is. Whole or not at all. Raises
    OSError."""
    last = Link(entries[-1].seq, entries[-1].hash.hex()) if entries else before
    manifest = {
        "format": FORMAT,
        "log": log,
        "first": before.seq + 1,
        "last": last.seq,
        "entries": len(entries),
        "prev": before.hash,
        "last_hash": last.hash,
        **made,
    }
    files = {
        "manifest.json": (json.dumps(manifest, indent=1, ensure_ascii=True) + "\n").encode(),
        "log.jsonl": b"".join(entry.body.encode("utf-8", "surrogateescape") + b"\n" for entry in entries),
        "VERIFY.txt": _VERIFY.encode(),
    }
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as target:
            if path.name.endswith(".tar"):
                _tar(files, target)
            elif path.name.endswith((".tar.gz", ".tgz")):
                with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as packed:
                    _tar(files, packed)
            else:
                _zip(files, target)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _zip(files: Mapping[str, bytes], target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w") as pack:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _FIXED)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            pack.writestr(info, data)


def _tar(files: Mapping[str, bytes], target: IO[bytes] | gzip.GzipFile) -> None:
    with tarfile.open(fileobj=target, mode="w") as pack:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o644, 0
            pack.addfile(info, io.BytesIO(data))


@dataclass(frozen=True, slots=True)
class _Line:
    seq: int
    hash: bytes
    body: str


def verify_pack(path: Path) -> PackReport:
    """Check every line and both ends. Raises Misconfigured for a file that is no pack."""
    try:
        with _opened(path) as (first, lines):
            manifest = json.loads(first)
            if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
                raise Misconfigured(f"{path} is no pack that this version knows")
            log, link = str(manifest["log"]), Link(int(manifest["first"]) - 1, str(manifest["prev"]))
            return _verify(log, link, manifest, lines)
    except OSError as error:
        raise Misconfigured(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error) as error:
        raise Misconfigured(f"{path} is no pack, or is damaged: {error}") from error
    except (KeyError, ValueError, TypeError, EOFError, NotImplementedError, RuntimeError) as error:
        raise Misconfigured(f"{path} is no pack, or is damaged: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[bytes, IO[bytes]]]:
    """The manifest's bytes, and log.jsonl to read: from a directory, a tar file, or a zip file."""
    if path.is_dir():
        with (path / "manifest.json").open("rb") as manifest, (path / "log.jsonl").open("rb") as lines:
            yield manifest.read(_LONGEST_MANIFEST), lines
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            first, log = tar.extractfile("manifest.json"), tar.extractfile("log.jsonl")
            if first is None or log is None:
                raise KeyError("a member is no file")
            yield first.read(_LONGEST_MANIFEST), log
    else:
        with zipfile.ZipFile(path) as pack, pack.open("manifest.json") as manifest, pack.open("log.jsonl") as lines:
            yield manifest.read(_LONGEST_MANIFEST), lines


def _verify(log: str, link: Link, manifest: dict[str, Any], lines: IO[bytes]) -> PackReport:
    faults: list[Fault] = []
    start, count = link, 0
    for text in _lines(lines):
        body = text.decode("utf-8", "surrogateescape")
        entry = _Line(_number(body, link.seq + 1), leaf(body), body)
        gap = check_gap(log, entry, link)
        if gap is not None:
            faults.append(gap)
        _, wrong = check_entry(log, entry, link)
        if wrong:
            faults.append(Fault(log, entry.seq, wrong))
        link, count = Link(entry.seq, entry.hash.hex()), count + 1
    for name, found in (("last", link.seq), ("last_hash", link.hash), ("entries", count)):
        if manifest[name] != found:
            faults.append(Fault(log, link.seq, f"the manifest says {name} {manifest[name]}, the lines say {found}"))
    return PackReport(log, count, start.seq + 1, link.seq, link.hash, start.seq == 0, tuple(faults))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line.removesuffix(b"\n")


def _number(body: str, expected: int) -> int:
    """The number an entry gives itself; the expected one where it gives none, which the check then says."""
    try:
        seq = json.loads(body)["seq"]
    except (ValueError, KeyError, TypeError):
        return expected
    return seq if isinstance(seq, int) else expected
