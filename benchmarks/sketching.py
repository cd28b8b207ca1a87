"""How fast the sketches are: prints one table. Timed in CPU seconds of one thread.

    python benchmarks/sketching.py [--prompts FOLDER] [--rounds 15]

Without a folder the prompts are composed from the topic vocabulary, names and numbers. With one,
every string of 45 to 75 words in its JSON lines and CSV files (gzip or not) is a prompt.
"""

from __future__ import annotations

import argparse
import csv
import gc
import gzip
import io
import itertools
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from stillwatch.exchange import RawExchange  # noqa: E402
from stillwatch.sketches import Sketcher, SketchKey  # noqa: E402
from stillwatch.sketches.batch import Engine, pack, prepare_and_pack, split_each, split_words  # noqa: E402
from stillwatch.sketches.characters import character_table, prepare  # noqa: E402
from stillwatch.sketches.phrases import patterns  # noqa: E402
from stillwatch.sketches.topics import load_topics  # noqa: E402
from tests.sketches.reference import Reference  # noqa: E402

SECRET = b"the secret of the benchmark: 32 bytes"
BATCH = 4_096


def composed(count: int) -> list[str]:
    """Prompts of about 60 words: Zipf-distributed vocabulary, names, numbers, some accents."""
    rng = random.Random(0)
    words = [word for word in load_topics().vocabulary if word.isascii()]
    rng.shuffle(words)
    weights = [1 / (rank + 5) for rank in range(len(words))]
    prompts = []
    for _ in range(count):
        text = rng.choices(words, weights, k=rng.randint(48, 72))
        for at in range(4, len(text), 9):
            text[at] = rng.choice(["Ada", "Lovelace", "42", "3.5", "GPT-4", "I", "the", "so,"])
        for at in range(11, len(text), 14):
            text[at] += rng.choice([".", ".", "?", ":", ",\n"])
        if rng.random() < 0.15:
            text[7] = "naïve"
        prompts.append(" ".join(text).capitalize())
    return prompts


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from strings(child)


