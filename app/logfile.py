"""The log file: faults and what led to them, a JSON line each. Never on the screen, never what was viewed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from app.launch import Launch

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def open_log(path: Path, level: str = "info") -> FilteringBoundLogger:
    """A logger that appends to `path`. Raises OSError where it cannot be written."""
    import structlog  # 130 ms: only when there is something to write

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stream = path.open("a", encoding="utf-8", errors="backslashreplace")
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )
    return logger


def write_crash(launch: Launch | None, error: BaseException, arguments: Sequence[str]) -> Path | None:
    """Record an error nobody expected; the file's path, or None where nothing can be written. Arguments that hold
    codes are left out."""
    from app.launch import Launch as Start

    path = (launch or Start.of()).paths.log_file
    names = [word for word in arguments[1:3] if not word.startswith("-")]
    try:
        open_log(path).error("crash", command=names, exc_info=error)
    except OSError:
        return None
    return path


def note(launch: Launch, what: str, error: BaseException) -> None:
    """Record a fault that did not stop the work. Where nothing can be written, nothing is."""
    try:
        open_log(launch.paths.log_file, launch.settings.log.level).warning(
            what, error=f"{type(error).__name__}: {error}"
        )
    except OSError:
        return
