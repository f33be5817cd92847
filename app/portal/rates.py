"""How often the same address, or the same account, may knock: sliding windows in this process's memory.

What must hold across processes and restarts (letters for one account) is a rule over what is stored; this is the gate
before it, so that guessing is slow and a flood costs little.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `times` within `seconds`."""

    name: str
    times: int
    seconds: float


PAGES = Rate("pages", 240, 60)
"""Any request of one address."""
UNKNOWN_LINKS = Rate("unknown links", 20, 600)
"""Links that nobody was mailed: guesses."""
WRONG_CODES = Rate("wrong codes", 10, 600)
"""Confirmation codes that were not the page's, on one link."""
SIGN_IN_BY_ADDRESS = Rate("sign-in by address", 10, 900)
SIGN_IN_BY_ACCOUNT = Rate("sign-in by account", 5, 3600)
HEAVY = Rate("verifying and exporting", 12, 60)
"""What reads a whole log."""
BAD_KEYS = Rate("unknown API keys", 20, 600)


@dataclass
class Rates:
    """Who knocked when. The least recently seen are forgotten first."""

    seen: OrderedDict[tuple[str, str], deque[float]] = field(default_factory=OrderedDict)

    def wait(self, rate: Rate, who: str) -> int:
        """How many seconds `who` must wait; 0: they may go on. Counts nothing."""
        times = self.seen.get((rate.name, who))
        if times is None:
            return 0
        now = time.monotonic()
        while times and times[0] <= now - rate.seconds:
            times.popleft()
        return max(1, int(times[0] + rate.seconds - now)) if len(times) >= rate.times else 0

    def count(self, rate: Rate, who: str) -> int:
        """Count one knock, unless `who` must wait; the seconds to wait, 0 if it was let through."""
        if seconds := self.wait(rate, who):
            return seconds
        times = self.seen.setdefault((rate.name, who), deque())
        times.append(time.monotonic())
        self.seen.move_to_end((rate.name, who))
        while len(self.seen) > _KEPT:
            self.seen.popitem(last=False)
        return 0