def found_in(folder: Path) -> list[str]:
    """Strings of 45 to 75 words in the files of a folder."""
    prompts: dict[str, None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.name.removesuffix(".gz")
        if not name.endswith((".jsonl", ".csv")):
            continue
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")
        rows: Iterator[object] = (
            (json.loads(line) for line in text.split("\n") if line.strip())
            if name.endswith(".jsonl")
            else csv.reader(io.StringIO(text))
        )
        for row in rows:
            prompts |= dict.fromkeys(s for s in strings(row) if 45 <= len(s.split()) <= 75)
    return [prompt for prompt in prompts if len(prompt) < 700]


def timed(work: Callable[[], object], rounds: int) -> list[float]:
    """CPU seconds of each of `rounds` runs, after one to warm up."""
    work()
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return taken


def line(name: str, taken: list[float], count: int, python: float | None = None) -> None:
    middle, best = statistics.median(taken) / count, min(taken) / count
    ratio = f"{python / middle:8,.0f} x" if python else ""
    print(f"{name:46s} {middle * 1e6:10,.2f} {best * 1e6:10,.2f} {1 / middle:12,.0f} {ratio}")


def kernel_call(engine: Engine, text: str) -> Callable[[], object]:
    """The bare call on one prompt, everything but the call prepared."""
    buf, offsets = pack(["", prepare(text)])
    cells, shingles = np.empty(16, np.int64), np.empty(64, np.int64)
    offsets_of_lists = [np.zeros(2, np.int32) for _ in range(2)]
    content, numbers = np.empty(1, np.int64), np.empty((5, 1), np.int32)
    share = np.empty(1, np.float32)
    arguments = (
        buf, offsets, character_table(), engine.keys, engine.lexicon, *engine.phrases,
        engine.reached, engine.topics.weights, cells, offsets_of_lists[0], shingles,
        offsets_of_lists[1], content, numbers, share,
    )  # fmt: skip
    kernel = engine.kernels.sketch
    return lambda: kernel(*arguments)


def in_new_process(cache: str) -> float:
    """Seconds from start to a sketcher that is ready, with numba's cache in `cache`."""
    code = (
        "import time; t = time.perf_counter()\n"
        "from stillwatch.sketches import Sketcher, SketchKey\n"
        "Sketcher(SketchKey(b'x' * 32)); print(time.perf_counter() - t)"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    return float(subprocess.check_output([sys.executable, "-c", code], env=environment))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=Path, help="folder of JSON lines and CSV files")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    prompts = found_in(arguments.prompts) if arguments.prompts else composed(BATCH)
    if not prompts:
        print(f"no string of 45 to 75 words in {arguments.prompts}", file=sys.stderr)
        return 2
    distinct = len(prompts)
    prompts = list(itertools.islice(itertools.cycle(prompts), BATCH))
    sketcher = Sketcher(SketchKey(SECRET))
    engine = sketcher._engine
    words = [len(split_words(prompt)) for prompt in prompts]
    ascii_share = sum(map(str.isascii, prompts)) / BATCH
    print(f"{date.today()}  {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")  # fmt: skip
    origin = "from the folder" if arguments.prompts else "composed"
    print(f"{BATCH:,d} prompts a batch ({distinct:,d} distinct, {origin}), mean "
          f"{np.mean(words):.0f} words, {ascii_share:.0%} ASCII; {arguments.rounds} rounds, "
          "one thread, CPU time\n")  # fmt: skip

    texts = [text for prompt in prompts for text in ("", prompt)]
    rows = [
        RawExchange(
            at=n, account=f"a{n % 500}", request_id=f"r{n}", ip=f"192.0.2.{n % 200}", model="m",
            endpoint="/v1/messages", status=200, prompt_tokens=80, completion_tokens=90,
            temperature=1.0, max_tokens=1024, prompt=prompt,
        )
        for n, prompt in enumerate(prompts)
    ]  # fmt: skip
    answered = [
        RawExchange(at=r.at, account=r.account, request_id=r.request_id, ip=r.ip, model=r.model,
                    prompt=r.prompt, completion=prompts[n - 1])
        for n, r in enumerate(rows)
    ]  # fmt: skip
    reference = Reference(SECRET, load_topics(), patterns(split_each))
    few = prompts[:40]
    slow = statistics.median(timed(lambda: [reference.sketch("", p) for p in few], 3)) / len(few)

    print(f"{'':46s} {'median us':>10s} {'best us':>10s} {'a second':>12s}  against Python")
    gc.collect()
    gc.freeze()
    line(
        "all sketch columns, numpy",
        timed(lambda: engine.sketch(prepare_and_pack(texts)), arguments.rounds),
        BATCH,
        slow,
    )
    sketched = timed(lambda: sketcher._sketched(texts), arguments.rounds)
    line("all sketch columns, Arrow", sketched, BATCH, slow)
    whole = timed(lambda: sketcher.sketch(rows), arguments.rounds)
    line("whole rows, identifiers and log columns", whole, BATCH, slow)
    line(
        "whole rows and an answer of 60 words",
        timed(lambda: sketcher.sketch(answered), arguments.rounds),
        BATCH,
        slow,
    )
    line("plain Python (reference of the tests, untuned)", [slow], 1)
    one = timed(repeat(kernel_call(engine, prompts[0]), 2_000), arguments.rounds)
    line(f"one prompt, {words[0]} words", one, 2_000)
    long_prompt = " ".join(prompts[n] for n in range(2_000 // 50))
    length = len(split_words(long_prompt))
    long = timed(repeat(kernel_call(engine, long_prompt), 100), arguments.rounds)
    line(f"one prompt, {length:,d} words", long, 100)
    huge = " ".join(prompts) * (10_000_000 // sum(map(len, prompts)) + 1)
    taken = timed(
        lambda: sketcher.sketch([RawExchange(at=0, account="a", prompt=huge[:10_000_000])]), 3
    )
    line("one prompt, 10 MB, whole row", taken, 1)
    output = sketcher.sketch(rows).nbytes / BATCH
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as cache:
        compiled, loaded = in_new_process(cache), in_new_process(cache)
    print(f"\nArrow output {output:.0f} bytes a row; peak memory {memory:,.0f} MB")
    print(
        f"import and compile {compiled:.1f} s, import and load from the cache {loaded:.1f} s (wall)"
    )
    rate = BATCH / statistics.median(sketched)
    one_us, long_us = (statistics.median(t) / n * 1e6 for t, n in ((one, 2_000), (long, 100)))
    print(f"prompts a second: {rate:,.0f}, target at least 100,000: {met(rate >= 100_000)}")
    print(f"one prompt of {words[0]} words: {one_us:.1f} us, target 15: {met(one_us <= 15)}")
    print(f"one of {length:,d} words: {long_us:.0f} us, target 300: {met(long_us <= 300)}")
    return 0


def met(reached: bool) -> str:
    return "met" if reached else "MISSED"


def repeat(call: Callable[[], object], times: int) -> Callable[[], object]:
    def work() -> None:
        for _ in range(times):
            call()

    return work


if __name__ == "__main__":
    sys.exit(main())
