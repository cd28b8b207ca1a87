"""A gateway that records as fast as there is room, until it is killed.

Usage: record_forever.py STATE FIRST TIMES. TIMES is a file of 64-bit integers (monotonic, ns):
the moment up to which the timers of a flush after each exchange have run; the moments at which the
exchanges FIRST, FIRST + 1, … were recorded.
"""

from __future__ import annotations

import asyncio
import mmap
import sys
import time
from pathlib import Path

from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway.recording import Recorder
from stillwatch.gateway.recording.recorder import FLUSH

PAUSE = 0.005  # seconds


async def main() -> None:
    state, first, times = sys.argv[1:]
    with Path(times).open("r+b") as file:
        moments = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
    recorder = Recorder(Path(state))
    await recorder.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for place in range(len(moments) - 1):
        await recorder.wait_for_room()
        text = "a few words and a number so that there is something to sketch "
        recorder.record(
            RawExchange(
                at=time.time_ns() // 1000,
                account=f"account {place % 7}",
                messages=(Message("user", f"{text}{place}"),),
                prompt_tokens=int(first) + place,
            )
        )
        moments[1 + place] = time.monotonic_ns()
        if place % 20 == 19:
            before = time.monotonic_ns()
            await asyncio.sleep(PAUSE)  # timers run in the order of their times, ours after theirs
            moments[0] = before + round((PAUSE - FLUSH) * 1e9)


asyncio.run(main())
