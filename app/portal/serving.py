"""The portal's process: uvicorn, the copy that follows the shared database, and the upkeep that every process does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import uvicorn

from app.bootstrap import Workplace
from app.portal.application import create_app
from app.portal.door import Door
from app.upkeep import keep_up


async def serve(place: Workplace, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve until told to end (Ctrl+C, SIGTERM). `ready` is told the port once somebody can connect."""
    door = Door.of(place)
    app = create_app(door, place.launch.settings.portal.trusted_proxies)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses hold tokens
        server_header=False,
        proxy_headers=False,  # `create_app` believes the proxies it is told of, and no others
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
    )
    server = _Server(config, ready)
    chores = [
        asyncio.create_task(place.sync.run(lambda _: None), name="sync"),
        asyncio.create_task(keep_up(place), name="upkeep"),
    ]
    try:
        await server.serve()
    finally:
        for chore in chores:
            chore.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*chores, return_exceptions=True)


class _Server(uvicorn.Server):
    """A server that says when it listens, and on which port."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._ready(self.servers[0].sockets[0].getsockname()[1])
