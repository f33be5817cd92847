"""What must happen whoever does it: send what was kept offline, record what time has ended, hand queued letters to the
mail system.

Any process may do each at any moment, two at once included: a Change decided on rows that have moved on is refused
as stale, a letter's file is there once whoever wrote it, and of those who could speak to a mail server one does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from storage.errors import CountersignError
from storage.models import Actor, ActorKind

if TYPE_CHECKING:
    from app.bootstrap import Workplace
    from app.mail.postman import Round
    from storage.outbox import Kept
    from storage.shared.postgres.logins import Login

DIGESTS_EVERY = timedelta(minutes=1)
WORKER = Actor(ActorKind.SYSTEM, "worker", "worker", "")
"""Who writes down what somebody else could not."""


async def send_queued(place: Workplace) -> tuple[Kept, ...]:
    """Send what this home kept while the shared database was out of reach (REQ-802); what was settled here. A server's
    log-in sends its own person's only, the portal's what tenant admins decided."""
    if place.launch.on_postgres and place.login is None:  # it was out of reach when this process began
        from storage.shared.postgres.logins import who_am_i

        place.login = await who_am_i(place.launch.database)
    return await place.desk.send_queued(_sends(place.login) if place.login is not None else None)


def _sends(login: Login) -> Callable[[Actor], bool]:
    """Whose decisions this log-in may send: the database would take no other's from it (P1)."""
    if login.kind == "portal":
        return lambda actor: actor.kind is ActorKind.TENANT_ADMIN
    return lambda actor: actor.kind is ActorKind.STAFF and actor.id == login.id


async def record_due(place: Workplace) -> int:
    """Record every expiry and lapse that is due, and every switch whose entry never came (REQ-110); how many here."""
    recorded = await place.desk.record_due() if place.records_time else 0
    if place.records_shuttings:
        recorded += await place.desk.record_shuttings(WORKER)
    return recorded


async def write_digests(place: Workplace) -> int:
    """Write every weekly digest that is due (REQ-211); how many here. Looked for once a minute at most."""
    from app.policy.verdict import Refused
    from app.services import digests
    from app.services.mail import POSTMAN
    from storage.errors import Conflict, GuardRefused, Stale

    now = place.desk.now()
    if not place.delivers_mail or (place.digests_at is not None and now - place.digests_at < DIGESTS_EVERY):
        return 0
    place.digests_at = now
    written = 0
    for tenant_id, week in digests.due(place.replica.reader, now):
        with contextlib.suppress(Refused, Conflict, Stale, GuardRefused):  # another process has written it meanwhile
            await place.desk.run(digests.write_digest, POSTMAN, tenant_id, week)
            written += 1
    return written


async def raise_alarm(place: Workplace) -> None:
    """Tell supers by mail of tampering that was found here (REQ-503)."""
    faults = place.sync.status.faults
    if faults:
        from app.mail.alarm import tell_of_tampering
        from app.policy.verdict import Refused

        with contextlib.suppress(Refused):  # they were told by another console
            await tell_of_tampering(place, faults)


async def deliver_queued(place: Workplace) -> int:
    """Hand on what is queued and due; how many letters were delivered here. Raises OSError where no Maildir can be
    written. What a mail server does not take is no error: it is on record, and tried again (`app.mail.postman`)."""
    done = await postal_round(place)
    return done.delivered if done is not None else 0


async def postal_round(place: Workplace) -> Round | None:
    """One round of this process's postman; None where no letter waits, or others deliver."""
    from storage.replica.queries.mail import queued_count

    if not place.delivers_mail or not queued_count(place.replica.reader):
        return None
    if place.postman is None:
        from app.mail.post_office import postman_of

        place.postman = postman_of(place)
    return await place.postman.round()


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
            await raise_alarm(place)
            if place.sync.status.live and not place.sync.status.forked:
                await record_due(place)
                await write_digests(place)
                await deliver_queued(place)
                told = ""
        except (CountersignError, OSError) as error:
            if str(error) != told:  # the same trouble every second is one line
                note(place.launch, "upkeep", error)
            told = str(error)
        await asyncio.sleep(seconds)
