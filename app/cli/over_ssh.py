"""`countersign over-ssh EMAIL`: the forced command of an SSH key or certificate (REQ-703).

Who comes in is known by the server's word: this line of `authorized_keys` (or `ForceCommand`) names them, and whatever
they ask for runs under that name. What they typed behind `ssh host` is taken as words, never seen by a shell.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import Annotated

import typer

from app.launch import FIXED_AS, PREFIX
from app.policy.text import is_email
from app.policy.verdict import require
from storage.errors import Misconfigured

cli = typer.Typer(rich_markup_mode=None, add_completion=False)


@cli.command()
def over_ssh(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whose key it is.")],
) -> None:
    """Run what was asked for over SSH (nothing: the console) as this person, whoever they say they are."""
    require(is_email(email))
    if os.environ.get(FIXED_AS, email).casefold() != email.casefold():
        raise Misconfigured(f"this connection belongs to {os.environ[FIXED_AS]} already")
    words = asked_for(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    environment = {name: value for name, value in os.environ.items() if name not in _SAID_BY_THE_PERSON}
    sys.stdout.flush()  # -P: nothing that lies in the directory one logs in to is taken for our program
    os.execve(sys.executable, [sys.executable, "-P", "-m", "app", *words], environment | {FIXED_AS: email})


_SAID_BY_THE_PERSON = frozenset({PREFIX + "AS", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "SSH_ORIGINAL_COMMAND"})
"""Left out, should a server accept them from clients (`AcceptEnv`)."""


def asked_for(original: str) -> list[str]:
    """What the person typed behind `ssh host`, as arguments. Raises Misconfigured for quotes that do not close."""
    try:
        words = shlex.split(original)
    except ValueError as error:
        raise Misconfigured(f"cannot read what was asked for: {error}") from error
    return words[1:] if words and words[0].rpartition("/")[2] == "countersign" else words
