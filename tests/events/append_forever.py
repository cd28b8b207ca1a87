"""Appends ten rows at a time, rolls now and then, says what is acknowledged, until it is killed.

Usage: append_forever.py STORE ROWS.arrow FIRST. Rows get the request numbers FIRST, FIRST + 1, …
"""

from __future__ import annotations

import sys

import pyarrow as pa

from stillwatch.events import EventStore


def main() -> None:
    path, rows, first = sys.argv[1:]
    with pa.ipc.open_file(rows) as file:
        batch = file.read_all().to_batches()[0]
    place = batch.schema.get_field_index("request")
    store = EventStore.open(path)
    number = int(first)
    while True:
        requests = pa.array(range(number, number + len(batch)), pa.int64())
        store.append(batch.set_column(place, batch.schema.field(place), requests))
        number += len(batch)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if number % 70 == 0:
            store.roll()


if __name__ == "__main__":
    main()
