"""Letters and the Maildir they are written to (interface.md, "Mail"; REQ-104, REQ-105, REQ-405)."""

from __future__ import annotations

import email
import email.policy
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.mail.letter import Postmark, compose, make_tokens, token_hash
from app.mail.maildir import Maildir
from storage.log.entry import Head
from storage.models import LinkKind, Mail

MARK = Postmark("access@ops.example", "https://portal.example", "tenant:northwind", Head(7, "ab" * 32), "epoch-1234567")


def letter(**changes: object) -> Mail:
    values: dict[str, object] = {
        "id": "M-7K2F9Q",
        "event": "request.created",
        "to_id": "northwind/maria",
        "to_name": "Maria Ruiz",
        "to_email": "maria@northwind.example",
        "tenant_id": "northwind",
        "request_id": "R-1",
        "session_id": None,
        "subject": "Ann asks for access",
        "text": "Ann asks.\n\nApprove:\n{approve_link}\nDeny:\n{deny_link}\nSee {approve_link} for more",
        "links": (LinkKind.APPROVE, LinkKind.DENY),
        "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    return Mail(**(values | changes))  # type: ignore[arg-type]  # a test's own keyword table


def parsed(mail: Mail) -> email.message.EmailMessage:
    message = compose(mail, make_tokens(b"k" * 32, mail), MARK)
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)  # type: ignore[return-value]


def test_a_letter_has_a_stable_id_says_it_is_automatic_and_carries_the_head() -> None:
    first, second = parsed(letter()), parsed(letter())
    assert first["Message-ID"] == second["Message-ID"] == "<M-7K2F9Q.epoch-123456@ops.example>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["X-Countersign-Head"] == "tenant:northwind 7 " + "ab" * 32
    assert first["To"] == "Maria Ruiz <maria@northwind.example>"


def test_only_whole_link_lines_become_links_and_both_parts_have_them() -> None:
    tokens = make_tokens(b"k" * 32, letter())
    message = parsed(letter())
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        text = part.get_content()
        for token in tokens.values():
            assert f"https://portal.example/consent/{token}" in text
        assert "See {approve_link} for more" in text


def test_tokens_differ_by_kind_letter_and_key_and_are_the_same_at_a_retry() -> None:
    tokens = make_tokens(b"k" * 32, letter())
    assert tokens == make_tokens(b"k" * 32, letter())
    others = [make_tokens(b"x" * 32, letter()), make_tokens(b"k" * 32, letter(id="M-OTHER1"))]
    assert len({*tokens.values(), *(token for other in others for token in other.values())}) == 6
    assert len(token_hash(tokens[LinkKind.APPROVE])) == 64


def test_no_token_looks_like_an_option_on_a_command_line() -> None:
    tokens = [token for number in range(500) for token in make_tokens(b"k" * 32, letter(id=f"M-{number}")).values()]
    assert all(token[0].isalpha() for token in tokens)


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: eve@evil.example", "x\nX-Evil: 1", "\x1b]52;c;ZXZpbA==\x07", "\u202egnp.exe"]
)
def test_hostile_text_becomes_no_header_and_no_control(evil: str) -> None:
    mail = letter(subject=evil, to_name=evil, text=f"reason: {evil}\n{{approve_link}}")
    raw = compose(mail, make_tokens(b"k" * 32, mail), MARK).as_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Bcc"] is None and message["X-Evil"] is None
    for kind in ("plain", "html"):
        part = message.get_body((kind,))  # type: ignore[attr-defined]  # EmailMessage under this policy
        assert "\x1b" not in part.get_content() and "\u202e" not in part.get_content()
    assert "\x1b" not in message["Subject"] and "\x1b" not in message["To"]


def test_an_address_that_is_none_still_makes_a_letter() -> None:
    assert parsed(letter(to_email="no address\r\nBcc: x@y.z"))["Bcc"] is None


def test_html_in_a_reason_stays_words() -> None:
    part = parsed(letter(text="<script>alert(1)</script>")).get_body(("html",))
    assert part is not None and "<script>" not in part.get_content()


def test_a_letter_delivered_twice_or_already_read_is_there_once(tmp_path: Path) -> None:
    box, message = Maildir(tmp_path / "mailbox"), compose(letter(), {}, MARK)
    assert box.deliver("M-1", message)
    assert not box.deliver("M-1", message)
    (found,) = (tmp_path / "mailbox" / "new").iterdir()
    found.rename(tmp_path / "mailbox" / "cur" / (found.name + ":2,S"))
    assert not box.deliver("M-1", message)
    assert not list((tmp_path / "mailbox" / "new").iterdir()) and not list((tmp_path / "mailbox" / "tmp").iterdir())


def test_two_deliverers_at_once_deliver_once(tmp_path: Path) -> None:
    box, message = Maildir(tmp_path / "mailbox"), compose(letter(), {}, MARK)
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(box.deliver("M-1", message))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and answers.count(True) == 1
