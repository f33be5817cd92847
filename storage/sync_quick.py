"""The quick look at a chunk: sound, every entry of it, or nothing is said.

It makes sure of all that the wordy check (`storage.sync_chunk`) makes sure of — numbers, links, hashes, the twin in its
place in its tenant's chain, naming and named and telling the same, the heads this console remembers, the digest of
every row — without parsing a body: an operator entry is recognised by its shape, and its twin must be, to the byte,
what its writer composed from it. Whole columns are compared at once (`storage.shared.columns`). What is not recognised
may still be sound; the wordy check decides that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, repeat

from storage.log.chain import Link
from storage.log.entry import OPERATOR
from storage.log.shape import operator_entries, rows_counted, rows_listed, twin_text
from storage.shared.columns import TENANT, LogColumns, Mixed, RowColumns, log_columns, numbers, texts
from storage.shared.interface import Pulled
from storage.sync_checked import Checked, LinkOf, RowKey
from storage.witness import Witness

Digests = dict[RowKey, tuple[int, str]]
"""Of rows: the number of the entry that vouches for it, and the digest in hex."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What sound entries come to: where their logs stand after them, and the newest digest they list of each row."""

    link: Link
    tenant_links: dict[str, Link]
    listed: Digests


def sound_entries(pulled: Pulled, link: Link, link_of: LinkOf, witness: Witness) -> Checked | None:
    """All entries of a chunk that follows `link`, with their twins and the digests they list; None if any of them is
    not plainly sound."""
    try:
        seen = look(log_columns(pulled.entries), log_columns(pulled.tenant_entries), link, link_of, witness)
    except Mixed:
        return None
    if seen is None:
        return None
    digests = {key: (seq, bytes.fromhex(digest)) for key, (seq, digest) in seen.listed.items()}
    entries, twins = list(pulled.entries), list(pulled.tenant_entries)
    return Checked(pulled.epoch, seen.link, entries, twins, seen.tenant_links, digests)


def look(entries: LogColumns, twins: LogColumns, link: Link, link_of: LinkOf, witness: Witness) -> Seen | None:
    """The same of columns."""
    if not entries.size:
        return None if twins.size else Seen(link, {}, {})
    try:
        told = operator_entries(entries.bodies)
        if len(told) != entries.size or not _hashed(texts(entries.bodies, entries.size), entries.hashes):
            return None
        hexes, last = entries.hashes.hex(), link.seq + entries.size
        _, prevs, _, _, ref_tenants, _, _, rows, seqs, _, tenants = zip(*told, strict=True)
        if not (
            " ".join(seqs) == entries.seqs == " ".join(map(str, range(link.seq + 1, last + 1)))
            and "".join(prevs) == link.hash + hexes[:-64]
            and ref_tenants == tenants
        ):
            return None
        known = witness.head(OPERATOR)
        if known is not None and link.seq < known.seq <= last:
            place = 64 * (known.seq - link.seq - 1)
            if hexes[place : place + 64] != known.hash:
                return None
        tenant_links = _look_at_twins([one for one in told if one[10]], twins, link_of, witness)
        if tenant_links is None:
            return None
        return Seen(Link(last, hexes[-64:]), tenant_links, _listed(rows, link.seq + 1))
    except (Mixed, ValueError):  # what does not add up; a text that no UTF-8 can hold
        return None


def _look_at_twins(
    told: list[tuple[str, ...]], twins: LogColumns, link_of: LinkOf, witness: Witness
) -> dict[str, Link] | None:
    """Where each tenant's log stands after the twins of entries with these groups; None if one is not plainly sound."""
    links: dict[str, Link] = {}
    composed, contradicts = [], witness.contradicts
    for groups in told:
        log, seq, link_hash = TENANT + groups[4], int(groups[5]), groups[3]
        before = links.get(log) or link_of(log)
        if seq != before.seq + 1 or contradicts(log, seq, link_hash):
            return None
        composed.append(twin_text(groups, before.hash))
        links[log] = Link(seq, link_hash)
    sound = (
        len(told) == twins.size
        and "\n".join(composed) == twins.bodies
        and "\n".join([groups[4] for groups in told]) == twins.tenants
        and " ".join([groups[5] for groups in told]) == twins.seqs
        and "".join([groups[3] for groups in told]) == twins.hashes.hex()
        and _hashed(composed, twins.hashes)
    )
    return links if sound else None


def _hashed(bodies: Iterable[str], hashes: bytes) -> bool:
    return b"".join([sha256(b"\0" + body.encode()).digest() for body in bodies]) == hashes


def _listed(rows: tuple[str, ...], first: int) -> Digests:
    """The rows that entries list, of which the first has the number `first`; later ones over earlier ones."""
    owners = chain.from_iterable(map(repeat, range(first, first + len(rows)), map(rows_counted, rows)))
    found = rows_listed("".join(rows))
    return {(table, key): (seq, digest) for (table, key, digest), seq in zip(found, owners, strict=True)}


def sound_rows(tables: Iterable[RowColumns], listed: Digests) -> Digests | None:
    """The rows of a chunk, if each is the one that the newest entry of the chunk that lists it vouches for; else
    None."""
    came: Digests = {}
    try:
        for table, count, keys, revs, images, digests in tables:
            found = texts(digests, count) if digests else [_hex(image) for image in texts(images, count)]
            listing = zip(numbers(revs), found, strict=True)
            came.update(zip(zip(repeat(table), texts(keys, count)), listing, strict=True))
    except (Mixed, ValueError):
        return None
    return came if came.items() <= listed.items() else None


def _hex(image: str) -> str:
    return sha256(image.encode()).hexdigest()
