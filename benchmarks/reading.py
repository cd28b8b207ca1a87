"""How fast logs are read: rows per second of one core, and peak memory, by format.

    python benchmarks/reading.py [ROWS]

Writes a log of ROWS exchanges (default 200,000; prompt and completion of 60 words each) in every
format to a temporary folder, then reads each in a process of its own. CPU time is counted, not the
clock on the wall, so that other work on the machine changes little; the best of three is printed.
Peak memory is that of the reading process; "start" is what it had before the first row.
"""

from __future__ import annotations

import json
import random
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stillwatch.exchange import RawExchange
from stillwatch.sources import NativeWriter, open_log

_SAMPLES = runpy.run_path(str(Path(__file__).parent.parent / "tests" / "sources" / "samples.py"))
_WORDS = ("the", "of", "sketch", "river", "answer", "seven", "prompt", "because", "Größe", "模型")
_RUNS = 3


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        print(f"{rows:,} rows; rows/s of one core, best of {_RUNS}")
        print(f"{'format':28}{'MB on disk':>11}{'rows/s':>10}{'start MB':>10}{'peak MB':>9}")
        for name, path in _written(Path(folder), rows):
            runs = [_measured(path) for _ in range(_RUNS)]
            assert all(run["rows"] == rows for run in runs), (name, runs)
            seconds, start, peak = (min(run[k] for run in runs) for k in ("s", "start", "peak"))
            size = path.stat().st_size / 1e6
            print(f"{name:28}{size:11,.1f}{rows / seconds:10,.0f}{start:10,.0f}{peak:9,.0f}")
            path.unlink()


def _written(folder: Path, rows: int) -> Iterator[tuple[str, Path]]:
    """Each format's name and file, written just before it is read."""
    for ending in ("jsonl", "jsonl.gz", "parquet"):
        path = folder / f"native.{ending}"
        with NativeWriter(path) as writer:
            for start in range(0, rows, 8192):
                writer.write(_exchange(n) for n in range(start, min(start + 8192, rows)))
        yield f"native .{ending}", path
    shapes: dict[str, Callable[[int], dict[str, Any]]] = {
        "native, content parts": _with_parts,
        "LiteLLM": lambda n: _SAMPLES["litellm_payload"](n, prompt=_text(n)),
        "OpenTelemetry": lambda n: _SAMPLES["otel_export"](
            _SAMPLES["otel_span"](n, _SAMPLES["otel_attributes"](n, prompt=_text(n)))
        ),
    }
    for name, shape in shapes.items():
        path = folder / "log.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(shape(n)) + "\n" for n in range(rows))
        yield f"{name} .jsonl", path
    path = folder / "log.json"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(("[" if n == 0 else ",") + json.dumps(_with_parts(n)) for n in range(rows))
        file.write("]")
    yield "native, one-line array .json", path


def _measured(path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--read", str(path)]
    printed: dict[str, float] = json.loads(subprocess.check_output(command))
    return printed


def _read(path: Path) -> None:
    log = open_log([path])
    start = _peak()
    before = time.process_time()
    rows = sum(len(batch.rows) for batch in log.batches())
    seconds = time.process_time() - before
    print(json.dumps({"rows": rows, "s": seconds, "start": start, "peak": _peak()}))


def _peak() -> float:
    """Peak resident memory in MB since this program began."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _text(number: int, words: int = 60) -> str:
    chance = random.Random(number)
    return " ".join(chance.choices(_WORDS, k=words))


def _exchange(number: int) -> RawExchange:
    return RawExchange(
        at=1_763_700_000_000_000 + number * 1_000_000 // 7,
        account=f"account-{number % 5_000}",
        request_id=f"request-{number}",
        prompt=_text(number),
        completion=_text(-number),
        key=f"key-{number % 6_000}",
        conversation=f"conversation-{number // 3}",
        channel="api",
        ip=f"198.51.{number % 100}.{number % 250}",
        user_agent="OpenAI/Python 2.24.0",
        model="teacher-1",
        endpoint="/v1/chat/completions",
        stream=True,
        temperature=0.7,
        max_tokens=512,
        finish_reason="stop",
        status=200,
        prompt_tokens=80,
        completion_tokens=90,
        latency_ms=912,
    )


def _with_parts(number: int) -> dict[str, Any]:
    return {
        "at": 1_763_700_000 + number / 7,
        "account": number % 5_000,
        "request_id": f"request-{number}",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": _text(number)}]},
        ],
        "completion": _text(-number),
        "model": "teacher-1",
        "temperature": "0.7",
        "tools": [{"type": "function", "function": {"name": "look_up"}}],
    }


if __name__ == "__main__":
    _read(Path(sys.argv[2])) if sys.argv[1:2] == ["--read"] else main()
