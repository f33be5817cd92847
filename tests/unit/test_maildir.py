"""Letters and the Maildir they are written to (interface.md, "Mail"; REQ-104, REQ-105, REQ-405)."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import hashlib
import threading
from pathlib import Path

import pytest

from app.mail.letter import Postmark, compose, text_digest
from app.mail.links import make_tokens, token_hash
from app.mail.maildir import Maildir
from storage.log.entry import Head
from storage.models import LinkKind, Mail
from storage.models.row import canonical
from tests.unit.letter_samples import samples

MARK = Postmark("access@ops.example", "https://portal.example", "tenant:northwind", Head(7, "ab" * 32), "epoch-1234567")


def letter(**changes: object) -> Mail:
    """Maria is asked: the letter that carries links."""
    return dataclasses.replace(samples()["request.created"], **{"id": "M-7K2F9Q", **changes})  # type: ignore[arg-type]  # a test's own keyword table


def with_reason(reason: str) -> Mail:
    facts = letter().said()
    facts["request"]["reason"] = reason
    return letter(facts=canonical(facts))


def parsed(mail: Mail) -> email.message.EmailMessage:
    message = compose(mail, make_tokens(b"k" * 32, mail), MARK)
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)  # type: ignore[return-value]


def test_a_letter_has_a_stable_id_says_it_is_automatic_and_carries_the_head() -> None:
    first, second = parsed(letter()), parsed(letter())
    assert first["Message-ID"] == second["Message-ID"] == "<M-7K2F9Q.epoch-123456@ops.example>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["X-Countersign-Head"] == "tenant:northwind 7 " + "ab" * 32
    assert first["To"] == "Maria Santos <maria@nw.example>"


def test_only_whole_link_lines_become_links_and_both_parts_have_them() -> None:
    tokens = make_tokens(b"k" * 32, letter())
    message = parsed(with_reason("See {approve_link} for more"))
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
    mail = letter(subject=evil, to_name=evil, facts=with_reason(evil).facts)
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
    part = parsed(with_reason("<script>alert(1)</script>")).get_body(("html",))
    assert part is not None and "<script>" not in part.get_content()


def test_a_letter_delivered_twice_or_already_read_is_there_once(tmp_path: Path) -> None:
    box, message = Maildir(tmp_path / "mailbox"), compose(letter(), make_tokens(b"k" * 32, letter()), MARK)
    assert box.deliver("M-1", message)
    assert not box.deliver("M-1", message)
    (found,) = (tmp_path / "mailbox" / "new").iterdir()
    found.rename(tmp_path / "mailbox" / "cur" / (found.name + ":2,S"))
    assert not box.deliver("M-1", message)
    assert not list((tmp_path / "mailbox" / "new").iterdir()) and not list((tmp_path / "mailbox" / "tmp").iterdir())


def test_two_deliverers_at_once_deliver_once(tmp_path: Path) -> None:
    box, message = Maildir(tmp_path / "mailbox"), compose(letter(), make_tokens(b"k" * 32, letter()), MARK)
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(box.deliver("M-1", message))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and answers.count(True) == 1


def test_what_was_mailed_can_be_held_against_the_log() -> None:
    """The digest that the log records is that of the text which its reader sees, however it travelled."""
    mail = with_reason("Zwölf Boxkämpfer — ✓\nand a long line " + "x" * 1500)
    sent = compose(mail, make_tokens(b"k" * 32, mail), MARK)
    arrived = parsed(mail).get_body(("plain",))
    assert arrived is not None
    assert text_digest(sent) == hashlib.sha256(arrived.get_content().replace("\r\n", "\n").encode()).hexdigest()


def test_an_urgent_letter_says_so_to_the_mail_reader() -> None:
    assert (parsed(letter(urgent=True))["Importance"], parsed(letter(urgent=False))["Importance"]) == ("high", None)
