"""Where a workplace's postman is put together: the mail server of the settings, or the Maildir where none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.mail.carrying import Carrier, MaildirCarrier
from app.mail.maildir import Maildir
from app.mail.postman import Postman
from app.mail.rendering import Postmark
from app.mail.server import server_of
from storage.errors import Stale
from storage.log.entry import OPERATOR, Head, tenant_log
from storage.models import Mail
from storage.replica.queries.mail import queued_mail
from storage.replica.queries.tenants import log_head

if TYPE_CHECKING:
    from app.bootstrap import Workplace


def postman_of(place: Workplace) -> Postman:
    """This process's postman. Raises Misconfigured for a mail server that cannot be used as the settings say."""
    return Postman(
        desk=place.desk,
        shared=place.shared,
        carrier=_carrier(place),
        key=place.vault.derived_key("mail links"),
        queue=lambda: queued_mail(place.replica.reader),
        mark=lambda mail: postmark(place, mail),
    )


def where_to(place: Workplace) -> str:
    """Where mail goes, in words; a warning where whoever listens on the way can read it."""
    server = server_of(place.launch.settings.mail)
    if server is None:
        return str(place.launch.paths.mailbox)
    loud = ": ANYBODY ON THE WAY CAN READ IT, links included" if server.is_readable_on_the_way else ""
    return f"{server}{loud}"


def _carrier(place: Workplace) -> Carrier:
    settings = place.launch.settings.mail
    server = server_of(settings)
    if server is None:
        return MaildirCarrier(Maildir(place.launch.paths.mailbox))
    from app.mail.smtp import SmtpCarrier

    return SmtpCarrier(server, settings.sender)


def postmark(place: Workplace, mail: Mail) -> Postmark:
    """What a letter carries besides its own, as things stand now. Raises Stale where nothing has been read yet."""
    position = place.replica.position()
    if position is None:
        raise Stale("nothing has been read from the shared database yet")
    log, head = OPERATOR, position.head
    if mail.tenant_id is not None:
        found = log_head(place.replica.reader, mail.tenant_id)
        log, head = tenant_log(mail.tenant_id), Head(found.seq, found.hash)
    settings = place.launch.settings
    return Postmark(settings.mail.sender, settings.portal.url, log, head, position.epoch)
