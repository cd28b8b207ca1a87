"""A gateway that records as fast as there is room, until it is killed.

Usage: record_forever.py STATE FIRST TIMES. The moment at which exchange FIRST + i was recorded
(monotonic clock, ns) is put at place i of the file TIMES, of 64-bit integers.
"""

from __future__ import annotations

import asyncio
import mmap
import sys
import time
from pathlib import Path

from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway.recording import open_recording


async def main() -> None:
    state, first, times = sys.argv[1:]
    with Path(times).open("r+b") as file:
        moments = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
    recorder = open_recording(Path(state))
    await recorder.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for place in range(len(moments)):
        await recorder.wait_for_room()
        text = "a few words and a number so that there is something to sketch "
        recorder.record(
            RawExchange(
                at=time.time_ns() // 1000,
                account=f"account {place % 7}",
                messages=(Message("user", f"{text * 5}{place}"),),
                prompt_tokens=int(first) + place,
            )
        )
        moments[place] = time.monotonic_ns()
        if place % 20 == 19:
            await asyncio.sleep(0.002)


asyncio.run(main())
