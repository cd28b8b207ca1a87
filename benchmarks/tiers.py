#!/usr/bin/env python3
"""How much a campaign's prompts have in common, family by family: the tiers as measured.

    python benchmarks/tiers.py [--accounts 75]

Each campaign has that many accounts with twelve prompts each; docs/simulator.md holds the table.
"""

from __future__ import annotations

import argparse

from stillwatch.lab.corpus import load
from stillwatch.lab.traffic.planted import planted, written
from stillwatch.lab.traffic.tiers import measure
from stillwatch.sketches import Sketcher, SketchKey


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=75)
    accounts = parser.parse_args().accounts
    corpus, sketcher = load(), Sketcher(SketchKey(b"tiers are measured under any key"))
    print(f"{'family':<22} {'tier':<5} {'language':<9} {'recurrence':>10} {'public':>7}")
    for family, tier, language in written():
        found = measure(*planted(corpus, family, tier, language, accounts=accounts), sketcher)
        print(
            f"{family:<22} {tier:<5} {language:<9} {found.recurrence:>10.2f} "
            f"{found.publicity:>7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
