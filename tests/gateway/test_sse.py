"""Cutting server-sent events out of bytes that arrive in any pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stillwatch.gateway.sse import EventSplitter

Event = tuple[str | None, bytes]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

#: What streams are made of, so that line ends, comments and half events meet often.
PIECES = st.sampled_from(
    [b"data: a", b"data:b", b"data", b"data:  c", b"event: e", b"event:", b"id: 1", b": ping", b":",
     b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff", b" ", b"x: y",
     b"data: {}\n\n", b"event: m\ndata: {}\n\n", b"\x00", b"retry: 5"]
)  # fmt: skip
STREAMS = st.lists(PIECES | st.binary(max_size=6), max_size=30).map(b"".join)


def fed(stream: bytes, cuts: list[int] | None = None, largest: int = 10_000) -> list[Event]:
    """The events of a stream that arrives in pieces, cut at these places."""
    splitter = EventSplitter(largest)
    places = [0, *sorted(c for c in cuts or [] if c <= len(stream)), len(stream)]
    return [event for start, end in pairwise(places) for event in splitter.feed(stream[start:end])]


def reference(stream: bytes) -> list[Event]:
    """The standard's algorithm, one byte and one line at a time, on the whole stream."""
    stream = stream.removeprefix(b"\xef\xbb\xbf")
    lines, line, position = [], bytearray(), 0
    while position < len(stream):
        byte = stream[position]
        if byte in (10, 13):
            lines.append(bytes(line))
            line.clear()
            if byte == 13 and stream[position + 1 : position + 2] == b"\n":
                position += 1
        else:
            line.append(byte)
        position += 1
    events: list[Event] = []
    name, data = b"", None
    for each in lines:
        if not each:
            if data is not None:
                events.append((name.decode("utf-8", "replace") or None, data))
            name, data = b"", None
        elif each.startswith(b":"):
            continue
        else:
            field, _, value = each.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"event":
                name = value
            elif field == b"data":
                data = value if data is None else data + b"\n" + value
    return events


@unhurried
@given(STREAMS, st.lists(st.integers(0, 200), max_size=20))
@example(b"data: a\r\r\ndata: b\r\n\r\n", [8, 9])
@example(b"\xef\xbb\xbfdata: a\n\n", [1, 2])
@example(b"data: a\n\n\ndata: b\n\n", [9])
@example(b"data: a\n: c\n\n: d\ndata: b\n\n", [10, 17])
def test_any_cut_of_the_bytes_gives_the_events_of_the_standard(
    stream: bytes, cuts: list[int]
) -> None:
    assert fed(stream, cuts) == reference(stream)


@unhurried
@given(STREAMS)
def test_bytes_that_arrive_one_by_one_give_the_same_events(stream: bytes) -> None:
    assert fed(stream, list(range(len(stream)))) == fed(stream)


@unhurried
@given(STREAMS, st.lists(st.integers(0, 200), max_size=20), st.integers(1, 12))
@example(b": ping\ndata: a\n\n", [7], 8)
@example(b": ping\n", [3], 1)
def test_whether_an_event_is_too_large_does_not_hang_on_the_cuts(
    stream: bytes, cuts: list[int], largest: int
) -> None:
    def outcome(at: list[int]) -> list[Event] | None:
        try:
            return fed(stream, at, largest)
        except ValueError:
            return None

    assert outcome(cuts) == outcome([])


def test_the_usual_event_has_no_name() -> None:
    assert fed(b'data: {"a":1}\n\ndata: [DONE]\n\n') == [(None, b'{"a":1}'), (None, b"[DONE]")]


def test_a_name_goes_with_its_event_only() -> None:
    assert fed(b"event: ping\ndata: {}\n\ndata: x\n\n") == [("ping", b"{}"), (None, b"x")]


def test_data_lines_are_joined_by_newlines() -> None:
    assert fed(b"data: a\ndata:\ndata: b\n\n") == [(None, b"a\n\nb")]


def test_an_event_that_never_ends_is_none() -> None:
    assert fed(b"data: a\n\ndata: b\n") == [(None, b"a")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_an_event_beyond_the_bound_is_an_error(end: bytes) -> None:
    with pytest.raises(ValueError, match="too large"):
        fed(b"data: " + b"x" * 52 + end, largest=56)


def test_an_event_of_just_the_bound_passes() -> None:
    assert fed(b"data: " + b"x" * 50 + b"\n\n", largest=56) == [(None, b"x" * 50)]


def test_comments_are_dropped_and_noticed() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b": ping\n\n") == []
    assert splitter.kept_alive
    assert splitter.feed(b"data: a\n\n") == [(None, b"a")]
    assert not splitter.kept_alive


def test_comments_alone_never_become_too_large_an_event() -> None:
    splitter = EventSplitter(largest=20)
    for _ in range(100):
        assert splitter.feed(b": ping\n") == []
        assert splitter.kept_alive
    assert splitter.feed(b"data: a\n\n") == [(None, b"a")]


def test_a_comment_within_a_chunk_of_events_is_noticed() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: a\n\n: ping\n\ndata: b\n\n") == [(None, b"a"), (None, b"b")]
    assert splitter.kept_alive
