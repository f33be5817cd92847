"""Reading a tenant's whole log out of the shared database: to verify it, and to hand it out as a pack (REQ-404)."""

from __future__ import annotations

import asyncio
import re
import tempfile
from datetime import datetime
from pathlib import Path

from fastapi import Response

from app.portal.door import Door
from app.reports.export import Form, read_stretch, write
from app.services import tenant_log as services
from storage.log.source import Report
from storage.log.verify import verify_all
from storage.models import Actor, time_text


async def verified(door: Door, tenant_id: str) -> Report:
    """Every entry of the tenant's log, as stored: its hash, its link, its number, the recorded head, and the heads that
    this portal has seen. Raises Offline, Corrupt."""
    log = f"tenant:{tenant_id}"
    return await verify_all(door.place.shared, (), seen=door.place.witness, logs=[log])


async def packed(door: Door, actor: Actor, tenant_id: str, since: datetime | None, until: datetime | None) -> Response:
    """The log, or a stretch of it, as a pack; on record before it leaves. Raises what the desk raises."""
    log = f"tenant:{tenant_id}"
    stretch = await read_stretch(door.place.shared, log, since, until)
    await door.run(services.exported, actor, tenant_id, stretch.first, stretch.last, Form.PACK.value)
    made = {"exported_at": time_text(door.now()), "exported_by": actor.email or actor.name}

    def written() -> bytes:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "log.zip"
            write(path, Form.PACK, stretch, made)
            return path.read_bytes()

    data = await asyncio.to_thread(written)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"access-log-{tenant_id}-{stretch.first}-{stretch.last}.zip")
    return Response(
        data, media_type="application/zip", headers={"content-disposition": f'attachment; filename="{name}"'}
    )
