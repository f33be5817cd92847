"""What of mine runs or waits: asked before the console is left."""

from __future__ import annotations

from screens.context import ConsoleContext
from screens.queue_model import waiting_now
from screens.queued import NOT_IN_FORCE, outbox_now
from storage.replica.queries.mine import running_of


def what_runs(context: ConsoleContext) -> str:
    """In words, or "" when nothing does."""
    if not context.ready or context.staff is None:
        return ""
    mine = running_of(context.reader, context.staff.id, context.now())
    waiting = sum(line.request.engineer_id == context.staff.id for line, _ in waiting_now(context, context.now()))
    parts = []
    if mine.session:
        parts.append(f"Your session {mine.session.id} is running; its time goes on.")
    if waiting:
        parts.append(f"{waiting} request{'s' if waiting > 1 else ''} of yours wait{'' if waiting > 1 else 's'}.")
    queued = sum(one.actor.id == context.staff.id for one in outbox_now(context).waiting)
    if queued:
        parts.append(
            f"{queued} of your decisions {'is' if queued == 1 else 'are'} {NOT_IN_FORCE}: sent once a console or"
        )
        parts[-1] += " `countersign worker` runs here and reaches the shared database."
    return "\n".join(parts)
