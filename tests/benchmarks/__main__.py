"""`make bench`: run every bench_*.py beside this file (each has `run() -> list[Figure]`), renew docs/benchmarks.md.

Name some to run only those and print them: `python -m tests.benchmarks console sync`; `--write` renews their sections.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from tests.benchmarks.page import PAGE, renew, section, title


def main(words: list[str]) -> int:
    names = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="measure")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; none: all of them")
    parser.add_argument("--write", action="store_true", help=f"renew the sections of {PAGE.name}; so do all of them")
    wanted = parser.parse_args(words)
    if unknown := set(wanted.names) - set(names):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in wanted.names or names:
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        print(f"== {title(module)}", flush=True)
        load = os.getloadavg()[0]
        figures = module.run()
        for figure in figures:
            print(figure.row(), flush=True)
        if wanted.write or not wanted.names:  # one by one: what was measured stays, whatever becomes of the next
            renew(section(module, figures, load))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
