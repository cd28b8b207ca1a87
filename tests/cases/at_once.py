"""Claims every open case as NAME, or approves every proposal, when a line comes in; says those that
it got.

Usage: at_once.py claim|approve STATE NAME
"""

from __future__ import annotations

import sys

from stillwatch.cases import Who, open_cases
from stillwatch.errors import ConflictError


def main() -> None:
    what, state, name = sys.argv[1:]
    with open_cases(state) as cases:
        take = cases.desk.claim if what == "claim" else cases.bench.approve
        ids = [row.id for row in cases.desk.queue()]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for case in ids:
            try:
                take(case, Who(name=name))
            except ConflictError:
                continue
            sys.stdout.write(f"{case}\n")


if __name__ == "__main__":
    main()
