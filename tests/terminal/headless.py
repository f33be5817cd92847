"""The real command on a home of its own: one prepared home, cloned for every test.

`run` starts a process, as a person would; `here` runs the very same entry point in this one, in a tenth of the time,
where what is tested is what a command says and not that it is a process.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast
from unittest import mock

import pytest

from app.__main__ import run as entry_point
from storage.shared.totp import code_at

SUE, ANN, RAJ, OTTO = "sue@ops.example", "ann@ops.example", "raj@ops.example", "otto@ops.example"
TENANTS = (
    {
        "id": "northwind",
        "name": "Northwind Travel",
        "plan": "pro",
        "status": "active",
        "settings": {"mode": "default", "max_minutes": 45},
        "contacts": [
            {
                "id": "maria",
                "name": "Maria Santos",
                "email": "maria@northwind.example",
                "roles": ["tenant_admin", "user"],
            },
            {"id": "juan", "name": "Juan Ortiz", "email": "juan@northwind.example", "roles": ["tenant_admin"]},
        ],
    },
    {
        "id": "fabrikam",
        "name": "Fabrikam",
        "plan": "free",
        "status": "active",
        "settings": {"standing_consent": True},
        "contacts": [
            {"id": "eva", "name": "Eva Berg", "email": "eva@fabrikam.example", "roles": ["tenant_admin", "user"]}
        ],
    },
)
ASK = {
    "--tenant": "northwind",
    "--target": "maria",
    "--ticket": "T-48271",
    "--reason": "The refund page says completed, payment event 991 never reached the bank; needs the live record",
    "--scope": "refund 8841, payment event 991",
    "--records": "2",
    "--tried": "logs,metrics",
    "--why-not": "The logs only show the queue message, not the state of the refund record itself",
}


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Home:
    """A home directory and the people's second factors. Recovery codes are taken from the front."""

    path: Path
    secrets: dict[str, str] = field(default_factory=dict)
    recovery: dict[str, list[str]] = field(default_factory=dict)

    def run(self, *words: str, who: str = "", **environment: str) -> Answer:
        """One command."""
        flags = ["--home", str(self.path), *(["--as", who] if who else [])]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
        done = subprocess.run(
            [sys.executable, "-m", "app", *flags, *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**inherited, "NO_COLOR": "1", **environment},
            timeout=60,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def here(self, *words: str, who: str = "") -> Answer:
        """One command in this process."""
        flags = ["--home", str(self.path), *(["--as", who] if who else [])]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**inherited, "NO_COLOR": "1"}, clear=True),
            mock.patch.object(sys, "stdin", io.StringIO()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = entry_point([*flags, *words])
        return Answer(status, out.getvalue(), err.getvalue())

    def ok(self, *words: str, who: str = "") -> Answer:
        """One command that must succeed, in this process."""
        answer = self.here(*words, who=who)
        assert answer.status == 0, answer.err
        return answer

    def process(self, *words: str, who: str = "") -> Answer:
        """One command that must succeed, in a process of its own."""
        answer = self.run(*words, who=who)
        assert answer.status == 0, answer.err
        return answer

    def code(self, who: str) -> str:
        """The code that the person's telephone shows now."""
        return code_at(self.secrets[who], datetime.now(UTC))

    def spare(self, who: str) -> str:
        """A recovery code, good once: for a second act within the same half minute."""
        return self.recovery[who].pop(0)

    def letters(self, to: str = "") -> list[EmailMessage]:
        """What lies in the Maildir, to one person or to all."""
        box = self.path / "mailbox" / "new"
        found = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in box.iterdir()]
        letters = [cast(EmailMessage, one) for one in found if to in str(one["To"])]
        return sorted(letters, key=lambda one: str(one["Date"]))

    def token(self, to: str, kind: str = "approve") -> str:
        """The token of the link in the newest letter that has links."""
        for letter in reversed(self.letters(to)):
            links = re.findall(r"^http://localhost:8000/consent/(\S+)$", plain(letter), re.MULTILINE)
            if links:
                return str(links[0 if kind == "approve" else 1])
        raise AssertionError(f"no letter to {to} has links")

    def asked(self, **changes: str) -> dict[str, Any]:
        """A request by Ann, as JSON."""
        words = [word for pair in {**ASK, **changes}.items() for word in pair]
        return cast(
            "dict[str, Any]",
            self.ok("request", "create", *words, "--otp", self.spare(ANN), "--json", who=ANN).document,
        )

    def inside(self) -> dict[str, Any]:
        """A session by Ann, consented to by Maria, as JSON."""
        request = self.asked()
        self.ok("consent", "approve", self.token("maria"))
        return cast("dict[str, Any]", self.ok("session", "start", request["id"], "--json", who=ANN).document)

    @property
    def database(self) -> Path:
        return self.path / "data" / "shared.db"


def plain(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Sue (super), Ann and Raj (engineers), Otto (auditor); two tenants. Made by the commands themselves."""
    home = Home(tmp_path_factory.mktemp("prepared") / "home")

    def enrolled(answer: Answer) -> None:
        document = answer.document
        home.secrets[document["email"]] = document["secret"]
        home.recovery[document["email"]] = document["recovery_codes"]

    enrolled(home.ok("init", "--email", SUE, "--name", "Sue Park", "--json"))
    for who, name, role in ((ANN, "Ann Lee", "engineer"), (RAJ, "Raj Rao", "engineer"), (OTTO, "Otto Kern", "auditor")):
        enrolled(home.ok("staff", "add", "--email", who, "--name", name, "--role", role, "--json"))
    file = home.path / "tenants.jsonl"
    file.write_text("".join(json.dumps(tenant) + "\n" for tenant in TENANTS))
    home.ok("tenant", "import", str(file))
    return home


@pytest.fixture
def home(prepared: Home, tmp_path: Path) -> Iterator[Home]:
    """A clone of the prepared home."""
    path = tmp_path / "home"
    shutil.copytree(prepared.path, path)
    yield Home(path, dict(prepared.secrets), {who: list(codes) for who, codes in prepared.recovery.items()})
