"""P2: no row changes without an entry of the same Change that lists the digest of its image.

`apply` lists the digests; here: every write names an entry that exists, no row is written twice, and none is
overwritten that the decision had not read (its rev was checked with the reads).
"""

from __future__ import annotations

from storage.shared.guards.case import Case, Key, refuse


def check(case: Case) -> None:
    read = {(one.table, one.key) for one in case.change.reads}
    seen: set[Key] = set()
    for write in case.change.writes:
        key = (write.row.TABLE, write.row.id)
        if not 0 <= write.entry < len(case.change.entries):
            refuse("P2", f"{key[0]} {key[1]} is written under entry {write.entry}, which the Change does not have")
        if key in seen:
            refuse("P2", f"{key[0]} {key[1]} is written twice in one Change")
        if key in case.found and key not in read:
            refuse("P2", f"{key[0]} {key[1]} is overwritten without having been read")
        seen.add(key)
    for mail in case.change.mails:
        if (mail.TABLE, mail.id) in case.found or (mail.TABLE, mail.id) in seen:
            refuse("P2", f"the letter {mail.id} exists already")
        seen.add((mail.TABLE, mail.id))
