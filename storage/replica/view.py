"""The View over a replica: what commands read through, remembering the revision of everything they looked at."""

from __future__ import annotations

import sqlite3
from typing import TypeVar

from storage.models.row import Row
from storage.shared.change import Read
from storage.view import derived_id

R = TypeVar("R", bound=Row)


class ReplicaView:
    """Implements `storage.view.View`. A row read twice keeps the revision of the first look, so that a decision that
    saw two states of a row is refused by `apply`."""

    def __init__(self, connection: sqlite3.Connection, change_id: str) -> None:
        self.change_id = change_id
        self._connection = connection
        self._reads: dict[tuple[str, str], int] = {}
        self._drawn: dict[str, int] = {}

    def get(self, kind: type[R], key: str) -> R | None:
        """The row, or None. Either way the fact is remembered. Of a private row a replica knows only that it is there:
        None as well, with its revision remembered, so that it can be replaced as a whole."""
        if kind.PRIVATE:
            vouched = self._connection.execute(
                "SELECT rev FROM digest WHERE table_name = ? AND key = ?", (kind.TABLE, key)
            ).fetchone()
            self._reads.setdefault((kind.TABLE, key), 0 if vouched is None else vouched[0])
            return None
        found = self._connection.execute(f"SELECT image, rev FROM {kind.TABLE} WHERE id = ?", (key,)).fetchone()
        self._reads.setdefault((kind.TABLE, key), 0 if found is None else found[1])
        return None if found is None else kind.from_image(found[0])

    def find(self, kind: type[R], **where: str | int | None) -> list[R]:
        """Rows whose indexed columns equal `where` (None: is null), in order of key."""
        conditions = " AND ".join(f'"{column}" IS ?' for column in where) or "1"
        found = self._connection.execute(
            f"SELECT id, image, rev FROM {kind.TABLE} WHERE {conditions} ORDER BY id", tuple(where.values())
        ).fetchall()
        for key, _, rev in found:
            self._reads.setdefault((kind.TABLE, key), rev)
        return [kind.from_image(image) for _, image, _ in found]

    def latest(self, kind: type[R], limit: int, **where: str | int | None) -> list[R]:
        """The newest rows by rev, newest first; not remembered."""
        conditions = " AND ".join(f'"{column}" IS ?' for column in where) or "1"
        found = self._connection.execute(
            f"SELECT image FROM {kind.TABLE} WHERE id IN"  # sorted by key first: images are large
            f" (SELECT id FROM {kind.TABLE} WHERE {conditions} ORDER BY rev DESC LIMIT ?) ORDER BY rev DESC",
            (*where.values(), limit),
        ).fetchall()
        return [kind.from_image(image) for (image,) in found]

    def fresh_id(self, prefix: str) -> str:
        """A key that no row of any table has in this replica. Derived from the Change's id: deciding again after a
        `Stale` gives the same key again."""
        while True:
            number = self._drawn.get(prefix, 0)
            self._drawn[prefix] = number + 1
            key = derived_id(self.change_id, prefix, number)
            taken = self._connection.execute(
                "SELECT 1 FROM sqlite_schema AS known JOIN digest ON digest.table_name = known.name AND digest.key = ?"
                " WHERE known.type = 'table' LIMIT 1",
                (key,),
            ).fetchone()
            if taken is None:
                return key

    @property
    def reads(self) -> tuple[Read, ...]:
        """Everything read so far, in a fixed order."""
        return tuple(Read(table, key, rev) for (table, key), rev in sorted(self._reads.items()))
