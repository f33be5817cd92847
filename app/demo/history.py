"""Two years of support work for `demo fill`: which cases there were, and when; written interleaved, in time order."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import accumulate, count

from app.demo.case_request import HOUR, MINUTE, SECOND, SESSION_FATES, Brief, Fate
from app.demo.cases import STORIES
from app.demo.casework import Case
from app.demo.ledger import Ledger, Pieces, said, stamp
from app.demo.populace import Place, Populace, Someone, change_id, code, found, founders, microseconds
from storage.log.actions import Action
from storage.models import Mode

SPAN = timedelta(days=730)
_QUIET_END = 3 * 24 * HOUR
"""No case of the past begins this close to the end, so that all of them are over by then."""

_DAY = [1] * 7 + [12, 30, 34, 34, 28, 30, 34, 34, 30, 22, 10, 5] + [2] * 5
_WEEK = [0, *accumulate(_DAY * 5 + [1 + weight // 12 for weight in _DAY] * 2)]
"""How work spreads over the 168 hours of a week, cumulated: office hours mostly, some evenings, few weekends."""

_FATES = {
    Fate.USED: 60,
    Fate.FORCE_ENDED: 2,
    Fate.OVERRUN: 4,
    Fate.DENIED: 11,
    Fate.WITHDRAWN: 8,
    Fate.EXPIRED: 8,
    Fate.LAPSED: 5,
}


class History:
    """Writes one history into a ledger."""

    def __init__(self, ledger: Ledger, rng: random.Random, end: datetime, running: int) -> None:
        self._ledger, self._rng, self._running = ledger, rng, running
        self._end = microseconds(end)
        self._begin = self._end - SPAN // timedelta(microseconds=1)
        self._counters: dict[str, count[int]] = {}
        self._heap: list[tuple[int, int, int, Case | None]] = []
        self._order = count()
        self._numbers = count(1)
        self._busy_until: dict[str, int] = {}

    def write(self, entries: int, engineers: int, tenants: int, progress: Callable[[int, int], None]) -> None:
        """Write exactly `entries` operator entries."""
        founding = self._begin - 30 * 24 * HOUR
        people = found(self._ledger, self._rng, founding, engineers, tenants)
        left = entries - founders(engineers, tenants)
        for engineer in people.engineers[len(people.engineers) - self._running :]:
            left -= self._push(self._running_case(people, engineer))
        for _ in range(min(self._running // 10, left // 20)):
            left -= self._push(self._pending_case(people))
        everyday = people.engineers[: len(people.engineers) - self._running]
        total, first = left, self._begin
        while left or self._heap:
            while left and (not self._heap or first <= self._heap[0][0]):
                case = self._past_case(people, everyday, first)
                if len(case.steps) <= left:
                    left -= self._push(case)
                else:
                    heapq.heappush(self._heap, (first, next(self._order), 0, None))
                    left -= 1
                first = self._business_time((total - left) / total)
            self._step(people, progress, entries)

    def _push(self, case: Case) -> int:
        heapq.heappush(self._heap, (case.steps[0][0], next(self._order), 0, case))
        return len(case.steps)

    def _step(self, people: Populace, progress: Callable[[int, int], None], entries: int) -> None:
        at, order, index, case = heapq.heappop(self._heap)
        if case is None:
            self._export(people, at)
        else:
            case.steps[index][1](at)
            if index + 1 < len(case.steps):
                heapq.heappush(self._heap, (case.steps[index + 1][0], order, index + 1, case))
        if self._ledger.entries % 5_000 == 0:
            progress(self._ledger.entries, entries)

    def _export(self, people: Populace, at: int) -> None:
        """An auditor exported the operator log: what fills the number up where no whole case fits any more."""
        who = self._rng.choice(people.auditors)
        words = said(data={"entries": self._ledger.entries, "log": "operator"})
        change = change_id(at, self._rng)
        self._ledger.append(Action.LOG_EXPORTED, who.json, who.ip, stamp(at), change, Pieces(), words)

    def _business_time(self, share: float) -> int:
        """The moment by which this share of all work has begun. Rises with `share`."""
        span = self._end - _QUIET_END - self._begin
        weeks = share * span / (7 * 24 * HOUR)
        week, rest = int(weeks), weeks % 1 * _WEEK[-1]
        hour = bisect_right(_WEEK, rest) - 1
        within = (rest - _WEEK[hour]) / (_WEEK[hour + 1] - _WEEK[hour])
        monday = self._begin - self._begin % (7 * 24 * HOUR) + 4 * 24 * HOUR  # 1970 began on a Thursday
        return max(self._begin, min(monday + int((week * 168 + hour + within) * HOUR), self._end - _QUIET_END))

    def _id(self, prefix: str) -> str:
        return code(prefix, next(self._counters.setdefault(prefix, count(1))))

    def _past_case(self, people: Populace, engineers: tuple[Someone, ...], asked: int) -> Case:
        rng = self._rng
        fate = rng.choices(list(_FATES), list(_FATES.values()))[0]
        place, story = rng.choice(people.tenants), rng.choice(STORIES)
        standing = place.settings.standing_consent
        decided = asked + (rng.randrange(3, 20) if standing else rng.randrange(2 * 60, 4 * 3600)) * SECOND
        start = decided + rng.randrange(60, 3600) * SECOND
        minutes = rng.choice((15, 30, 30, 30, 60))
        allowed = min(minutes, place.settings.max_minutes)
        until = start + SECOND + allowed * MINUTE
        if fate is not Fate.OVERRUN:
            until -= rng.randrange(allowed * 30, allowed * 57) * SECOND
        engineer = rng.choice(engineers)
        if fate in SESSION_FATES:
            free = [one for one in rng.sample(engineers, min(4, len(engineers))) if self._busy(one) < start]
            if free:
                engineer = free[0]
                self._busy_until[engineer.id] = until + 10 * MINUTE
            else:
                fate = Fate.WITHDRAWN
        mode = Mode.FULL if fate in SESSION_FATES and rng.random() < 0.12 else Mode.READ_ONLY
        views = max(0, int(rng.gauss(24, 14)))
        brief = Brief(
            next(self._numbers), fate, story, place, engineer, rng.choice(people.supers), asked, decided, start,
            minutes, mode, views, until,
        )  # fmt: skip
        return Case(brief, self._ledger, rng, self._id)

    def _busy(self, engineer: Someone) -> int:
        return self._busy_until.get(engineer.id, 0)

    def _running_case(self, people: Populace, engineer: Someone) -> Case:
        """A session that is active at the end, a third of its time gone at most."""
        rng = self._rng
        place = rng.choice([one for one in people.tenants if one.settings.max_minutes >= 30] or people.tenants)
        minutes = min(place.settings.max_minutes, 240)
        start = self._end - rng.randrange(20, max(21, minutes * 20)) * SECOND
        decided = start - rng.randrange(120, 3600) * SECOND
        return self._open_case(Fate.RUNNING, people, place, engineer, (decided - 20 * MINUTE, decided, start), minutes)

    def _pending_case(self, people: Populace) -> Case:
        asked = self._end - self._rng.randrange(60, 20 * 3600) * SECOND
        place, engineer = self._rng.choice(people.tenants), self._rng.choice(people.engineers)
        return self._open_case(Fate.PENDING, people, place, engineer, (asked, asked, asked), 30)

    def _open_case(
        self, fate: Fate, people: Populace, place: Place, engineer: Someone, times: tuple[int, int, int], minutes: int
    ) -> Case:
        asked, decided, start = times
        views = self._rng.randrange(0, 4)
        brief = Brief(
            next(self._numbers), fate, self._rng.choice(STORIES), place, engineer, people.supers[0], asked, decided,
            start, minutes, Mode.READ_ONLY, views, self._end - SECOND,
        )  # fmt: skip
        return Case(brief, self._ledger, self._rng, self._id)
