"""`countersign`: the outermost edge. Whatever happens below, a person reads words and a script reads a status."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One run; the exit status of interface.md."""
    from app.cli.root import Invocation, command
    from storage.errors import CountersignError

    invocation = Invocation()
    try:
        _refuse_undecodable(arguments)
        command().main(_database_first(arguments), prog_name="countersign", obj=invocation)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except CountersignError as error:
        from app.cli.failure import tell

        return tell(error, as_json=invocation.as_json)
    except OSError as error:
        from app.cli.failure import tell_environment

        return tell_environment(error)
    except Exception as error:  # noqa: BLE001  # the edge: logged with its traceback, told in words
        from app.cli.failure import tell_crash

        return tell_crash(invocation.launch, error)
    return 0


def _database_first(arguments: list[str]) -> list[str]:
    """`--database URL` and `--home DIR` also stand behind the command, as in `countersign init --database URL`."""
    front: list[str] = []
    rest = list(arguments)
    for flag in ("--database", "--home"):
        for place, word in enumerate(rest):
            if word == "--":
                break
            if word == flag and place + 1 < len(rest):
                front += rest[place : place + 2]
                del rest[place : place + 2]
                break
            if word.startswith(f"{flag}="):
                front.append(rest.pop(place))
                break
    return [*front, *rest]


def _refuse_undecodable(arguments: list[str]) -> None:
    """Raises Misconfigured for an argument that is not UTF-8 text: it could be neither stored nor shown."""
    from storage.errors import Misconfigured

    for position, argument in enumerate(arguments, 1):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise Misconfigured(f"argument {position} is not UTF-8 text")


if __name__ == "__main__":
    main()
