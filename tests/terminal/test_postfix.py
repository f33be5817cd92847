"""Once, a real mail transfer agent: Debian's postfix on loopback takes a letter from `countersign worker` and delivers
it (issue 4, section 2). Installed by `make test-long` where it is absent; runs as root only, on ports and in
directories of its own."""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from tests.smtp import HOST
from tests.terminal.headless import Home, home, plain, prepared

__all__ = ["home", "prepared"]

MAIN = """compatibility_level = 3.6
queue_directory = {place}/queue
data_directory = {place}/data
myhostname = mail.test
mydestination =
inet_interfaces = {host}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
relayhost =
virtual_mailbox_domains = northwind.example
virtual_mailbox_base = {place}/boxes
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_recipient_restrictions =
  check_recipient_access inline:{{ juan@northwind.example=REJECT }}, permit_mynetworks, reject
maillog_file = {place}/log
maillog_file_prefixes = {place}
"""
MASTER = """{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


@pytest.fixture
def postfix() -> Iterator[tuple[int, Path]]:
    """A postfix with a configuration, a queue and mailboxes of its own; its port and the mailboxes."""
    import pwd
    import tempfile

    if os.geteuid() != 0:
        pytest.fail("postfix's master runs as root: run `make test-long` as root, or in the container that CI uses")
    assert shutil.which("postfix", path=f"/usr/sbin:{os.environ['PATH']}"), "make test-long installs postfix"
    place, port, nobody = Path(tempfile.mkdtemp(prefix="countersign-postfix-")), free_port(), pwd.getpwnam("nobody")
    place.chmod(0o755)
    for name in ("queue", "data", "boxes", "etc"):
        (place / name).mkdir()
    shutil.chown(place / "data", "postfix")
    shutil.chown(place / "boxes", nobody.pw_uid, nobody.pw_gid)
    filled = {"place": place, "host": HOST, "port": f"{HOST}:{port}", "uid": nobody.pw_uid, "gid": nobody.pw_gid}
    (place / "etc" / "main.cf").write_text(MAIN.format(**filled))
    (place / "etc" / "master.cf").write_text(MASTER.format(**filled))
    command = ["/usr/sbin/postfix", "-c", str(place / "etc")]
    started = subprocess.run([*command, "start"], capture_output=True, text=True, check=False)
    try:
        assert started.returncode == 0, started.stderr + (place / "log").read_text()
        yield port, place / "boxes"
    finally:
        subprocess.run([*command, "stop"], capture_output=True, check=False)
        shutil.rmtree(place, ignore_errors=True)


def arrived(box: Path) -> list[EmailMessage]:
    files = sorted((box / "all" / "new").glob("*")) if (box / "all" / "new").exists() else []
    return [cast(EmailMessage, email.message_from_bytes(f.read_bytes(), policy=email.policy.default)) for f in files]


@pytest.mark.long
def test_postfix_takes_a_letter_and_delivers_it(home: Home, postfix: tuple[int, Path]) -> None:
    """REQ-104: what postfix delivers is the letter, whole; what it refuses has failed, in its own words."""
    port, boxes = postfix
    (home.path / "config" / "countersign.toml").write_text(f'[mail]\nsmtp = "smtp://{HOST}:{port}?tls=none"\n')
    home.asked()
    said = home.run("worker", "--once", "--json")
    assert said.status == 0 and said.document["delivered"] == 1, said.err
    deadline = time.monotonic() + 60
    while not arrived(boxes):
        assert time.monotonic() < deadline, "postfix accepted the letter and did not deliver it"
        time.sleep(0.1)  # another program's queue: it tells nobody when it is done
    [letter] = arrived(boxes)
    assert str(letter["To"]) == "Maria Santos <maria@northwind.example>"
    assert "payment event 991 never reached the bank" in plain(letter)
    assert str(letter["X-Countersign-Head"]).startswith("tenant:northwind ")
    [gone] = home.ok("mail", "list", "--state", "failed", "--json").document
    assert gone["email"] == "juan@northwind.example" and "554 5.7.1" in gone["last_error"]
    [sent] = home.ok("mail", "list", "--state", "delivered", "--json").document
    assert "queued as" in sent["answer"]
