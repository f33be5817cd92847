"""The workplace of a team that shares a PostgreSQL: opened as oneself, made as its installer.

Loaded only where the address is a server's, so that psycopg costs nobody else anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bootstrap import client_address, furnished, guarded, prepare
from app.database_url import for_login
from app.launch import Launch
from storage.errors import Misconfigured, Offline
from storage.models import Actor, ActorKind, Staff
from storage.shared.postgres.logins import (
    Login,
    NewLogin,
    add_login,
    check_server,
    remove_departed,
    remove_login,
    watchdog,
    who_am_i,
)
from storage.shared.postgres.shared import PostgresShared

if TYPE_CHECKING:
    from app.bootstrap import Workplace
    from app.enrolment import Enrolment
    from storage.replica.engine import Replica
    from storage.shared.vault import OpenVault


@dataclass(frozen=True, slots=True)
class Founded:
    """The first super, what they are shown once, and their own address of the database with its password."""

    staff: Staff
    enrolment: Enrolment
    database: str


async def open_on_server(launch: Launch, replica: Replica | None) -> Workplace:
    """Open the team's database as whoever the address logs in. Out of reach, with a copy to be read: opened anyway,
    and tried again by itself. Raises Misconfigured, Offline or Corrupt with words for the person."""
    prepare(launch)
    login: Login | None = None
    try:
        login = await who_am_i(launch.database)
        shared = await PostgresShared.open(launch.database)
    except Offline:
        if not launch.replica_path.exists():
            raise
        shared = PostgresShared(launch.database)
    return await furnished(launch, shared, _vault(launch), replica, login)


async def create_on_server(launch: Launch, email: str, name: str, role: str | None = None) -> Founded:
    """Make schema, roles and guards in an empty database, and the first super with a log-in of their own. Once more
    finishes what was interrupted, and is refused where there is staff. Raises Refused, Misconfigured, Offline."""
    from app.enrolment import new_enrolment
    from app.policy.text import NAME_MAX, is_clean, is_email
    from app.policy.verdict import require
    from app.services.staff import found

    require(is_email(email) & is_clean("REQ-701", "name", name, NAME_MAX, lines=False))
    assert launch.settings  # a wrong config file is told before anything is made
    prepare(launch)
    await install_on_server(launch)
    place = await open_on_server(launch, None)
    try:
        await place.sync.pull()
        fresh = new_enrolment(email, place.vault)
        founder = Actor(ActorKind.SYSTEM, "init", name, email, ip=client_address())
        await place.desk.run(found, founder, email, name, fresh.sealed_secret, fresh.recovery_hashes)
        staff = place.staff(email)
        own = await add_login(launch.database, staff.id, role)
        launch.remember(email)
        return Founded(staff, fresh, address(launch, own))
    finally:
        await place.close()


async def install_on_server(launch: Launch) -> None:
    """Make or upgrade schema, roles, functions, guards and rights; the guards hold people to this config's limits."""
    from storage.shared.postgres.install import install

    await check_server(launch.database)
    await asyncio.to_thread(install, launch.database, None, guarded(launch.settings))


async def give_login(place: Workplace, staff_id: str, role: str | None) -> str:
    """A log-in for somebody just added; their own address of the database."""
    return address(place.launch, await add_login(place.launch.database, staff_id, role))


async def take_login(place: Workplace, staff_id: str) -> tuple[str | None, int]:
    """The role that was taken away from somebody who left, and how many of its connections were ended."""
    return await remove_login(place.launch.database, staff_id)


def must_be_worker(place: Workplace) -> None:
    """Raises Misconfigured for anybody else's log-in: nobody else may record that a letter was handed on."""
    if place.login is not None and place.login.kind != "worker":
        raise Misconfigured(
            f"{place.login.role} is not the worker's log-in",
            "run the worker as countersign_worker: postgresql://countersign_worker@host/name",
        )


async def watch_over(place: Workplace) -> list[str]:
    """The worker's round over the server: log-ins of those who left, and who keeps everybody waiting. In words."""
    gone = await remove_departed(place.launch.database)
    cut = await watchdog(place.launch.database)
    words = [f"cut off {role}: it held the log's head while others waited" for role in cut]
    return [*words, f"{gone} log-ins of people who left are taken away"] if gone else words


def address(launch: Launch, login: NewLogin) -> str:
    """What the person gives with --database; with the password, shown once."""
    return for_login(launch.database, login.role, login.password)


def _vault(launch: Launch) -> OpenVault:
    """Second factors lie unsealed in a table that nobody may read; the key is for the links in letters."""
    from storage.shared.vault import OpenVault, load_key

    return OpenVault(load_key(launch.paths.key_file))
