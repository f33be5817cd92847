"""What happens in the demo's weeks where nobody at the tenant answers, or somebody disagrees: break-glass that cools,
is vetoed or waits for a super; an emergency and its review; disputes; who is on call (REQ-108, 109, 111, 504).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.demo.cast import Cast
from app.demo.people import HOUSES, LEGAL_EMAIL, OFFICE_SPANS, OFFICE_ZONE, PRESENTER, House
from app.demo.scene import told
from app.demo.seeding import Seeding
from app.demo.urgent_words import CANNOT_WAIT, CLAIMS, DISPUTE_FINDING, EMERGENCIES, EMERGENCY_FINDING, VETOES
from app.services import break_glass, consent, emergency, reviews, rota, sessions
from storage.models import EmergencyCategory, LinkKind, Request

UNANSWERED = timedelta(hours=24, minutes=5)
"""How long after it was asked break-glass is declared in the past."""


class Urgent(Cast):
    """`kept` are the ids of requests that nobody decides: the colleagues and tenants leave them alone."""

    def __init__(self, seeding: Seeding, rng: random.Random, end: datetime) -> None:
        super().__init__(seeding, rng)
        self._end = end
        self.kept: set[str] = set()
        self._later: list[tuple[datetime, Callable[[], object]]] = []
        self._cooling = self._declared = ""

    # -- what is planned ------------------------------------------------------------------------------------------

    def _at(self, moment: datetime, act: Callable[[], object]) -> None:
        """Do that when the time has come."""
        self._later.append((moment, act))
        self._later.sort(key=lambda one: one[0])

    def _pass(self, until: datetime) -> None:
        """Let time pass until then, with what was planned for it."""
        seeding = self.seeding
        while self._later and self._later[0][0] <= until:
            moment, act = self._later.pop(0)
            seeding.advance(seconds=max(0, (moment - seeding.now).total_seconds()))
            act()
        seeding.advance(seconds=max(0, (until - seeding.now).total_seconds()))

    def _plan_the_end(self) -> None:
        """What must have been asked long before the end, to be undecided by then and not too late for break-glass."""
        self._at(self._end - timedelta(hours=29), self._asks_in_vain_for_a_super)
        self._at(self._end - timedelta(hours=27), self._asks_in_vain_for_cooling)
        self._at(self._end - timedelta(hours=26), lambda: self._ask_in_vain("tailspin", PRESENTER, 5, 30))
        self._at(self._end - timedelta(hours=5), self._disputes_a_view)

    def _asks_in_vain_for_a_super(self) -> None:
        self._declared = self._ask_in_vain("alpine", "raj@ops.example", 5, 15)

    def _asks_in_vain_for_cooling(self) -> None:
        self._cooling = self._ask_in_vain("coho", PRESENTER, 4, 30)

    def _ask_in_vain(self, house: str, email: str, story: int, minutes: int) -> str:
        """An urgent request that no admin will answer; its id."""
        request = self._ask(self._house(house), email, story, minutes)
        self.kept.add(request)
        return request

    # -- break-glass ----------------------------------------------------------------------------------------------

    def _declare(self, request: str, email: str) -> None:
        words = CANNOT_WAIT[self._rng.randrange(len(CANNOT_WAIT))]
        self.seeding.run(break_glass.declare, self._actor(email), request, told(words, self._ticket(request)))

    def _ticket(self, request: str) -> str:
        row = self.seeding.connection.execute("SELECT image FROM request WHERE id = ?", (request,)).fetchone()
        return Request.from_image(row[0]).ticket

    def _countersign(self, request: str, email: str) -> None:
        self.seeding.run(break_glass.countersign, self._actor(email), request, "nobody there answers me either")

    def _is_going_to_be_vetoed(self) -> None:
        """Asked now, declared a day later, and stopped by the tenant forty minutes into the cooling."""
        request, begin = self._ask_in_vain("margie", "lee@ops.example", 4, 30), self.seeding.now
        self._at(begin + UNANSWERED, lambda: self._declare(request, "lee@ops.example"))
        self._at(begin + UNANSWERED + timedelta(minutes=9), lambda: self._countersign(request, "sam@ops.example"))
        self._at(begin + UNANSWERED + timedelta(minutes=49), lambda: self._veto(request))

    def _veto(self, request: str) -> None:
        link = self._link(request, LinkKind.VETO)
        self.seeding.run(consent.veto, self._bearer(link), link.id, VETOES[1])

    def _break_glass_now(self) -> None:
        """One that waits for a super, and one that cools, whose two hours have only begun."""
        seeding = self.seeding
        self._declare(self._declared, "raj@ops.example")
        seeding.advance(seconds=40)
        self._declare(self._cooling, PRESENTER)
        seeding.advance(minutes=2)
        self._countersign(self._cooling, "sam@ops.example")

    # -- emergency ------------------------------------------------------------------------------------------------

    def _emergency(self) -> None:
        """Two supers let Raj in at once; the auditor, who had no part in it, signs the day after."""
        seeding, raj, story = self.seeding, "raj@ops.example", 6
        self._let_go(raj)
        form = self._form(self._house("northwind"), story, 60)
        words = (EmergencyCategory.DATA_LOSS, told(EMERGENCIES[0], form.ticket), LEGAL_EMAIL)
        dana, sam = self._actor("dana@ops.example"), self._actor("sam@ops.example")
        request = seeding.run(emergency.declare_anew, dana, self._ids[raj], form, *words).answer["id"]
        self.kept.add(request)
        seeding.advance(minutes=3)
        made = seeding.run(emergency.countersign, sam, request, LEGAL_EMAIL, "I see the orders go, too").answer
        seeding.advance(minutes=1)
        session = self._enter(request, raj, story, views=3)
        seeding.advance(minutes=11)
        outcome = ("the returns job booked return after return", "nothing", "no", "the job stays off until the fix")
        seeding.run(sessions.end, self._actor(raj), session, *outcome)
        self._at(seeding.now + timedelta(hours=26), lambda: self._sign(made["review"], EMERGENCY_FINDING))

    # -- disputes -------------------------------------------------------------------------------------------------

    def _disputes_the_stray(self) -> None:
        """The tenant asks about the search that a super had ended; it is answered the day after."""
        review = self._dispute([self._house("wingtip")], CLAIMS[0])
        self._at(self.seeding.now + timedelta(hours=25), lambda: self._sign(review, DISPUTE_FINDING))

    def _disputes_a_view(self) -> None:
        """Somewhere, the newest look beyond its scope: nobody has signed that yet."""
        self._dispute([house for house in HOUSES if house.status == "active"], CLAIMS[1])

    def _dispute(self, houses: Sequence[House], claim: str) -> str:
        """The newest look into one of these tenants, one beyond its scope if there is any; the review's id."""
        tenant, seq, body = self.seeding.connection.execute(
            "SELECT tenant_id, seq, body FROM tenant_log WHERE json_extract(body, '$.data.within_scope') IS NOT NULL"
            f" AND tenant_id IN ({', '.join('?' * len(houses))})"
            " ORDER BY json_extract(body, '$.data.within_scope'), json_extract(body, '$.at') DESC LIMIT 1",
            [house.id for house in houses],
        ).fetchone()
        entry = reviews.disputed(tenant, seq, json.loads(body))
        return self.seeding.run(reviews.dispute, self._admin(self._house(tenant)), entry, claim).answer["id"]

    def _sign(self, review: str, finding: str) -> None:
        self.seeding.run(reviews.sign, self._actor("noor@ops.example"), review, finding)

    # -- who is on call -------------------------------------------------------------------------------------------

    def _rota(self) -> None:
        """Office hours, and a super on call for each of the next two weeks. Set last: what was countersigned at night
        in the weeks before was countersigned while there were no office hours."""
        dana, now = self._actor("dana@ops.example"), self.seeding.now
        self.seeding.run(rota.set_hours, dana, OFFICE_ZONE, OFFICE_SPANS)
        for week, email in enumerate(("dana@ops.example", "sam@ops.example")):
            begin = now + timedelta(weeks=week)
            self.seeding.run(rota.set_shift, dana, self._ids[email], begin, begin + timedelta(weeks=1))
