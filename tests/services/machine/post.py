"""The mail of the state machine's company: the real postman, and a mail server that is down for hours, puts off, and
refuses. The server is the model's witness: what it took, when, is what the tenant was told."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from email.message import EmailMessage

from app.mail.carrying import Attempt, Outcome
from app.mail.links import make_tokens, token_hash
from app.mail.postman import Postman
from app.mail.rendering import Postmark
from storage.log.entry import OPERATOR, Head, tenant_log
from storage.models import LinkKind, Mail, MailState
from storage.replica.queries.mail import queued_mail
from storage.replica.queries.tenants import log_head
from tests.clock import ManualClock
from tests.services.world import World

KEY = b"k" * 32
GIVEN_UP = timedelta(hours=24)


class PostOffice:
    """Implements app.mail.carrying.Carrier. `puts_off` and `refuses` are addresses; `accepted` is by letter."""

    is_shared = True

    def __init__(self, world: World, clock: ManualClock) -> None:
        self._world, self._clock = world, clock
        self.up = True
        self.puts_off: set[str] = set()
        self.refuses: set[str] = set()
        self.ever_refused: set[str] = set()
        self.accepted: dict[str, datetime] = {}
        self.postman = Postman(
            world.desk,
            world.shared,
            self,
            KEY,
            lambda: queued_mail(world.replica.reader),
            self._mark,
            random.Random(7),
            "one",
        )

    async def hand_on(self, mail_id: str, to: str, message: EmailMessage) -> Attempt:
        """One attempt; the promises of delivery are checked here, where letters arrive."""
        if not self.up:
            return Attempt.of(Outcome.UNREACHABLE, "nobody listens there")
        if to in self.refuses:
            return Attempt.of(Outcome.REFUSED, "550 no such mailbox")
        if to in self.puts_off:
            return Attempt.of(Outcome.DEFERRED, "451 come back later")
        assert mail_id not in self.accepted, "a letter was sent twice"
        letter = self._world.row(Mail, mail_id)
        earlier = self._world.desk.view().find(Mail, to_email=letter.to_email, state=MailState.QUEUED.value)
        assert all(one.created_at >= letter.created_at for one in earlier), "out of order"
        self.accepted[mail_id] = self._clock.now()
        return Attempt.of(Outcome.ACCEPTED, "250 queued")

    async def rest(self) -> None:
        return None

    async def round(self) -> list[Mail]:
        """A round of the worker; the letters that were taken in it."""
        before = self.accepted.keys() | set()
        await self.postman.round()
        await self._world.sync.pull()
        return [self._world.row(Mail, one) for one in self.accepted if one not in before]

    def link(self, request_id: str, admin: str, *kinds: LinkKind) -> str | None:
        """The newest link of these kinds about this request that the admin's mail server took, as it is stored."""
        for letter in reversed(self._world.letters(request_id=request_id)):
            for kind in kinds:
                if letter.to_id == admin and kind in letter.links and letter.id in self.accepted:
                    return token_hash(make_tokens(KEY, letter)[kind])
        return None

    def none_is_lost(self) -> None:
        """Issue 4, section 2: a letter waits, or was taken once, or has failed for a reason that can be seen."""
        for letter in self._world.desk.view().find(Mail):
            taken = self.accepted.get(letter.id)
            assert (letter.state is MailState.DELIVERED) is (taken is not None), letter
            if letter.state is MailState.FAILED:
                assert letter.failed_at is not None
                old = letter.failed_at - letter.created_at >= GIVEN_UP
                assert old or letter.to_email in self.ever_refused, f"given up too early: {letter}"
            elif letter.state is MailState.DELIVERED:
                assert letter.delivered_at == taken

    def _mark(self, letter: Mail) -> Postmark:
        position = self._world.replica.position()
        assert position is not None
        log, head = OPERATOR, position.head
        if letter.tenant_id is not None:
            found = log_head(self._world.replica.reader, letter.tenant_id)
            log, head = tenant_log(letter.tenant_id), Head(found.seq, found.hash)
        return Postmark("access@ops.example", "https://portal.example", log, head, position.epoch)
