"""Settings: flag over environment over config file over default, documented, and every fault named (interface.md)."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from app.database_url import for_login, shown
from app.launch import Launch, database_path
from app.settings_layers import as_toml, described
from storage.errors import Misconfigured


def launched(home: Path, config: str = "", **flags: str) -> Launch:
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "countersign.toml").write_text(config)
    return Launch.of(home=str(home), **flags)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE", "HOME", "AS", "MAIL__SENDER", "PORTAL__URL"):
        monkeypatch.delenv(f"COUNTERSIGN_{name}", raising=False)


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = 'database = "sqlite:////file.db"\n'
    assert launched(tmp_path).database == f"sqlite:///{tmp_path}/data/shared.db"
    assert launched(tmp_path, config).database == "sqlite:////file.db"
    monkeypatch.setenv("COUNTERSIGN_DATABASE", "sqlite:////environment.db")
    assert launched(tmp_path, config).database == "sqlite:////environment.db"
    assert launched(tmp_path, config, database="sqlite:////flag.db").database == "sqlite:////flag.db"


@pytest.mark.parametrize("source", ["flag", "environment", "file", "default"])
def test_what_the_first_frame_reads_is_what_the_checked_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """Two readers of the same layers: one with the standard library, before the first frame, and one that checks."""
    if source == "environment":
        monkeypatch.setenv("COUNTERSIGN_DATABASE", "sqlite:////e.db")
        monkeypatch.setenv("COUNTERSIGN_CONSOLE__THEME", "light")
    config = 'database = "sqlite:////f.db"\n[console]\ntheme = "ansi"\n' if source == "file" else ""
    launch = launched(tmp_path, config, **({"database": "sqlite:////x.db"} if source == "flag" else {}))
    assert launch.settings.database == launch.database
    assert launch.settings.console.theme == launch.console.get("theme", "dark")


def test_config_show_is_a_config_file_that_says_where_each_value_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_MAIL__SENDER", "access@ops.example")
    launch = launched(tmp_path, '[portal]\nurl = "https://portal.example/"\n[console.keys]\n"queue.new" = "a,b"\n')
    origins = {one.name: one.origin for one in described(launch)}
    assert origins["portal.url"] == str(launch.paths.config_file)
    assert origins["mail.sender"] == "environment"
    assert origins["log.level"] == origins["database"] == "default"
    assert all(one.meaning for one in described(launch))
    document = tomllib.loads(as_toml(launch))
    assert document["portal"]["url"] == "https://portal.example"
    assert document["console"]["keys"] == {"queue.new": "a,b"}
    assert "log" in document and "level" not in document["log"]
    every = as_toml(launch).replace("\n#level", "\nlevel")
    assert tomllib.loads(every)["log"]["level"] == "info"


def test_a_wrong_value_in_the_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_PORTAL__URL", "ftp://x")
    with pytest.raises(Misconfigured, match=r"COUNTERSIGN_PORTAL__URL: portal\.url: expected an address"):
        assert launched(tmp_path).settings


def test_who_i_am_flag_environment_else_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = launched(tmp_path)
    assert launch.identity is None
    launch.remember("ann@ops.example")
    assert launched(tmp_path).identity == "ann@ops.example"
    monkeypatch.setenv("COUNTERSIGN_AS", "raj@ops.example")
    assert launched(tmp_path).identity == "raj@ops.example"
    assert launched(tmp_path, identity="sue@ops.example").identity == "sue@ops.example"


def test_each_database_has_a_replica_and_a_witness_of_its_own(tmp_path: Path) -> None:
    one, other = launched(tmp_path, database="sqlite:////a.db"), launched(tmp_path, database="sqlite:////b.db")
    assert one.replica_path != other.replica_path and one.witness_path != other.witness_path
    assert one.replica_path == launched(tmp_path, database="sqlite:////x/../a.db").replica_path


def test_a_server_has_one_replica_whoever_logs_in_and_no_file_name_comes_of_a_password(tmp_path: Path) -> None:
    def of(url: str) -> Launch:
        return launched(tmp_path, database=url)

    one = of("postgresql://ann:pw@db1,db2/team?sslmode=require")
    assert one.on_postgres and one.replica_path == of("postgresql://sue@DB1,db2/team").replica_path
    assert one.replica_path != of("postgresql://ann@db3/team").replica_path
    assert one.replica_path != of("postgresql://ann@db1,db2/other").replica_path
    for url in ("postgresql://a:pw@h/d", "postgresql://a@h/d?password=pw&x=1", "postgresql://a@h/d?x=1&sslpassword=pw"):
        assert "pw" not in shown(url) and "pw" not in as_toml(of(url)), url
        assert "pw" not in for_login(url, "cs_u", None)
    assert (
        for_login("postgresql://a:pw@h:1/d?host=/tmp/x", "cs_u", "a/b") == "postgresql://cs_u:a%2Fb@h:1/d?host=/tmp/x"
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ann:pw@db/x", "an SQLite file only"),
        ("postgres://db/x?password=pw", "an SQLite file only"),
        ("mysql://ann:pw@db/x", "not a database URL"),
        ("/just/a/path.db", "not a database URL"),
        ("sqlite://host/x.db", "not a database URL"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_url_that_is_none_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as caught:
        database_path(url)
    assert "pw" not in str(caught.value)


def test_a_path_in_a_url_is_absolute_after_four_slashes() -> None:
    assert database_path("sqlite:////var/x.db") == Path("/var/x.db")
    assert database_path("sqlite:///x.db") == Path.cwd() / "x.db"


def test_nothing_is_made_by_asking_where_things_are(tmp_path: Path) -> None:
    launch = Launch.of(home=str(tmp_path / "home"))
    assert launch.settings and launch.replica_path and launch.paths.mailbox
    assert not (tmp_path / "home").exists()


def test_a_crash_goes_to_the_log_file_and_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import app.settings_layers
    from app.__main__ import run

    def broken(launch: Launch) -> str:
        raise RuntimeError("this cannot be")

    monkeypatch.setattr(app.settings_layers, "as_toml", broken)
    assert run(["--home", str(tmp_path), "config", "show"]) == 70
    said = capsys.readouterr().err
    log = tmp_path / "logs" / "countersign.log"
    assert "RuntimeError: this cannot be" in said and "Traceback" not in said and str(log) in said
    assert "Traceback" in log.read_text()
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
