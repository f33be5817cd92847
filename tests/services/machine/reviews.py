"""Reviews that an emergency opens, and those that a tenant disputes into being; signed by nobody who was part of it
(REQ-109, REQ-502, REQ-504)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import reviews
from tests.services.machine.company import TwoConsoles, people, picks, places
from tests.services.machine.model import Paper


class OnReviews(TwoConsoles):
    @rule(who=people, pick=picks, lag=picks)
    def sign_review(self, who: str, pick: int, lag: int) -> None:
        if not self.model.papers:
            return
        key = list(self.model.papers)[pick % len(self.model.papers)]
        person, paper = self.model.people[who], self.model.papers[key]

        def signed(answer: Mapping[str, str]) -> None:
            paper.signed = True

        may = lambda: self.model.may_close(person, paper)  # noqa: E731
        self.act(lag, may, reviews.sign, person, key, "Read every entry: the access was needed.", then=signed)

    @rule(where=places, of=places, admin=st.integers(0, 1), pick=picks, lag=picks)
    def dispute(self, where: str, of: str, admin: int, pick: int, lag: int) -> None:
        """An entry of their own log, and of no other."""
        of = where if pick % 4 else of
        place = self.model.places[of]
        rows = (
            self.worlds[0]
            .replica.reader.execute("SELECT seq, body FROM tenant_log WHERE tenant_id = ? ORDER BY seq", (of,))
            .fetchall()
        )
        seq, body = rows[pick % len(rows)]
        entry = reviews.disputed(of, seq, json.loads(body))
        by = self.known(self.model.places[where].admins[admin])
        part = {name for name in self.model.people if self._is_part(name, json.loads(body))}

        def opened(answer: Mapping[str, str]) -> None:
            self.model.papers[answer["id"]] = Paper(place, frozenset(part), seq)

        may = lambda: where == of and not self.model.disputed(place, seq)  # noqa: E731
        self.act(lag, may, reviews.dispute, by, entry, "Nobody of ours asked for this.", then=opened)

    def _is_part(self, name: str, body: dict[str, object]) -> bool:
        """Whoever did it, and the engineer whose request it is about."""
        actor, request = body["actor"], body.get("request")
        case = self.model.cases.get(str(request))
        key = self.staff(self.worlds[0], self.model.people[name]).id
        did = isinstance(actor, dict) and actor.get("id") == key
        return did or (case is not None and case.who.name == name)
