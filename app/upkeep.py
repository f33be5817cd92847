"""What must happen whoever does it: send what was kept offline, record what time has ended, hand queued letters to the
mail system.

Any process may do each at any moment, two at once included: a Change decided on rows that have moved on is refused
as stale, and a letter's file is there once whoever wrote it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from app.policy.verdict import Refused
from storage.errors import Conflict, CountersignError, Stale
from storage.models import Actor, ActorKind

if TYPE_CHECKING:
    from app.bootstrap import Workplace
    from app.mail.letter import Postmark
    from storage.models import Mail
    from storage.outbox import Kept

OTHERS_DID = (Conflict, Stale, Refused)
"""How it shows that another process recorded the same a moment earlier."""
POSTMAN = Actor(ActorKind.SYSTEM, "mail", "mail", "")
"""Who records that a letter was handed on."""
WORKER = Actor(ActorKind.SYSTEM, "worker", "worker", "")
"""Who writes down what somebody else could not."""


async def send_queued(place: Workplace) -> tuple[Kept, ...]:
    """Send what this home kept while the shared database was out of reach (REQ-802); what was settled here. A server's
    log-in sends its own person's only."""
    if place.launch.on_postgres and place.login is None:  # it was out of reach when this process began
        from storage.shared.postgres.logins import who_am_i

        place.login = await who_am_i(place.launch.database)
    return await place.desk.send_queued(place.login.id if place.login is not None else None)


async def record_due(place: Workplace) -> int:
    """Record every expiry and lapse that is due, and every switch whose entry never came (REQ-110); how many here."""
    recorded = await place.desk.record_due() if place.records_time else 0
    if place.records_shuttings:
        recorded += await place.desk.record_shuttings(WORKER)
    return recorded


async def deliver_queued(place: Workplace) -> int:
    """Hand on what is queued; how many letters were delivered here. Raises OSError where nothing can be written."""
    from app.mail.letter import compose
    from app.mail.links import make_tokens, token_hash
    from app.mail.maildir import Maildir
    from app.services.mail import delivered
    from storage.replica.queries.mail import queued_mail

    letters = queued_mail(place.replica.reader) if place.delivers_mail else ()
    if not letters:
        return 0
    key = place.vault.derived_key("mail links")
    box = Maildir(place.launch.paths.mailbox)
    count = 0
    for mail in letters:
        tokens = make_tokens(key, mail)
        message = compose(mail, tokens, _postmark(place, mail))
        await asyncio.to_thread(box.deliver, mail.id, message)  # a console draws meanwhile: the disk may take long
        links = tuple((kind, token_hash(token)) for kind, token in tokens.items())
        with contextlib.suppress(*OTHERS_DID):  # delivered by another process: the same file, the same links
            await place.desk.run(delivered, POSTMAN, mail.id, links)
            count += 1
    return count


def _postmark(place: Workplace, mail: Mail) -> Postmark:
    from app.mail.letter import Postmark
    from storage.log.entry import OPERATOR, Head, tenant_log
    from storage.replica.queries.tenants import log_head

    position = place.replica.position()
    if position is None:
        raise Stale("nothing has been read from the shared database yet")
    log, head = OPERATOR, position.head
    if mail.tenant_id is not None:
        found = log_head(place.replica.reader, mail.tenant_id)
        log, head = tenant_log(mail.tenant_id), Head(found.seq, found.hash)
    settings = place.launch.settings
    return Postmark(settings.mail.sender, settings.portal.url, log, head, position.epoch)


async def keep_up(place: Workplace, seconds: float = 1.0) -> None:
    """All three, every second, until cancelled: what a console does while it is open, so that no worker is needed. A
    round that fails is logged, and tried again. What was kept takes privilege away: a history in doubt does not hold it
    up."""
    from app.logfile import note

    told = ""
    while True:
        try:
            if place.sync.status.live:
                await send_queued(place)
            if place.sync.status.live and not place.sync.status.forked:
                await record_due(place)
                await deliver_queued(place)
                told = ""
        except (CountersignError, OSError) as error:
            if str(error) != told:  # the same trouble every second is one line
                note(place.launch, "upkeep", error)
            told = str(error)
        await asyncio.sleep(seconds)
