"""What of mine runs or waits: asked before the console is left."""

from __future__ import annotations

from screens.context import ConsoleContext
from storage.replica.queries.mine import mine_open


def what_runs(context: ConsoleContext) -> str:
    """In words, or "" when nothing does."""
    if not context.ready or context.staff is None:
        return ""
    mine = mine_open(context.reader, context.staff.id, context.now())
    parts = []
    if mine.session:
        parts.append(f"Your session {mine.session.id} is running; its time goes on.")
    if mine.waiting:
        parts.append(
            f"{mine.waiting} request{'s' if mine.waiting > 1 else ''} of yours wait{'' if mine.waiting > 1 else 's'}."
        )
    return "\n".join(parts)
