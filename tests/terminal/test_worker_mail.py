"""`countersign worker` and a mail server, from outside: the whole process, real settings, a real SMTP server with TLS
and a log-in (issue 4, section 2; REQ-503)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.smtp import HOST, MailServer, certificate
from tests.terminal.headless import ANN, SUE, Answer, Home, home, plain, prepared

__all__ = ["home", "prepared"]


def configured(home: Home, server: MailServer, authority: Path) -> None:
    secret = home.path / "mail.password"
    secret.write_text("s3cret\n")
    (home.path / "config" / "countersign.toml").write_text(
        f'[mail]\nsmtp = "smtp://countersign@{HOST}:{server.port}"\n'
        f'password_file = "{secret}"\nca_file = "{authority}"\nsender = "access@ops.example"\n'
    )


async def command(home: Home, *words: str, who: str = "", **environment: str) -> Answer:
    """In a thread: the mail server runs in this loop."""
    return await asyncio.to_thread(lambda: home.run(*words, who=who, **environment))


async def test_from_the_request_to_the_mailbox(home: Home, tmp_path: Path) -> None:
    """REQ-104, REQ-405: over STARTTLS, logged in, by the worker alone; what failed is seen, mended, tried again."""
    context, authority = certificate(tmp_path)
    async with MailServer(tls=context, password="s3cret") as server:
        configured(home, server, authority)
        server.answers["juan@northwind.example"] = ["550 5.1.1 no such user", "250 OK"]
        await asyncio.to_thread(home.asked)
        assert server.letters == [] and not (home.path / "mailbox").exists(), "no command waits for a network"

        done = await command(home, "worker", "--once", "--json")
        assert done.status == 0 and done.document["delivered"] == 1, done.err
        assert "FAILED for good" in done.err
        assert server.encrypted == [True]
        assert "> refund 8841, payment event 991" in plain(server.to("maria@northwind.example")[0])

        [gone] = (await command(home, "mail", "list", "--state", "failed", "--json")).document
        assert (gone["email"], "no such user" in gone["last_error"]) == ("juan@northwind.example", True)
        unwell = await command(home, "doctor")
        assert unwell.status == 1 and "1 letters failed" in unwell.out + unwell.err
        refused = await command(home, "mail", "retry", gone["id"], who=ANN)
        assert refused.status == 3 and "only a super" in refused.err
        assert (await command(home, "mail", "retry", gone["id"], who=SUE)).status == 0
        assert (await command(home, "worker", "--once", "--json")).document["delivered"] >= 1
        shown = (await command(home, "mail", "show", gone["id"], "--json")).document
        assert shown["state"] == "delivered" and "<approve link>" in shown["text"]
        assert "consent/c" not in shown["text"], "the token is in the mailbox alone"


async def test_a_password_is_never_printed(home: Home, tmp_path: Path) -> None:
    async with MailServer(password="s3cret") as server:
        config = home.path / "config" / "countersign.toml"
        config.write_text(f'[mail]\nsmtp = "smtp://countersign@{HOST}:{server.port}?tls=none"\npassword = "s3cret"\n')
        shown = await command(home, "config", "show")
        assert shown.status == 0 and "(hidden)" in shown.out and "s3cret" not in shown.out + shown.err
        for words in (("doctor",), ("worker", "--once")):
            said = await command(home, *words)
            assert "s3cret" not in said.out + said.err
        config.write_text('[mail]\nsmtp = "smtp://countersign:s3cret@mail.example:587"\n')
        wrong = await command(home, "worker", "--once")
        assert wrong.status == 2 and "mail.password_file" in wrong.err and "s3cret" not in wrong.err


async def test_mail_that_anybody_can_read_is_said_loudly(home: Home) -> None:
    (home.path / "config" / "countersign.toml").write_text('[mail]\nsmtp = "smtp://mail.example?tls=none"\n')
    said = await command(home, "worker", "--once")
    assert "WARNING: mail goes to mail.example:25 (WITHOUT TLS): ANYBODY ON THE WAY CAN READ IT" in said.err
    assert (await command(home, "doctor")).status == 1


async def test_a_server_that_is_down_is_told_once_and_seen_everywhere(home: Home) -> None:
    async with MailServer() as server:
        (home.path / "config" / "countersign.toml").write_text(
            f'[mail]\nsmtp = "smtp://{HOST}:{server.port}?tls=none"\n'
        )
        await asyncio.to_thread(home.asked)
        await server.stop()
        said = await command(home, "worker", "--once")
        assert said.status == 0 and "mail waits: 127.0.0.1" in said.err
        listed = (await command(home, "mail", "list", "--state", "queued", "--json")).document
        assert len(listed) == 2 and sum(1 for one in listed if one["last_error"]) == 1
