"""How much later the first text of a stream comes where the gateway writes choices into it.

    python -m benchmarks.gateway.choices

One gateway, one model server, two keys: one whose level has a mark of choices, and one without. The
same prompts are asked under both in turn, so that whatever else the machine does falls on both. The
answers begin with a connective, as few answers do: that is the longest that a first text is held.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.lab.students import HabitModel

SETTINGS = """
levels: {default: {max_tokens: 900}, marked: {max_tokens: 900}}
backends: [{name: engine, url: "URL"}]
gateway:
  marks: {marked: wording}
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    wording: {profile: radioactive, scheme: choices}
"""
PIECE, PACE = 4, 0.01  # characters and seconds of a token
PLAIN = "Water boils at a hundred degrees, and it takes a while until all of it is gone. " * 4
MODEL = HabitModel(1)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A stream of tokens: at once, or at a model's pace, as the name of the model says."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:"))  # fmt: skip
    asked = json.loads(await reader.readexactly(size))
    kind, _, pace = asked["model"].partition("-")
    text = PLAIN if kind == "plain" else MODEL(asked["messages"][-1]["content"])
    writer.write(HEAD)
    for at in range(0, len(text), PIECE):
        delta = {"index": 0, "delta": {"content": text[at : at + PIECE]}}
        writer.write(b"data: %b\n\n" % json.dumps({"choices": [delta]}).encode())
        if pace:
            await writer.drain()
            await asyncio.sleep(PACE)
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    writer.close()


@contextmanager
def engine() -> Iterator[str]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_answer, "127.0.0.1", 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)


@contextmanager
def gateway(folder: Path, url: str) -> Iterator[str]:
    settings, log, key = folder / "stillwatch.yaml", folder / "log", folder / "mark.key"
    settings.write_text(SETTINGS.replace("URL", url))
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "stillwatch", "serve", "-c", str(settings), "--state",
             str(folder / "state"), "--port", "0"], stderr=said,
        )  # fmt: skip
    while "serving http" not in (text := log.read_text()):
        if process.poll() is not None:
            raise RuntimeError(text)
        time.sleep(0.05)
    try:
        yield text.partition("serving ")[2].split()[0]
    finally:
        process.terminate()
        process.wait(60)


def timed(base: str, key: str, model: str, prompt: str) -> tuple[float, float]:
    """Seconds until the first text, and until the end."""
    turns = [{"role": "user", "content": prompt}]
    body = json.dumps({"model": model, "messages": turns, "stream": True}).encode()
    request = urllib.request.Request(
        base + "/v1/chat/completions", body, {"authorization": f"Bearer {key}"}
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        while b'"content":"' not in (line := answer.readline()):
            if not line:
                raise RuntimeError("no text came")
        first = time.perf_counter() - began
        answer.read()
    return first, time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as name, engine() as url:
        folder = Path(name)
        with gateway(folder, url) as base:
            database = open_database(folder / "state")
            keys = {
                level: KeyStore(database).create(account=level, level=level)[0]
                for level in ("default", "marked")
            }
            database.close()
            time.sleep(3)  # until the gateway knows them
            for model, times in (("plain", 300), ("dense", 300), ("plain-p", 25), ("dense-p", 25)):
                found: dict[str, list[tuple[float, float]]] = {level: [] for level in keys}
                for i in range(times):
                    for level, key in keys.items():
                        found[level].append(timed(base, key, model, f"Tell me about {i}"))
                said = []
                for part in (0, 1):
                    ours, plain = (
                        statistics.median(each[part] for each in found[level]) * 1e3
                        for level in ("marked", "default")
                    )
                    said.append(f"{ours:.1f} ms against {plain:.1f} ms, {ours / plain:.2f}")
                print(f"{model}: first text {said[0]}; all {said[1]}", flush=True)


if __name__ == "__main__":
    main()
