"""The one place where things are put together: the replica first (fast, standard library only), the rest behind it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.launch import Launch
from storage.clock import SharedClock, SystemClock
from storage.errors import Misconfigured, Offline
from storage.log.entry import OPERATOR
from storage.models import Actor, ActorKind, Staff

if TYPE_CHECKING:  # the databases, the desk and what they stand on are loaded after the first frame
    from datetime import datetime

    from app.enrolment import Enrolment
    from app.mail.postman import Postman
    from app.services.desk import Desk
    from app.settings import Settings
    from storage.replica.engine import Replica
    from storage.shared.guards.case import Limits as GuardLimits
    from storage.shared.interface import SharedDatabase
    from storage.shared.postgres.logins import Login
    from storage.shared.vault import Vault
    from storage.sync import Sync
    from storage.witness import Witness


@dataclass
class Workplace:
    """Everything one process works with. `replica` is this home's copy, `shared` the team's database, `login` who the
    server says we are (None: an SQLite file has no log-ins, or the server is out of reach)."""

    launch: Launch
    shared: SharedDatabase
    replica: Replica
    sync: Sync
    desk: Desk
    clock: SharedClock
    vault: Vault
    witness: Witness
    login: Login | None = None
    postman: Postman | None = None
    digests_at: datetime | None = None
    alarmed: set[str] = field(default_factory=set)

    @property
    def delivers_mail(self) -> bool:
        """On a server that is the worker's task alone; with a file it is everybody's."""
        return not self.launch.on_postgres or (self.login is not None and self.login.kind == "worker")

    @property
    def records_time(self) -> bool:
        """Whether this process may record what time has ended: staff and the worker may."""
        return self.login is None or self.login.kind in ("staff", "worker")

    @property
    def records_shuttings(self) -> bool:
        """Whether this process may write down a switch that somebody else turned on: as with mail."""
        return self.delivers_mail

    def logged_in(self) -> Staff | None:
        """Whose log-in this is, where that is a member of staff whom the copy knows."""
        from storage.replica.queries.staff import all_staff

        if self.login is None or self.login.kind != "staff":
            return None
        return next((one for one in all_staff(self.replica.reader) if one.id == self.login.id), None)

    def actor(self, email: str | None = None) -> Actor:
        """The staff member with that e-mail address, or the one this process was told of. Raises Misconfigured."""
        me = self.logged_in()
        told = self.launch.identity if me is None or self.launch.fixed_identity else None
        email = email or told or self.launch.flags.get("as") or (me.email if me else None)
        if self.login is not None and (me is None or email is None or me.email.casefold() != email.casefold()):
            raise Misconfigured(
                f"the log-in {self.login.role} is {f'that of {me.email}' if me else f'the {self.login.kind} log-in'},"
                f" not {email or 'a member of staff'}",
                "each member of staff has a log-in of their own: give its address with --database",
            )
        if not email:
            raise Misconfigured("I do not know who you are", "say --as EMAIL, or set COUNTERSIGN_AS")
        return staff_actor(self.staff(email))

    def staff(self, email: str) -> Staff:
        """The account with that address, in any case of letters. Raises Misconfigured, naming the nearest."""
        from storage.replica.queries.staff import all_staff

        accounts = {one.email.casefold(): one for one in all_staff(self.replica.reader)}
        found = accounts.get(email.casefold())
        if found is None:
            near = difflib.get_close_matches(email.casefold(), accounts, 1, 0.5)
            hint = f"did you mean {accounts[near[0]].email}?" if near else "`countersign staff list` names all accounts"
            raise Misconfigured(f"there is no staff account {email}", hint)
        return found

    async def close(self) -> None:
        """Release every connection; an unclosed one keeps the process from ending."""
        try:
            if self.postman is not None:
                await self.postman.close()
        finally:
            try:
                await self.sync.close()
            finally:
                await self.shared.close()
                self.replica.close()


def staff_actor(staff: Staff) -> Actor:
    """A staff member as the one who acts, from where this process runs (over SSH: the client's address)."""
    return Actor(ActorKind.STAFF, staff.id, staff.name, staff.email, ip=client_address())


def client_address() -> str:
    """The SSH client's address, or "local" (REQ-401)."""
    import os

    told = os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_CLIENT", "")
    return told.partition(" ")[0] or "local"


def open_replica(launch: Launch) -> Replica:
    """This home's copy, for the first frame. It may be empty, or old; `open_workplace` brings it up to date."""
    from storage.replica.engine import Replica

    prepare(launch)
    return Replica.open(launch.replica_path)


def prepare(launch: Launch) -> None:
    """Make the directories that are written to. Raises Misconfigured where that cannot be."""
    for directory in (launch.paths.replicas, launch.paths.witnesses):
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Misconfigured(
                f"cannot make {directory}: {error.strerror}", "choose another home with --home"
            ) from error


async def open_workplace(launch: Launch, replica: Replica | None = None) -> Workplace:
    """Open the shared database and the rest. `replica` is handed in by the console, which has it open already.
    Raises Misconfigured, Offline or Corrupt with words for the person."""
    settings = launch.settings  # read first: a wrong config file is told before anything is opened
    if launch.on_postgres:
        from app.server import open_on_server

        return await open_on_server(launch, replica)
    from storage.shared.sqlite import SqliteShared

    path = launch.database_path
    vault = open_vault(launch)
    prepare(launch)
    limits = guarded(settings)
    if not path.exists() and launch.replica_path.exists():  # out of reach, not missing: there is a copy to be read
        shared = SqliteShared(path, vault, SystemClock(), limits=limits)
    else:
        shared = await SqliteShared.open(path, vault, SystemClock(), limits=limits)
    return await furnished(launch, shared, vault, replica)


async def create_workplace(launch: Launch, email: str, name: str) -> tuple[Staff, Enrolment]:
    """Make the shared database with its first super, and remember them as who works here. Whole or not at all: the
    file is taken away again if the first entry cannot be written. Raises Refused, Misconfigured."""
    from app.enrolment import new_enrolment
    from app.policy.text import NAME_MAX, is_clean, is_email
    from app.policy.verdict import require
    from app.services.staff import found
    from storage.shared.sqlite import SqliteShared

    require(is_email(email) & is_clean("REQ-701", "name", name, NAME_MAX, lines=False))
    _nothing_is_remembered(launch)
    settings = launch.settings
    vault = open_vault(launch)
    prepare(launch)
    shared = await SqliteShared.create(launch.database_path, vault, SystemClock(), limits=guarded(settings))
    made = False
    try:
        place = await furnished(launch, shared, vault, None)
        try:
            fresh = new_enrolment(email, vault)
            founder = Actor(ActorKind.SYSTEM, "init", name, email, ip=client_address())
            await place.desk.run(found, founder, email, name, fresh.sealed_secret, fresh.recovery_hashes)
            launch.remember(email)
            made = True
            return place.staff(email), fresh
        finally:
            await place.close()
    finally:
        if not made:
            for file in (launch.database_path, launch.replica_path, launch.witness_path):
                file.unlink(missing_ok=True)


def _nothing_is_remembered(launch: Launch) -> None:
    """Raises Misconfigured where a shared database of that name was known here and is gone: a new one under the old
    name would look like a rewritten history."""
    from storage.witness import Witness

    known = Witness(launch.witness_path).head(OPERATOR)
    if known is not None and known.seq and not launch.database_path.exists():
        raise Misconfigured(
            f"there was a shared database at {launch.database_path}; this machine has seen {known.seq:,} entries of it",
            f"bring it back from a backup; to begin anew, move {launch.witness_path} and {launch.replica_path} away",
        )


def open_vault(launch: Launch) -> Vault:
    """The installation's key, made on first use."""
    from storage.shared.vault import Vault, load_key

    return Vault(load_key(launch.paths.key_file))


async def furnished(
    launch: Launch, shared: SharedDatabase, vault: Vault, replica: Replica | None, login: Login | None = None
) -> Workplace:
    """Everything around an open shared database; it is closed again if that fails."""
    from app.policy.limits import Limits
    from app.services.desk import Desk
    from storage.outbox import Outbox
    from storage.sync import Sync
    from storage.witness import Witness

    clock = SharedClock()
    limits = Limits(**launch.settings.limits.model_dump())
    try:
        replica = replica or open_replica(launch)
        witness = Witness(launch.witness_path)
        sync = Sync(shared, replica, witness, clock, evidence_directory=launch.paths.evidence)
        try:
            await sync.measure_clock()
        except Offline:
            if replica.position() is None:  # nothing to be read meanwhile
                raise
        desk = Desk(shared, replica, sync, clock, limits, Outbox(launch.outbox_path))
        return Workplace(launch, shared, replica, sync, desk, clock, vault, witness, login)
    except BaseException:
        await shared.close()
        raise


def guarded(settings: Settings) -> GuardLimits:
    """The operator's amounts as the database's own guards hold people to them."""
    from storage.shared.guards.case import Limits as GuardLimits

    amounts = settings.limits
    return GuardLimits(
        starts_per_hour=amounts.sessions_per_hour,
        tenants_per_day=amounts.tenants_per_day,
        step_up_reuse_seconds=amounts.step_up_reuse_seconds,
        legal_email=settings.operator.legal_email,
    )
