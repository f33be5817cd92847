"""Opening the shared file: every way it can be wrong has its words and its advice (issue 2, section 5)."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from storage.errors import Corrupt, CountersignError, Misconfigured, Offline
from storage.log.entry import Head
from storage.models.tables import metadata
from storage.shared import migrations
from storage.shared.connections import journal_mode
from storage.shared.opening import create_file
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, load_key, new_key
from tests.clock import ManualClock
from tests.services.changes import importing


async def _refusal(path: Path, vault: Vault) -> CountersignError:
    with pytest.raises(CountersignError) as caught:
        await SqliteShared.open(path, vault, ManualClock())
    assert caught.value.advice
    assert path.name in str(caught.value)
    return caught.value


def _names(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


async def test_no_file(tmp_path: Path, vault: Vault) -> None:
    refusal = await _refusal(tmp_path / "shared.db", vault)
    assert isinstance(refusal, Misconfigured)
    assert "countersign init" in refusal.advice
    assert _names(tmp_path) == []


async def test_a_directory(tmp_path: Path, vault: Vault) -> None:
    assert isinstance(await _refusal(tmp_path, vault), Misconfigured)


@pytest.mark.parametrize("content", [b"hello, I am a text file\n" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
async def test_no_database(tmp_path: Path, vault: Vault, content: bytes) -> None:
    path = tmp_path / "shared.db"
    path.write_bytes(content)
    assert isinstance(await _refusal(path, vault), Corrupt)
    assert path.read_bytes() == content


async def test_a_database_of_something_else(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "shared.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE cookies (name TEXT)")
    other.close()
    refusal = await _refusal(path, vault)
    assert isinstance(refusal, Misconfigured)
    assert "not a Countersign database" in str(refusal)


async def test_an_empty_file(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "shared.db"
    path.touch()
    assert isinstance(await _refusal(path, vault), Misconfigured)


async def test_a_newer_schema(shared_path: Path, vault: Vault) -> None:
    with sqlite3.connect(shared_path) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    refusal = await _refusal(shared_path, vault)
    assert isinstance(refusal, Misconfigured)
    assert "9999" in str(refusal)
    assert "update" in refusal.advice


async def test_a_file_that_does_not_say_its_schema(shared_path: Path, vault: Vault) -> None:
    with sqlite3.connect(shared_path) as damaged:
        damaged.execute("DROP TABLE alembic_version")
    damaged.close()
    assert isinstance(await _refusal(shared_path, vault), Corrupt)


def test_a_directory_that_cannot_be_written(template: Path) -> None:
    """Asked as somebody else: root may write everywhere."""
    program = textwrap.dedent("""
        import asyncio, os, sys
        from pathlib import Path
        from storage.errors import CountersignError
        from storage.shared.opening import create_file, inspect_file
        if os.geteuid() == 0:
            os.setgid(65534); os.setuid(65534)
        for act, path in ((inspect_file, sys.argv[1]), (create_file, sys.argv[2])):
            try:
                act(Path(path))
            except CountersignError as error:
                print(type(error).__name__, error, error.advice, sep="|")
    """)
    with tempfile.TemporaryDirectory() as directory:
        open_to_all, closed = Path(directory), Path(directory) / "closed"
        closed.mkdir()
        shutil.copyfile(template, closed / "shared.db")
        (closed / "shared.db").chmod(0o666)
        open_to_all.chmod(0o755)
        closed.chmod(0o555)
        ran = subprocess.run(
            [sys.executable, "-c", program, str(closed / "shared.db"), str(closed / "new.db")],
            capture_output=True,
            text=True,
            check=False,
        )
        closed.chmod(0o755)
    assert ran.stderr == ""
    words = [line.split("|") for line in ran.stdout.splitlines()]
    assert [kind for kind, _, _ in words] == ["Misconfigured", "Misconfigured"]
    assert "cannot be written" in words[0][1]
    assert "cannot be made: Permission denied" in words[1][1]
    assert all(advice for _, _, advice in words)


async def test_a_full_disk_loses_nothing_and_says_so(
    shared_path: Path, shared: SqliteShared, clock: ManualClock
) -> None:
    await shared.apply(importing("northwind", clock.now()))
    pages = await shared._connections.write(lambda tx: tx.rows("PRAGMA page_count")[0][0])
    await shared._connections.write(lambda tx: tx.rows(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(Misconfigured, match="full") as caught:
        for number in range(200):
            await shared.apply(importing(f"t{number}", clock.now()))
    assert "free some space" in caught.value.advice
    pulled = await shared.pull(Head())
    assert [entry.seq for entry in pulled.entries] == list(range(1, pulled.head.seq + 1))
    await shared._connections.write(lambda tx: tx.rows("PRAGMA max_page_count = 1000000"))
    assert (await shared.apply(importing("after", clock.now()))).rev == pulled.head.seq + 1


async def test_a_file_that_went_away_is_offline_and_comes_back(
    shared: SqliteShared, shared_path: Path, clock: ManualClock
) -> None:
    await shared.apply(importing("northwind", clock.now()))
    elsewhere = shared_path.with_name("elsewhere.db")
    shutil.move(shared_path, elsewhere)
    with pytest.raises(Offline, match="gone"):
        await shared.position()
    with pytest.raises(Offline, match="gone"):
        await shared.apply(importing("contoso", clock.now()))
    shutil.move(elsewhere, shared_path)
    assert (await shared.apply(importing("contoso", clock.now()))).rev == 2


async def test_another_file_in_its_place_is_noticed(
    shared: SqliteShared, shared_path: Path, template: Path, clock: ManualClock
) -> None:
    """A restored backup: what is written goes into the file that stands there now."""
    await shared.apply(importing("northwind", clock.now()))
    restored = shared_path.with_name("restored.db")
    shutil.copyfile(template, restored)
    restored.rename(shared_path)
    assert (await shared.position()).head == Head()
    assert (await shared.apply(importing("contoso", clock.now()))).rev == 1
    shared_path.with_name("junk").write_text("no database\n" * 100)
    shared_path.with_name("junk").rename(shared_path)
    with pytest.raises(Corrupt):
        await shared.position()


def test_making_it_twice_is_refused_and_leaves_the_first_alone(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    shutil.copyfile(template, path)
    before = path.read_bytes()
    with pytest.raises(Misconfigured, match="exists already"):
        create_file(path)
    assert path.read_bytes() == before
    assert _names(tmp_path) == ["shared.db"]


async def test_every_database_has_an_epoch_of_its_own(template: Path, tmp_path: Path, vault: Vault) -> None:
    create_file(tmp_path / "shared.db")
    shutil.copyfile(template, tmp_path / "other.db")
    epochs = set()
    for name in ("shared.db", "other.db"):
        shared = await SqliteShared.open(tmp_path / name, vault, ManualClock())
        epochs.add((await shared.position()).epoch)
        await shared.close()
    assert len(epochs) == 2


def test_the_revisions_named_are_those_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == migrations.REVISIONS
    assert scripts.get_current_head() == migrations.HEAD


def test_the_revisions_make_what_the_models_say(tmp_path: Path) -> None:
    """Revisions keep their own copies of the tables: together they are what this version works with."""
    made = {}
    for name in ("by revisions", "by models"):
        engine = create_engine(f"sqlite:///{tmp_path / name}")
        with engine.begin() as connection:
            migrations.upgrade(connection) if name == "by revisions" else metadata.create_all(connection)
            found = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL"
                " AND name <> 'alembic_version'"
            )
            made[name] = {str(row[0]): " ".join(str(row[1]).split()) for row in found}
        engine.dispose()
    assert made["by revisions"] == made["by models"]


def test_wal_only_where_sqlite_does_not_damage_it() -> None:
    assert journal_mode((3, 40, 1)) == journal_mode((3, 51, 2)) == "TRUNCATE"
    assert journal_mode((3, 51, 3)) == journal_mode((3, 52, 0)) == "WAL"


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "config" / "countersign.key"
    key = load_key(path)
    assert load_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert _names(path.parent) == [path.name]
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="read by others"):
        load_key(path)


def test_a_secret_opens_with_its_own_key_alone() -> None:
    key = new_key()
    sealed = Vault(key).seal("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert Vault(key).unseal(sealed) == "JBSWY3DPEHPK3PXP"
    with pytest.raises(Corrupt):
        Vault(new_key()).unseal(sealed)
    with pytest.raises(Misconfigured):
        Vault(b"too short")
    assert Vault(key).derived_key("mail links") == Vault(key).derived_key("mail links") != Vault(key).derived_key("x")
