"""docs/commands.md names every command in its own words of help, and none that does not exist: the page cannot fall
behind the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.cli.root import command

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def commands(of: Any, context: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every command that does something below `of`: its words on the command line, and the first line of its help."""
    if not hasattr(of, "list_commands"):
        yield " ".join(path), said(of)
        return
    if path and of.invoke_without_command:
        yield " ".join(path), said(of)
    for name in of.list_commands(context):
        found = of.get_command(context, name)
        if not found.hidden:
            yield from commands(found, context, (*path, name))


def said(of: Any) -> str:
    """The first paragraph of a command's help, on one line."""
    return " ".join((of.help or "").split("\n\n")[0].split())


def test_the_page_names_every_command_and_says_what_its_help_says() -> None:
    """REQ-801's headless twins can be found: one row a command, in the order of `countersign --help`."""
    root = command()
    there = list(commands(root, root.make_context("countersign", [], resilient_parsing=True)))
    assert len(there) > 50 and all(words for _, words in there)

    told = re.findall(r"^\| `countersign ([a-z -]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert told == there


def test_the_readme_and_the_page_on_the_ways_in_lead_there() -> None:
    for page in ("README.md", "docs/ways-in.md"):
        assert "commands.md)" in (PAGE.parents[1] / page).read_text("utf-8")
