"""Options that several commands share, declared once."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Otp = Annotated[str | None, typer.Option("--otp", metavar="CODE", help="The code of the second factor; else asked.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")]
Note = Annotated[str, typer.Option("--note", help="Words that go to the log with it.")]
