"""Appends to a ledger until it is killed, or so many times; prints each number once it is on disk.

Usage: append_forever.py STATE BATCH [TIMES]. A batch is one append; its numbers are one line each.
Every fifth append is followed by a signed head.
"""

from __future__ import annotations

import itertools
import sys

from stillwatch.ledger import Entry, Ledger


def main() -> None:
    state, batch, *times = sys.argv[1:]
    with Ledger.open(state, create=True) as ledger:
        for turn in range(int(times[0])) if times else itertools.count():
            entries = [
                Entry("verdict", "2026-11-22T10:00:00Z", "ana", {"turn": turn, "of": number})
                for number in range(int(batch))
            ]
            numbers = ledger.append(entries)
            sys.stdout.write("".join(f"{number}\n" for number in numbers))
            sys.stdout.flush()
            if turn % 5 == 4:
                ledger.head()


main()
