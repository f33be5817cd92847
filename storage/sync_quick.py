"""The quick look at a chunk's entries: sound, every one of them, or nothing is said.

It makes sure of all that the wordy check (`storage.sync_chunk`) makes sure of — numbers, links, hashes, the twin in its
place in its tenant's chain, naming and named and telling the same, the heads this console remembers — without parsing a
body: an operator entry is recognised by its shape, and its twin must be, to the byte, what its writer composed from it.
What is not recognised may still be sound; the wordy check decides that.
"""

from __future__ import annotations

from hashlib import sha256

from storage.log.chain import Link
from storage.log.entry import OPERATOR
from storage.log.shape import operator_entry, rows_listed, twin_text
from storage.shared.interface import Pulled
from storage.sync_checked import Checked, LinkOf
from storage.witness import Witness


def sound_entries(pulled: Pulled, link: Link, link_of: LinkOf, witness: Witness) -> Checked | None:
    """All entries of a chunk that follows `link`, with their twins and the digests they list; None if any of them is
    not plainly sound."""
    checked = Checked(pulled.epoch, link)
    digests, tenant_links, contradicts = checked.digests, checked.tenant_links, witness.contradicts
    last, prev = link
    twins = iter(pulled.tenant_entries)
    try:
        for _, seq, entry_hash, text in pulled.entries:
            shape = operator_entry(text)
            if shape is None or sha256(b"\0" + text.encode()).digest() != entry_hash:
                return None
            groups = shape.groups()
            told_tenant = groups[10]
            link_hash = entry_hash.hex()
            if seq != last + 1 or groups[1] != prev or groups[8] != str(seq) or groups[4] != told_tenant:
                return None
            if contradicts(OPERATOR, seq, link_hash):
                return None
            if told_tenant is not None:
                log, twin_seq, twin_hash, twin = next(twins)
                before = tenant_links.get(log) or link_of(log)
                twin_link = twin_hash.hex()
                if (
                    log != f"tenant:{told_tenant}"
                    or twin_seq != before.seq + 1
                    or groups[5] != str(twin_seq)
                    or groups[3] != twin_link
                    or twin != twin_text(groups, before.hash)
                    or sha256(b"\0" + twin.encode()).digest() != twin_hash
                    or contradicts(log, twin_seq, twin_link)
                ):
                    return None
                tenant_links[log] = Link(twin_seq, twin_link)
            for table, key, digest in rows_listed(groups[7]):
                digests[table, key] = (seq, bytes.fromhex(digest))
            last, prev = seq, link_hash
    except (StopIteration, ValueError):  # a twin is missing; a text that no UTF-8 can hold
        return None
    if next(twins, None) is not None:
        return None
    checked.entries, checked.twins, checked.link = list(pulled.entries), list(pulled.tenant_entries), Link(last, prev)
    return checked
