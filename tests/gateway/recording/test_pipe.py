"""What goes into the pipe comes out of it: every exchange, in order, whatever it holds."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway.recording.outbox import Outbox
from stillwatch.gateway.recording.pipe import (
    ROWS,
    SIZE,
    Kept,
    NoteReader,
    Stuck,
    frames,
    read_frames,
    tell,
)

Keep = Callable[..., Any]
decode = msgspec.msgpack.Decoder(list[RawExchange]).decode
texts = st.text()
exchanges = st.builds(
    RawExchange,
    at=st.integers(0, 2**60),
    account=texts,
    messages=st.none() | st.lists(st.builds(Message, texts, texts), max_size=3).map(tuple),
    tools=st.none() | st.lists(texts, max_size=3).map(tuple),
    completion=st.none() | texts,
    stream=st.none() | st.booleans(),
    temperature=st.none() | st.floats(0, 2),
)


def through(sent: list[RawExchange]) -> list[RawExchange]:
    pipe = io.BytesIO(b"".join(bytes(frame.data) for frame in frames(sent, 1, 0)))
    return [row for frame in read_frames(pipe) for row in decode(frame.exchanges())]


@given(st.lists(exchanges))
def test_exchanges_come_out_as_they_went_in(sent: list[RawExchange]) -> None:
    assert through(sent) == sent


def test_frames_are_numbered_on_and_hold_a_bounded_number_of_exchanges(exchange: Keep) -> None:
    made = list(frames([exchange(n) for n in range(2 * ROWS + 5)], 7, 42))
    assert [(f.sequence, f.rows, f.recorded) for f in made] == [
        (7, ROWS, 42), (8, ROWS, 42), (9, 5, 42)
    ]  # fmt: skip


def test_long_texts_make_frames_of_few_exchanges(exchange: Keep) -> None:
    sent = [exchange(n, "x" * (SIZE // 3)) for n in range(8)]
    made = list(frames(sent, 1, 0))
    assert [frame.rows for frame in made] == [3, 3, 2]
    assert through(sent) == sent


def test_what_msgpack_cannot_hold_costs_its_exchange_one_letter_and_no_other_anything(
    exchange: Keep,
) -> None:
    odd = exchange(1, "half a \ud83d pair")
    odd.max_tokens, odd.tools = 10**30, ("fine", "b\ud800d")
    before, after = exchange(0), exchange(2)
    came = through([before, odd, after])
    assert (came[0], came[2]) == (before, after)
    assert came[1].messages == (Message("user", "half a ? pair 1"),)
    assert (came[1].max_tokens, came[1].tools) == (2**63 - 1, ("fine", "b?d"))
    assert came[1].stream is None


def test_a_frame_that_was_cut_off_is_left_out(exchange: Keep) -> None:
    first, second = (next(frames([exchange(n)], n, 0)).data for n in (1, 2))
    for cut in (3, len(second) // 2, len(second) - 1):
        came = list(read_frames(io.BytesIO(bytes(first + second[:cut]))))
        assert [frame.sequence for frame in came] == [1]


def test_notes_arrive_whole_however_the_pipe_cuts_them() -> None:
    theirs, ours = os.pipe()
    tell(ours, Kept(3, 99))
    tell(ours, Stuck("the disk is full: " + "\u00e4" * 5000))
    data = os.read(theirs, 1 << 16)
    os.close(theirs)
    tell(ours, Kept(4, 99))  # nobody listens
    os.close(ours)
    reader = NoteReader()
    notes = [note for byte in data for note in reader.read(bytes([byte]))]
    assert notes[0] == Kept(3, 99)
    assert isinstance(notes[1], Stuck)
    assert notes[1].why.startswith("the disk is full: ")
    assert len(data) < 4096  # PIPE_BUF: else two threads could mix theirs


def test_an_outbox_sends_again_what_was_not_acknowledged_in_order(exchange: Keep) -> None:
    outbox = Outbox()
    sent = [frame for n in range(1, 6) for frame in frames([exchange(n)] * n, n, 0)]
    for frame in sent[:4]:
        outbox.put(frame)
    theirs, ours = os.pipe()
    assert outbox.write(ours)
    assert [frame.sequence for frame in outbox.acknowledged(2)] == [1, 2]
    assert outbox.rows == 3 + 4
    assert outbox.size == len(sent[2].data) + len(sent[3].data)
    os.close(theirs)
    outbox.put(sent[4])
    assert outbox.write(ours)  # into a pipe that nobody reads
    os.close(ours)

    outbox.again()
    theirs, ours = os.pipe()
    assert outbox.write(ours)
    os.close(ours)
    with os.fdopen(theirs, "rb") as pipe:
        assert [frame.sequence for frame in read_frames(pipe)] == [3, 4, 5]
    assert len(outbox.acknowledged(5)) == 3
    assert (outbox.rows, outbox.size) == (0, 0)


def test_a_frame_larger_than_the_pipe_goes_on_where_it_stopped(exchange: Keep) -> None:
    outbox = Outbox()
    (frame,) = frames([exchange(1, "x" * 500_000)], 1, 0)
    outbox.put(frame)
    theirs, ours = os.pipe()
    os.set_blocking(ours, False)
    came = bytearray()
    while not outbox.write(ours):
        assert outbox.acknowledged(1) == []
        came += os.read(theirs, 1 << 20)
    os.close(ours)
    with os.fdopen(theirs, "rb") as pipe:
        came += pipe.read()
    assert came == frame.data
