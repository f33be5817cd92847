"""A letter in the words in which its reader gets it, for tests: links stand as `{approve_link}`, `{deny_link}`."""

from __future__ import annotations

from app.mail.rendering import Postmark, Rendered, render
from storage.log.entry import OPERATOR, Head, tenant_log
from storage.models import Mail

HEAD = Head(7, "ab" * 32)


def postmark(mail: Mail) -> Postmark:
    log = tenant_log(mail.tenant_id) if mail.tenant_id is not None else OPERATOR
    return Postmark("access@ops.example", "https://portal.example", log, HEAD, "epoch-1234567")


def parts(mail: Mail) -> Rendered:
    """Both parts."""
    return render(mail, {kind: f"{{{kind.value}_link}}" for kind in mail.links}, postmark(mail))


def text_of(mail: Mail) -> str:
    """The plain part."""
    return parts(mail).plain
