"""Takes one case after the other from its finding to its end, until it is killed.

Usage: decide_forever.py STATE NAME. A line is a case and how far it is: ``opened``, ``claimed``,
``decided`` or ``undone``; it is said when it was acknowledged.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from stillwatch.cases import Draft, Item, Measure, Who, open_cases, read_findings
from stillwatch.ledger import Ledger


def say(case: str, how: str) -> None:
    sys.stdout.write(f"{case} {how}\n")
    sys.stdout.flush()


def main() -> None:
    state, name = sys.argv[1:]
    ana, bo = Who(name="ana"), Who(name="bo")
    draft = Draft(
        verdict="upheld", reason="coordinated-extraction", summary="s", without_terms="none",
        measures=(Measure(kind="suspend", lasting=3600),),
    )  # fmt: skip
    report = Path(state) / f"{name}.jsonl"
    with open_cases(state) as cases, Ledger.open(state) as ledger:
        for number in itertools.count():
            report.write_text(
                f'{{"id":"c-{name}-{number}","accounts":["{name}-{number}-a","{name}-{number}-b"],'
                '"score":9,"first_seen":"2026-09-01","last_seen":"2026-09-20","exchanges":1,"evidence":['
                '{"family":"time","detection":"d","value":1,"text":"t"},'
                '{"family":"content","detection":"e","value":1,"text":"t"}]}'
            )
            [case] = cases.intake.open(read_findings(report), ana).opened
            say(case, "opened")
            cases.desk.claim(case, ana)
            say(case, "claimed")
            cases.desk.add(case, ana, Item(kind="counter", text="looked"))
            cases.bench.propose(case, ana, draft)
            cases.bench.approve(case, bo)
            say(case, "decided")
            cases.deliver(ledger)
            cases.bench.undo(case, bo, "done")
            say(case, "undone")


if __name__ == "__main__":
    main()
