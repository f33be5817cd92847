"""What of mine runs or waits: asked before the console is left."""

from __future__ import annotations

from screens.context import ConsoleContext
from screens.queued import NOT_IN_FORCE, outbox_now
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
    queued = sum(one.actor.id == context.staff.id for one in outbox_now(context).waiting)
    if queued:
        parts.append(
            f"{queued} of your decisions {'is' if queued == 1 else 'are'} {NOT_IN_FORCE}: sent once a console or"
        )
        parts[-1] += " `countersign worker` runs here and reaches the shared database."
    return "\n".join(parts)
