"""What a command reads through: a View remembers every row looked at, so that `apply` can tell if it holds."""

from __future__ import annotations

import hashlib
from typing import Protocol, TypeVar

from storage.models.row import Row
from storage.shared.change import Read

R = TypeVar("R", bound=Row)

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class View(Protocol):
    """Rows by key, and rows by an indexed column. `change_id` is the id the resulting Change must carry."""

    change_id: str

    def get(self, kind: type[R], key: str) -> R | None:
        """The row, or None. Either way the fact is remembered in `reads`."""

    def find(self, kind: type[R], **where: str | int | None) -> list[R]:
        """Rows whose indexed columns equal `where` (None: is null), by key. Each found row is remembered; that no
        *other* row appears meanwhile is not: rest such a decision on an anchor row (`Tenant.contacts`, `Standing`)."""

    def latest(self, kind: type[R], limit: int, **where: str | int | None) -> list[R]:
        """The `limit` newest rows (by rev, newest first) whose indexed columns equal `where`. Not remembered in
        `reads`: for what a decision looks at without resting on, such as earlier reasons (REQ-102)."""

    def fresh_id(self, prefix: str) -> str:
        """A new key such as `R-7K2F9Q`, not yet in use; the same View gives different ones, one after the other."""

    @property
    def reads(self) -> tuple[Read, ...]:
        """Everything read so far."""


def derived_id(change_id: str, prefix: str, number: int) -> str:
    """A short key derived from the Change's id: 30 bits of its SHA-256 in Crockford's base 32."""
    value = int.from_bytes(hashlib.sha256(f"{change_id}/{prefix}/{number}".encode()).digest()[:4]) >> 2
    return prefix + "-" + "".join(_CROCKFORD[value >> shift & 31] for shift in range(25, -1, -5))
