"""`apply`, the only write: all of a Change or nothing, once, in order, linked (design.md; REQ-401, REQ-402)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from storage.errors import ClockSkew, Corrupt, GuardRefused, Stale
from storage.log.actions import Action
from storage.log.entry import OPERATOR, Draft, Head, leaf_hash
from storage.log.verify import verify_chain
from storage.models import Mail, Tenant, time_text
from storage.models.row import digest
from storage.shared.change import Change, Read, new_change_id
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.services.changes import ADA, SYSTEM, founded, founding, importing


async def test_an_entry_and_its_rows_stand_together(shared: SqliteShared, clock: ManualClock) -> None:
    applied = await shared.apply(importing("northwind", clock.now()))
    assert (applied.rev, applied.at, applied.answer) == (1, clock.now(), {"tenant": "northwind"})
    pulled = await shared.pull(Head())
    body = json.loads(pulled.entries[0].body)
    assert body["rows"] == sorted([row.table, row.key, row.digest] for row in pulled.rows)
    assert {row.table for row in pulled.rows} == {"tenant", "settings", "command"}
    assert {row.rev for row in pulled.rows} == {1}
    assert body["at"] == time_text(clock.now())
    assert body["actor"]["kind"] == "system"


async def test_private_rows_are_vouched_for_but_never_leave(shared: SqliteShared, vault: Vault) -> None:
    await founded(shared, vault)
    pulled = await shared.pull(Head())
    secret = {row.table: row for row in pulled.rows if row.table in ("credential", "command")}
    assert secret.keys() == {"credential", "command"}
    assert all(row.image == "" for row in secret.values())
    listed = {(table, key): vouched for table, key, vouched in json.loads(pulled.entries[0].body)["rows"]}
    credential = await shared.credential(ADA.id)
    assert credential is not None
    assert listed["credential", ADA.id] == digest(credential.image()) == secret["credential"].digest


async def test_entry_and_twin_name_each_other(shared: SqliteShared, clock: ManualClock) -> None:
    for _ in range(2):
        await shared.apply(importing(f"t{_}", clock.now()))
    await shared.apply(importing("t0", clock.now(), rev=1, name="Renamed"))
    pulled = await shared.pull(Head())
    twins = {(twin.log, twin.seq): twin for twin in pulled.tenant_entries}
    assert set(twins) == {("tenant:t0", 1), ("tenant:t1", 1), ("tenant:t0", 2)}
    for entry in pulled.entries:
        body = json.loads(entry.body)
        twin = twins[body["ref"]["log"], body["ref"]["seq"]]
        twin_body = json.loads(twin.body)
        assert twin.hash.hex() == body["ref"]["hash"] == leaf_hash(twin.body).hex()
        assert twin_body["ref"] == {"log": OPERATOR, "seq": entry.seq}
        assert "rows" not in twin_body
        assert "seen" not in twin_body
        kept = {
            name: value for name, value in body.items() if name not in ("rows", "seen", "log", "seq", "prev", "ref")
        }
        assert kept.items() <= twin_body.items()


async def test_several_entries_of_one_change_are_chained_in_both_logs(shared: SqliteShared, clock: ManualClock) -> None:
    first = importing("northwind", clock.now())
    drafts = (*first.entries, Draft(Action.SETTINGS_CHANGED, tenant="northwind"), Draft(Action.LOG_EXPORTED))
    writes = (first.writes[0], dataclasses.replace(first.writes[1], entry=1))
    applied = await shared.apply(dataclasses.replace(first, entries=drafts, writes=writes))
    assert applied.rev == 3
    pulled = await shared.pull(Head())
    assert {row.table: row.rev for row in pulled.rows} == {"tenant": 1, "command": 1, "settings": 2}
    assert (await shared.logs()) == {OPERATOR: pulled.head, "tenant:northwind": await _head(shared, "tenant:northwind")}
    for log, head in (await shared.logs()).items():
        assert verify_chain(log, await shared.entries(log, 0), head) == []


async def _head(shared: SqliteShared, log: str) -> Head:
    last = (await shared.entries(log, 0))[-1]
    return Head(last.seq, last.hash.hex())


async def test_the_same_id_twice_is_applied_once_and_answered_alike(shared: SqliteShared, clock: ManualClock) -> None:
    change = importing("northwind", clock.now())
    first = await shared.apply(change)
    await shared.apply(importing("contoso", clock.now()))
    clock.advance(hours=3)
    again = await shared.apply(dataclasses.replace(change, answer={"tenant": "another"}))
    assert again == dataclasses.replace(first, repeated=True)
    assert (await shared.position()).head.seq == 2


async def test_the_same_id_at_the_same_moment_is_applied_once(shared: SqliteShared, clock: ManualClock) -> None:
    change = importing("northwind", clock.now())
    answers = await asyncio.gather(*(shared.apply(change) for _ in range(5)))
    assert sorted(answer.repeated for answer in answers) == [False, True, True, True, True]
    assert (await shared.position()).head.seq == 1


@pytest.mark.parametrize("seconds", [-2.1, 2.1, 3600])
async def test_a_change_dated_off_the_shared_clock_is_refused(
    shared: SqliteShared, clock: ManualClock, seconds: float
) -> None:
    with pytest.raises(ClockSkew):
        await shared.apply(importing("northwind", clock.now() + timedelta(seconds=seconds)))
    assert (await shared.position()).head == Head()


async def test_entries_are_dated_by_the_database_and_never_go_back(shared: SqliteShared, clock: ManualClock) -> None:
    began = clock.now()
    await shared.apply(importing("a", clock.now() + timedelta(seconds=1.9)))
    clock.set(began - timedelta(minutes=5))  # the machine's clock was stepped back
    applied = await shared.apply(importing("b", clock.now()))
    assert applied.at == began
    assert [json.loads(e.body)["at"] for e in (await shared.pull(Head())).entries] == [time_text(began)] * 2


async def test_what_was_read_must_still_be_so(shared: SqliteShared, clock: ManualClock) -> None:
    await shared.apply(importing("northwind", clock.now()))
    await shared.apply(importing("northwind", clock.now(), rev=1, name="Renamed"))
    with pytest.raises(Stale, match="northwind"):
        await shared.apply(importing("northwind", clock.now(), rev=1, name="Too late"))
    with pytest.raises(Stale):
        await shared.apply(importing("northwind", clock.now(), rev=0))
    with pytest.raises(Stale):
        await shared.apply(importing("nowhere", clock.now(), rev=7))


async def test_two_decisions_on_each_others_rows_cannot_both_pass(shared: SqliteShared, clock: ManualClock) -> None:
    """Write skew: each reads both tenants and writes one of them. One of the two must go back and look again."""
    await shared.apply(importing("one", clock.now()))
    await shared.apply(importing("two", clock.now()))
    reads = (Read("tenant", "one", 1), Read("tenant", "two", 2))

    def renaming(tenant_id: str, rev: int) -> Change:
        return dataclasses.replace(importing(tenant_id, clock.now(), rev=rev, name="Renamed"), reads=reads)

    answers = await asyncio.gather(
        shared.apply(renaming("one", 1)), shared.apply(renaming("two", 2)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Applied", "Stale"]


async def test_a_refused_change_leaves_nothing_behind(
    shared: SqliteShared, shared_path: Path, clock: ManualClock
) -> None:
    nobody = dataclasses.replace(importing("northwind", clock.now()), actor=dataclasses.replace(ADA, id="U-NOBODY"))
    with pytest.raises(GuardRefused, match="P1"):
        await shared.apply(nobody)
    assert await shared.logs() == {OPERATOR: Head()}
    for table in ("tenant", "settings", "command"):
        assert await shared.rows(table, "") == []


async def test_letters_are_rows_under_the_first_entry(shared: SqliteShared, clock: ManualClock) -> None:
    mail = Mail("M-1", "test", "U-1", "Ada", "ada@x", None, None, None, "Hello — ✓", (), clock.now())
    await shared.apply(dataclasses.replace(importing("northwind", clock.now()), mails=(mail,)))
    (stored,) = await shared.rows("mail", "")
    assert Mail.from_image(stored.image) == mail
    assert ["mail", "M-1", stored.digest] in json.loads((await shared.pull(Head())).entries[0].body)["rows"]


async def test_seen_stands_in_the_operators_entry_alone(shared: SqliteShared, clock: ManualClock) -> None:
    await shared.apply(importing("a", clock.now()))
    head = (await shared.position()).head
    await shared.apply(dataclasses.replace(importing("b", clock.now()), seen=head))
    pulled = await shared.pull(head)
    assert json.loads(pulled.entries[0].body)["seen"] == {"seq": head.seq, "hash": head.hash}


async def test_a_pull_goes_on_where_the_last_one_ended(shared: SqliteShared, clock: ManualClock) -> None:
    for number in range(7):
        await shared.apply(importing(f"t{number}", clock.now()))
    after, seen = Head(), []
    while True:
        pulled = await shared.pull(after, limit=3)
        assert pulled.head.seq == 7
        assert pulled.anchor == (bytes.fromhex(after.hash) if after.seq else None)
        assert {row.rev for row in pulled.rows} == {entry.seq for entry in pulled.entries}
        assert [json.loads(twin.body)["ref"]["seq"] for twin in pulled.tenant_entries] == [
            e.seq for e in pulled.entries
        ]
        seen += [entry.seq for entry in pulled.entries]
        after = Head(pulled.entries[-1].seq, pulled.entries[-1].hash.hex())
        if not pulled.more:
            break
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert (await shared.pull(after)).entries == ()
    assert (await shared.pull(Head(99, "f" * 64))).anchor is None


async def test_nothing_is_added_to_a_log_whose_tail_was_cut(
    shared: SqliteShared, shared_path: Path, clock: ManualClock
) -> None:
    for number in range(2):
        await shared.apply(importing(f"t{number}", clock.now()))
    with sqlite3.connect(shared_path) as behind:
        behind.execute("DROP TRIGGER operator_log_no_delete")
        behind.execute("DELETE FROM operator_log WHERE seq = 2")
    with pytest.raises(Corrupt, match="ends at number 1"):
        await shared.apply(importing("late", clock.now()))


async def test_a_byte_that_is_no_text_any_more_is_read_all_the_same(
    shared: SqliteShared, shared_path: Path, clock: ManualClock
) -> None:
    """Else one flipped bit would hide which entry was changed."""
    await shared.apply(importing("northwind", clock.now()))
    with sqlite3.connect(shared_path) as behind:
        behind.execute("DROP TRIGGER tenant_forward")
        behind.execute("UPDATE tenant SET image = CAST(replace(image, 'Northwind', x'4e6fff') AS TEXT)")
    (stored,) = await shared.rows("tenant", "")
    assert "�" in stored.image
    vouched = json.loads((await shared.pull(Head())).entries[0].body)["rows"]
    assert ["tenant", "northwind", stored.digest] not in vouched


async def test_whoever_is_cancelled_has_still_written_all_or_nothing(shared: SqliteShared, clock: ManualClock) -> None:
    for number in range(20):
        task = asyncio.create_task(shared.apply(importing(f"t{number}", clock.now())))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    last = await shared.apply(importing("last", clock.now()))
    pulled = await shared.pull(Head())
    assert [entry.seq for entry in pulled.entries] == list(range(1, last.rev + 1))
    assert len([row for row in pulled.rows if row.table == "tenant"]) == last.rev


async def test_a_key_with_quotes_and_odd_signs_is_only_a_key(shared: SqliteShared, clock: ManualClock) -> None:
    key = "x'; DROP TABLE tenant; --\u202e😀"
    await shared.apply(importing(key, clock.now()))
    assert Tenant.from_image((await shared.rows("tenant", ""))[0].image).id == key
    assert (await shared.entries(f"tenant:{key}", 0))[0].seq == 1


async def test_a_table_that_is_not_ours_is_refused(shared: SqliteShared, clock: ManualClock) -> None:
    change = dataclasses.replace(importing("a", clock.now()), reads=(Read("sqlite_master", "x", 0),))
    with pytest.raises(KeyError):
        await shared.apply(change)
    with pytest.raises(KeyError):
        await shared.rows("sqlite_master", "")


async def test_a_row_nobody_had_read_is_not_overwritten(shared: SqliteShared, clock: ManualClock) -> None:
    await shared.apply(importing("northwind", clock.now()))
    blind = dataclasses.replace(importing("northwind", clock.now(), rev=1, name="Blind"), reads=())
    with pytest.raises(GuardRefused, match="P2"):
        await shared.apply(blind)


async def test_the_founder_is_the_first_entry(shared: SqliteShared, vault: Vault, clock: ManualClock) -> None:
    assert (await shared.apply(founding(vault, clock.now()))).rev == 1
    by_ada = Change(new_change_id(), clock.now(), ADA, (Draft(Action.LOG_EXPORTED, data={"log": "operator"}),), (), ())
    assert (await shared.apply(by_ada)).rev == 2
    assert (await shared.apply(dataclasses.replace(by_ada, id=new_change_id(), actor=SYSTEM, writes=()))).rev == 3


async def test_a_log_without_its_head_is_listed_all_the_same(
    shared: SqliteShared, shared_path: Path, clock: ManualClock
) -> None:
    """Else removing the head would hide the entries from whoever verifies."""
    for name in ("a", "b", "c"):
        await shared.apply(importing(name, clock.now()))
    with sqlite3.connect(shared_path) as behind:
        behind.execute("DROP TRIGGER log_head_no_delete")
        behind.execute("DELETE FROM log_head WHERE log = 'tenant:b'")
    behind.close()
    logs = await shared.logs()
    assert set(logs) == {OPERATOR, "tenant:a", "tenant:b", "tenant:c"}
    assert logs["tenant:b"] == Head()


async def test_reads_that_are_cancelled_keep_no_snapshot(shared: SqliteShared, clock: ManualClock) -> None:
    """A snapshot left open would keep every writer of the company from committing."""
    for number in range(30):
        task = asyncio.create_task(shared.pull(Head()))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await shared.apply(importing(f"t{number}", clock.now()))).rev == number + 1
    assert (await shared.position()).head.seq == 30
