"""Private set intersection beside a hash join: right, how fast, how large, how much memory.

    python -m benchmarks.intel.overlap [--sizes 100 1000 10000 100000]

Two sets of so many identifiers, half of them in both; messages are made, sealed, written, read and
checked as the commands do. Each size runs in a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec

from stillwatch.intel.exporting import Own
from stillwatch.intel.exporting.own import identity_id
from stillwatch.intel.overlap import Gathered, ask, open_answer, read_message
from stillwatch.intel.overlap.asking import new_exchange
from stillwatch.intel.overlap.blinding import answered
from stillwatch.intel.overlap.gathering import Item
from stillwatch.intel.overlap.message import LASTING_DAYS, Message, make_message
from stillwatch.intel.overlap.texts import exchange_key, filled, text_of
from stillwatch.intel.policy import Policy
from stillwatch.intel.policy.policy import Asks
from stillwatch.intel.profile import Tlp
from stillwatch.intel.profile.times import to_the_second
from stillwatch.intel.received import Member
from stillwatch.ledger import SigningKey

SIZES = (100, 1_000, 10_000, 100_000)
T = TypeVar("T")


def main() -> int:
    """Every size, or the one that a process of this one was started for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        print(json.dumps(measured(chosen.one)))
        return 0
    if importlib.util.find_spec("private_set_intersection") is None:
        print("left out: it needs OpenMined's library, pip install 'stillwatch[psi]'")
        return 0
    for size in chosen.sizes:
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.intel.overlap", "--one", str(size)],
            check=False, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if run.returncode:
            return run.returncode
        print(json.dumps(json.loads(run.stdout), indent=1), flush=True)
    return 0


def measured(size: int) -> dict[str, object]:
    """One exchange of each kind; seconds are of CPU."""
    said: dict[str, object] = {"identifiers": size}
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for asks in ("which", "how-many"):
        said[asks] = _exchanged(size, "how-many" if asks == "how-many" else "which")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**said, "memory_mb": round(peak / 1024), "of_it_before_mb": round(begun / 1024)}


def _exchanged(size: int, asks: Asks) -> dict[str, object]:
    exchange, now = new_exchange(), datetime.now(UTC)
    key = exchange_key(exchange)
    values = [hashlib.sha256(b"card %d" % n).hexdigest() for n in range(size + size // 2)]
    digesting, digests = _timed(lambda: key.digests("payment", values, leaving=False))
    texts = [text_of("payment", str(digest)) for digest in digests]
    ours, theirs = texts[:size], texts[size // 2 :]
    joining, common = _timed(lambda: set(ours) & set(theirs))
    a, b = (_own(name, number) for number, name in enumerate("ab", 1))
    policy = Policy(
        name="bench", tlp=Tlp.AMBER, recipients=("a", "b"), purpose="measured",
        legal_basis="measured", fields=frozenset({"payment"}), valid_days=30, retention_days=30,
    )  # fmt: skip
    gathered = Gathered({text: Item("payment", (text,)) for text in ours})
    with TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request", Path(folder) / "answer"
        asking, question = _timed(
            lambda: ask(gathered, exchange, asks=asks, fields=policy.fields, own=a,
                        member=_member(b), policy=policy, days=7, now=now)
        )  # fmt: skip
        question.request.write(request)
        answering, told = _timed(lambda: _answer(read_message(request), theirs, b, now))
        told.write(answer)
        opening, found = _timed(
            lambda: open_answer(read_message(answer), question.secret, own=a.identity,
                                members=[_member(b)], now=now)
        )  # fmt: skip
        sizes = request.stat().st_size, answer.stat().st_size
    held = {text for item in found.items or () for text in item.of}
    return {
        "ask_s": round(asking, 2),
        "answer_s": round(answering, 2),
        "open_s": round(opening, 2),
        "digests_s": round(digesting, 3),
        "hash_join_s": round(joining, 4),
        "times_a_hash_join": round((asking + answering + opening) / joining),
        "request_mb": round(sizes[0] / 1e6, 3),
        "answer_mb": round(sizes[1] / 1e6, 3),
        "in_common": len(common),
        "found": found.size,
        "missed": len(common - held) if found.items is not None else None,
        "false": len(held - common) if found.items is not None else None,
    }


def _answer(request: Message, texts: list[str], own: Own, now: datetime) -> Message:
    """As `answering.give` makes it, of texts instead of cases."""
    asked = request.header
    held, response = answered(request.points, filled(texts), how_many=asked.asks == "how-many")
    header = msgspec.structs.replace(
        asked, kind="answer", sender=own.identity, recipient=asked.sender,
        request=request.digest, made=to_the_second(now),
        until=to_the_second(now + timedelta(days=LASTING_DAYS)),
    )  # fmt: skip
    return make_message(header, own.key, response, held)


def _own(name: str, number: int) -> Own:
    key = SigningKey(bytes([number]) * 32)
    return Own(name, identity_id(key.public), key, None, None)


def _member(own: Own) -> Member:
    return Member(
        identity=own.identity, name=own.name, key=own.key.public, added_at=0, added_by="bench"
    )


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.process_time()
    done = work()
    return max(time.process_time() - begun, 1e-6), done


if __name__ == "__main__":
    sys.exit(main())
