"""An alarm about the shared database itself does not travel through it: whoever can hand on letters sends it straight
to the supers it knows of (REQ-503). What was told is remembered beside the evidence, so that it is told once."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.mail.carrying import Outcome
from app.mail.letter import compose
from app.mail.post_office import postman_of, postmark
from app.services import alerts

if TYPE_CHECKING:
    from app.bootstrap import Workplace


async def tell_of_tampering(place: Workplace, faults: Sequence[alerts.Found]) -> int:
    """How many supers were told here. Raises what the carrier of a Maildir raises."""
    first = faults[0]
    digest = hashlib.sha256(f"{first.log} {first.seq} {first.what}".encode()).hexdigest()
    if digest in place.alarmed:
        return 0
    marker = place.launch.paths.evidence / f"told-{digest[:16]}"
    told = 0
    if not place.delivers_mail:
        await place.desk.run(alerts.raise_tampering, place.actor(), faults, socket.gethostname())
    elif not marker.exists():
        carrier = (place.postman or postman_of(place)).carrier
        try:
            for mail in alerts.tampering_letters(place.desk.view(), faults, socket.gethostname(), place.desk.now()):
                attempt = await carrier.hand_on(mail.id, mail.to_email, compose(mail, {}, postmark(place, mail)))
                told += attempt.outcome is Outcome.ACCEPTED
        finally:
            await carrier.rest()
        if not told:
            return 0  # tried again the next round
        marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        marker.touch(mode=0o600)
    place.alarmed.add(digest)
    return told
