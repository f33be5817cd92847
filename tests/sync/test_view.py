"""What a command reads through remembers the revision of everything it looked at."""

from __future__ import annotations

from storage.models import Contact, Request, Session, Staff, Tenant
from storage.shared.change import Read
from tests.sync.behind import Intruder
from tests.sync.story import Console, one_more


async def test_a_row_and_its_absence_are_both_remembered(mine: Console, behind: Intruder) -> None:
    ((rev,),) = behind.ask("SELECT rev FROM tenant WHERE id = 'acme'")
    view = mine.replica.view("c1")
    acme = view.get(Tenant, "acme")
    assert acme is not None and acme.name == "Acme"
    assert view.get(Tenant, "nobody") is None
    assert view.reads == (Read("tenant", "acme", int(str(rev))), Read("tenant", "nobody", 0))


async def test_found_rows_come_by_key_and_are_remembered(mine: Console) -> None:
    view = mine.replica.view("c1")
    assert [contact.id for contact in view.find(Contact, tenant_id="acme")] == ["acme/ada", "acme/bob", "acme/cy"]
    assert {(read.table, read.key) for read in view.reads} == {
        ("contact", "acme/ada"), ("contact", "acme/bob"), ("contact", "acme/cy"),
    }  # fmt: skip
    assert view.find(Session, ended_at=None) and not view.find(Session, ended_at="never")
    assert [person.email for person in view.find(Staff, role="engineer")] == ["eve@op.example"]


async def test_a_row_that_changed_between_two_looks_keeps_its_first_revision(mine: Console) -> None:
    view = mine.replica.view("c1")
    (before,) = view.find(Session)
    reads = view.reads
    await one_more(mine)
    (after,) = view.find(Session)
    assert after.views == before.views + 1
    assert view.reads == reads, "so that `apply` refuses a decision that rests on both"


async def test_fresh_keys_are_fresh_and_the_same_for_the_same_change(mine: Console) -> None:
    one, again, other = mine.replica.view("c1"), mine.replica.view("c1"), mine.replica.view("c2")
    keys = [one.fresh_id("R") for _ in range(5)]
    assert len(set(keys)) == 5 and all(key.startswith("R-") and len(key) == 8 for key in keys)
    assert keys == [again.fresh_id("R") for _ in range(5)]
    assert other.fresh_id("R") not in keys
    taken = mine.replica.reader.execute("SELECT id FROM request LIMIT 1").fetchone()[0]
    assert mine.replica.view("c1").get(Request, taken) is not None


async def test_digests_of_private_rows_are_known_their_content_is_not(mine: Console, behind: Intruder) -> None:
    for key, rev in behind.ask("SELECT id, rev FROM credential"):
        assert mine.replica.revision_of("credential", str(key)) == rev
    assert mine.replica.revision_of("credential", "nobody") is None
    names = {name for (name,) in mine.replica.reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert not names & {"credential", "command"}
