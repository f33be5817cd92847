"""A letter in the demo's mailbox, and what the replica knows of its links: what can be pressed now, and by which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy.break_glass import STOPPABLE
from app.policy.requests import state_at
from storage.models import ConsentLink, LinkKind, Request, RequestState
from storage.view import View

LINKS = {
    "approve": LinkKind.APPROVE,
    "fewer": LinkKind.APPROVE,
    "deny": LinkKind.DENY,
    "ask": LinkKind.APPROVE,
    "veto": LinkKind.DENY,
}
DECIDING = ("approve", "fewer", "deny", "ask")
"""What is pressed while the request waits; while break-glass can be stopped, "veto" takes their place."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail as it arrived. `hashes` are the SHA-256 of its links' tokens; `head` is the log's head it carries."""

    key: str
    to_name: str
    to_email: str
    subject: str
    at: datetime
    text: str
    hashes: tuple[str, ...]
    head: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a letter's links: the request, the links by kind, what can be pressed now, and one word on the
    state."""

    request: Request
    links: dict[LinkKind, ConsentLink]
    word: str
    acts: tuple[str, ...]
    mine: bool

    @property
    def open(self) -> bool:
        return bool(self.acts)

    def link_for(self, act: str) -> ConsentLink:
        """Which link does that. The deny link of the letter before stops break-glass as well (REQ-108)."""
        wanted = LinkKind.VETO if act == "veto" and LinkKind.VETO in self.links else LINKS.get(act)
        return self.links[wanted] if wanted in self.links else next(iter(self.links.values()))


def standing_of(letter: Letter, view: View, me: str | None, now: datetime) -> Standing | None:
    """None for a letter without links to a decision. `me` is the id of whoever is played."""
    links = [link for key in letter.hashes if (link := view.get(ConsentLink, key)) is not None]
    request = view.get(Request, links[0].request_id) if links else None
    if request is None:
        return None
    by_kind = {link.kind: link for link in links}
    state = state_at(request, now)
    acts: tuple[str, ...] = ()
    if all(link.used_at is None for link in links):
        if state is RequestState.PENDING:
            acts = tuple(act for act in DECIDING if LINKS[act] in by_kind)
        elif state in STOPPABLE and by_kind.keys() & {LinkKind.VETO, LinkKind.DENY}:
            acts = ("veto",)
    word = "veto?" if "veto" in acts else "open" if acts else state.value
    return Standing(request, by_kind, word, acts, request.engineer_id == me)
