"""A Private Search Set of a million digests at one false yes in a million: size, time, errors.

python -m benchmarks.intel.private_sets
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stillwatch.intel.private_sets import build_set, find_leaker, read_set
from stillwatch.intel.profile import Tlp, new_id
from stillwatch.ledger import SigningKey

ENTRIES = 1_000_000
ASKED = 3_000_000
RECIPIENTS = [f"provider-{letter}" for letter in "abcdefgh"]


def main() -> None:
    """Build one, ask it for what is in it and for what is not, and find its recipient."""
    digests = [("payment", hashlib.md5(b"in %d" % n).hexdigest()) for n in range(ENTRIES)]
    strangers = [hashlib.md5(b"out %d" % n).hexdigest() for n in range(ASKED)]
    now = datetime.now(UTC)
    begun = time.perf_counter()
    made = build_set(
        digests, scheme="stillwatch.digest/1:bench:1:0000000000000000", maker=new_id("identity"),
        key=SigningKey(b"k" * 32), watermark=b"w" * 32, recipient="provider-c", tlp=Tlp.AMBER,
        purpose="measured", made=now, valid_until=now + timedelta(days=30),
    )  # fmt: skip
    built = time.perf_counter() - begun
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.bin"
        path.write_bytes(made.encoded())
        size = path.stat().st_size
        begun = time.perf_counter()
        found = read_set(path)
        read = time.perf_counter() - begun
    begun = time.perf_counter()
    held = found.holds("payment", [digest for _, digest in digests])
    asked = time.perf_counter() - begun
    begun = time.perf_counter()
    false = int(found.holds("payment", strangers).sum())
    strangers_asked = time.perf_counter() - begun
    first = find_leaker(found, b"w" * 32, RECIPIENTS)[0]
    print(
        json.dumps(
            {
                "entries": ENTRIES,
                "bytes": size,
                "bits_an_entry": round(8 * size / ENTRIES, 2),
                "build_s": round(built, 2),
                "read_s": round(read, 3),
                "asked_members_a_second": round(ENTRIES / asked),
                "asked_strangers_a_second": round(ASKED / strangers_asked),
                "missed": int(np.sum(~held)),
                "false_yes": false,
                "of_strangers": ASKED,
                "leaker": first.recipient,
                "log10_p": round(first.log10_p, 1),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
