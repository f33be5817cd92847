"""Tampering found by a worker is told to supers by mail, though it is the shared database that cannot be trusted
(REQ-503)."""

from __future__ import annotations

from tests.sync.behind import Intruder
from tests.terminal.headless import SUE, Home, home, plain, prepared
from tests.terminal.test_tampering_seen import the_tail_cut

__all__ = ["home", "prepared"]


def test_a_worker_that_finds_the_log_cut_tells_the_supers_once(home: Home) -> None:
    home.ok("request", "list")  # this home has seen the head
    log, number, _ = the_tail_cut(Intruder(home.database))
    for _ in range(2):
        home.run("worker", "--once")
    [letter] = [one for one in home.letters(SUE) if "TAMPERING" in str(one["Subject"])]
    assert f"{log} {number}" in str(letter["Subject"]) and letter["Importance"] == "high"
    assert "Leave the database as it is" in plain(letter)
