"""Messages: whole, sealed, for whom they say, in time; each fault has its own error."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stillwatch.errors import (
    LateMessageError,
    OtherVersionError,
    OutputError,
    OverlapError,
    SealError,
    StillwatchError,
    WrongMessageError,
    WrongRecipientError,
)
from stillwatch.intel.overlap.message import (
    FEWEST,
    Header,
    Message,
    check,
    make_message,
    read_message,
)
from stillwatch.ledger import canonical
from tests.intel.conftest import NOW
from tests.intel.overlap.conftest import CARDS, A, B, cards, member, question

Changes = Callable[[Message], Message]


@pytest.fixture
def request_(tmp_path: Path) -> Message:
    return question(tmp_path, CARDS[:2]).request


def kept(message: Message, folder: Path) -> Message:
    """Written and read again."""
    file = folder / "kept.overlap"
    message.write(file)
    return read_message(file)


def resealed(message: Message, **fields: object) -> Message:
    """The same with other fields, sealed by A."""
    header = msgspec.structs.replace(message.header, **fields)
    return make_message(header, A.key, message.points, message.held)


def test_a_request_says_who_asks_whom_for_what_and_how_much_to_a_power_of_two(
    tmp_path: Path, request_: Message
) -> None:
    found = kept(request_, tmp_path)
    header = found.header
    assert (header.kind, header.sender, header.recipient) == ("request", A.identity, B.identity)
    assert (header.asks, header.points, header.held) == ("which", FEWEST, 0)
    assert (header.fields, header.tlp) == (("device", "payment", "system", "toolset"), "amber")
    assert (header.purpose, header.until) == (
        "preventing model distillation", "2026-11-29T12:00:00Z"
    )  # fmt: skip
    assert found.encoded() == request_.encoded()
    assert check(found, "request", B.identity, [member(A)], NOW).name == "provider-a"


@pytest.mark.parametrize(("number", "points"), [(1, 64), (64, 64), (65, 128), (200, 256)])
def test_a_request_is_filled_up_so_that_its_size_says_little(
    tmp_path: Path, number: int, points: int
) -> None:
    asked = question(tmp_path, cards(number=number))
    assert len(asked.request.points) == points
    real = [place for place, item in enumerate(asked.secret.items) if item is not None]
    assert len(real) == number
    assert number in (1, points) or real != list(range(number))  # nor where the real ones stand


def test_whatever_byte_is_changed_the_message_is_refused(tmp_path: Path, request_: Message) -> None:
    data, file = request_.encoded(), tmp_path / "changed"
    places = random.Random(1).sample(range(len(data)), 200)
    for place in [*range(30), *places]:
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises((OverlapError, SealError)):
            check(read_message(file), "request", B.identity, [member(A)], NOW)


def test_a_message_that_somebody_else_sealed_anew_is_refused(request_: Message) -> None:
    forged = make_message(request_.header, B.key, request_.points)
    with pytest.raises(SealError, match="is pinned for provider-a"):
        check(forged, "request", B.identity, [member(A)], NOW)
    header = msgspec.structs.replace(forged.header, key=A.key.public)
    with pytest.raises(SealError, match="changed after it was signed"):
        check(Message(header, forged.points), "request", B.identity, [member(A)], NOW)


def test_a_stranger_and_a_member_that_was_removed_are_refused(request_: Message) -> None:
    gone = msgspec.structs.replace(member(A), removed_at=1)
    for members in ([], [member(B)], [gone]):
        with pytest.raises(SealError, match="no member here"):
            check(request_, "request", B.identity, members, NOW)


@pytest.mark.parametrize(
    ("fields", "error", "what"),
    [
        ({"recipient": A.identity}, WrongRecipientError, "and we are"),
        ({"kind": "answer"}, WrongMessageError, "this is an answer, and a request is needed"),
        ({"made": "2026-11-24T12:00:01Z"}, LateMessageError, "compare your clocks"),
        ({"made": "2026-11-21T12:00:00Z", "until": "2026-11-22T12:00:00Z"}, LateMessageError,
         "ask anew"),
    ],
)  # fmt: skip
def test_what_is_for_somebody_else_of_the_other_kind_or_out_of_time_is_refused(
    request_: Message, fields: dict[str, object], error: type[StillwatchError], what: str
) -> None:
    with pytest.raises(error, match=what):
        check(resealed(request_, **fields), "request", B.identity, [member(A)], NOW)


def test_a_message_holds_until_its_end_and_not_a_second_longer(request_: Message) -> None:
    members = [member(A)]
    assert check(request_, "request", B.identity, members, NOW + timedelta(days=7, seconds=-1))
    with pytest.raises(LateMessageError):
        check(request_, "request", B.identity, members, NOW + timedelta(days=7))


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"exchange": "x"}, "exchange"),
        ({"fields": ()}, "fields"),
        ({"fields": ("ip",)}, "fields"),
        ({"fields": ("payment", "device")}, "fields"),
        ({"request": "0" * 64}, "request"),
        ({"until": "2026-11-22T12:00:00Z"}, "until"),
        ({"until": "2026-12-24T12:00:00Z"}, "until: more than 31 days"),
        ({"made": "yesterday"}, "no time"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 251}, "purpose: one line of 250"),
        ({"legal_basis": "\x1b[2J"}, "legal_basis: one line"),
    ],
)
def test_a_header_that_contradicts_the_form_is_refused_with_its_field(
    tmp_path: Path, request_: Message, fields: dict[str, object], what: str
) -> None:
    with pytest.raises(OverlapError, match=what):
        kept(resealed(request_, **fields), tmp_path)


def test_points_that_are_too_few_doubled_or_out_of_order_are_refused(
    tmp_path: Path, request_: Message
) -> None:
    points = request_.points
    for number, (asked, held, what) in enumerate([
        (points[:-1], (), "power of two"),
        ((*points[:-1], points[0]), (), "twice"),
        (points, sorted(points, reverse=True), "ascending"),
        (points, [*sorted(points)[1:], max(points)], "ascending"),
    ]):  # fmt: skip
        header = request_.header
        if held:
            header = msgspec.structs.replace(header, kind="answer", request="0" * 64)
        file = tmp_path / str(number)
        make_message(header, A.key, asked, held).write(file)
        with pytest.raises(OverlapError, match=what):
            read_message(file)


def test_a_file_that_is_cut_off_too_long_or_something_else_is_refused(
    tmp_path: Path, request_: Message
) -> None:
    data, file = request_.encoded(), tmp_path / "file"
    for bad, what in (
        (data[:-1], "bytes of points"),
        (data + b"\0", "bytes of points"),
        (data[:40], "cut off"),
        (b"", "this is no"),
        (b"stillwatch.private-set/1\n" + data[21:], "this is no"),
    ):
        file.write_bytes(bad)
        with pytest.raises(OverlapError, match=what):
            read_message(file)
    with pytest.raises(OverlapError, match="cannot be read"):
        read_message(tmp_path / "nowhere")


def test_another_version_is_told_as_such(tmp_path: Path, request_: Message) -> None:
    file = tmp_path / "later"
    file.write_bytes(request_.encoded().replace(b"overlap/1\n", b"overlap/2\n", 1))
    with pytest.raises(OtherVersionError, match="of version 2, and this version"):
        read_message(file)


def test_a_header_in_another_form_than_the_canonical_is_refused(
    tmp_path: Path, request_: Message
) -> None:
    file, data = tmp_path / "spaced", request_.encoded()
    file.write_bytes(data.replace(b'"asks":', b'"asks": ', 1))
    with pytest.raises(OverlapError, match="canonical"):
        read_message(file)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.one_of(
        st.binary(max_size=400),
        st.sampled_from([b"[" * 60_000, b'{"a":' * 9_000, b"1" * 50_000, b'"\\ud800"', b"{}"]),
        st.dictionaries(
            st.sampled_from(Header.__struct_fields__),
            st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=70),
                      st.lists(st.text(max_size=9), max_size=3)),
            min_size=14,
        ).map(lambda told: json.dumps(told).encode()),
    ),
    body=st.binary(max_size=80),
)  # fmt: skip
def test_whatever_a_file_holds_it_is_a_message_or_refused_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, body: bytes
) -> None:
    file = tmp_path_factory.mktemp("any") / "file"
    file.write_bytes(b"stillwatch.overlap/1\n" + data + b"\n" + body)
    with pytest.raises(OverlapError):
        read_message(file)


@settings(max_examples=100, deadline=None)
@given(field=st.sampled_from(Header.__struct_fields__), data=st.data())
def test_a_header_with_one_field_of_another_value_is_refused_or_no_longer_sealed(
    tmp_path_factory: pytest.TempPathFactory, field: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("one")
    message = question(folder, CARDS[:1]).request
    fields = msgspec.to_builtins(message.header)
    other = data.draw(
        st.one_of(st.none(), st.integers(), st.text(max_size=70), st.just([]), st.just({}))
    )
    assume(other != fields[field])
    head = canonical_or_plain({**fields, field: other})
    (folder / "file").write_bytes(
        b"stillwatch.overlap/1\n" + head + b"\n" + b"".join(message.points)
    )
    with pytest.raises((OverlapError, SealError)):
        check(read_message(folder / "file"), "request", B.identity, [member(A)], NOW)


def canonical_or_plain(fields: dict[str, object]) -> bytes:
    try:
        return canonical(fields)
    except ValueError:  # a number that has no canonical form
        return json.dumps(fields).encode()


def test_a_message_is_what_the_page_says_byte_by_byte(request_: Message) -> None:
    first, head, body = request_.encoded().split(b"\n", 2)
    assert first == b"stillwatch.overlap/1"
    header = msgspec.json.decode(head, type=Header)
    assert body == b"".join(request_.points)
    assert header.body == hashlib.sha256(body).hexdigest()
    bare = msgspec.to_builtins(header)
    del bare["signature"]
    assert A.key.sign(b"stillwatch.overlap/1\n" + canonical(bare)) == header.signature


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, request_: Message) -> None:
    (tmp_path / "there").write_text("something")
    with pytest.raises(OutputError):
        request_.write(tmp_path / "there")
    assert (tmp_path / "there").read_text() == "something"
