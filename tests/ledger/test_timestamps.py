"""Time stamps on heads: from an authority of our own (`openssl ts`), and from what is none."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from stillwatch.errors import InputError, TamperedError, TimestampError
from stillwatch.ledger import Head, Ledger
from stillwatch.ledger.timestamps import LARGEST_ANSWER, read_roots, stamp, stamped_at
from tests.cli.in_process import run
from tests.ledger.authority import Authority, answering, serving
from tests.ledger.conftest import verdict


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.mark.service
def test_a_head_is_stamped_and_the_stamp_is_held_against_the_authority(
    ledger: Ledger, authority: Authority
) -> None:
    head = ledger.head()
    with serving(authority) as address:
        stamped = stamp(head, address)
    at = stamped_at(stamped, read_roots(authority.root))
    assert abs(at - datetime.now(UTC)) < timedelta(seconds=5)
    assert Head.parse(stamped.encoded()) == stamped
    stamped.check(ledger.public_key)
    ledger.keep_stamped(stamped)
    assert ledger.heads() == [stamped]
    assert ledger.check([head, stamped]).heads == 3


@pytest.mark.service
def test_a_stamp_that_was_moved_to_another_head_or_is_of_another_authority_does_not_hold(
    ledger: Ledger, authority: Authority, tmp_path: Path
) -> None:
    with serving(authority) as address:
        stamped = stamp(ledger.head(), address)
    roots = read_roots(authority.root)
    ledger.append([verdict()])
    moved = msgspec.structs.replace(ledger.head(), timestamp=stamped.timestamp)
    stranger = read_roots(Authority(tmp_path / "two", "Another").root)
    assert stamped.timestamp is not None
    token = bytes.fromhex(stamped.timestamp)
    broken = msgspec.structs.replace(
        stamped,
        timestamp=(token[:-1] + bytes([token[-1] ^ 1])).hex(),  # in its signature
    )
    for head, held in ((moved, roots), (stamped, stranger), (broken, roots)):
        with pytest.raises(TamperedError, match="the time stamp of the head does not hold"):
            stamped_at(head, held)


@pytest.mark.service
def test_an_answer_to_another_request_is_no_stamp(ledger: Ledger, authority: Authority) -> None:
    asked: list[bytes] = []

    def again(request: bytes) -> bytes:
        asked.append(request)
        return authority.answer(asked[0])

    with answering(again) as address:
        stamp(ledger.head(), address)
        with pytest.raises(TimestampError, match="the answer is to another request"):
            stamp(ledger.head(), address)


@pytest.mark.service
def test_the_command_stamps_a_head_and_verifies_it(tmp_path: Path, authority: Authority) -> None:
    state, out, public = tmp_path / "state", tmp_path / "head.json", tmp_path / "state/ledger.pub"
    with Ledger.open(state, create=True) as ledger:
        ledger.append([verdict()])
    with serving(authority) as address:
        ended = run("ledger", "head", "--state", state, "--out", out, "--timestamp", address)
    assert ended.returncode == 0, ended.stderr
    held = ("--head", out, "--key", public, "--authority", authority.root)
    for words in (held, ("--state", state, *held)):
        ended = run("ledger", "verify", *words)
        assert ended.returncode == 0, ended.stderr
        assert "the head of 1 entries was time-stamped at 20" in ended.stdout
    (tmp_path / "two").mkdir()
    stranger = Authority(tmp_path / "two" / "two").root
    ended = run("ledger", "verify", "--head", out, "--key", public, "--authority", stranger)
    assert ended.returncode == 4


def nothing(request: bytes) -> bytes:
    return b""


def too_much(request: bytes) -> bytes:
    return b"0" * (LARGEST_ANSWER + 50_000)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (nothing, 200, "gave no time stamp"),
        (too_much, 200, "gave no time stamp"),
        (nothing, 503, "gave no time stamp: status 503"),
    ],
)
def test_what_is_no_authority_gives_no_stamp(
    ledger: Ledger, answer: Callable[[bytes], bytes], status: int, said: str
) -> None:
    head = ledger.head()
    with answering(answer, status) as address, pytest.raises(TimestampError, match=said):
        stamp(head, address)


def test_an_authority_that_is_away_is_named_and_the_head_is_there_all_the_same(
    tmp_path: Path,
) -> None:
    state, out = tmp_path / "state", tmp_path / "head.json"
    with Ledger.open(state, create=True) as ledger:
        ledger.append([verdict()])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    ended = run("ledger", "head", "--state", state, "--out", out, "--timestamp", address)
    assert ended.returncode == 1
    assert f"{address} gave no time stamp: " in ended.stderr
    assert "[SW401]" in ended.stderr
    with Ledger.open(state) as ledger:
        assert ledger.heads() == [Head.parse(out.read_bytes())]


@pytest.mark.parametrize("address", ["ftp://host/", "file:///etc/passwd", "host", "http://a b/"])
def test_an_address_of_another_kind_is_not_asked(ledger: Ledger, address: str) -> None:
    with pytest.raises(TimestampError):
        stamp(ledger.head(), address)


def test_a_head_without_a_stamp_and_files_without_certificates_are_named(
    ledger: Ledger, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="the head carries no time stamp"):
        stamped_at(ledger.head(), [])
    with pytest.raises(InputError, match="cannot be read"):
        read_roots(tmp_path / "absent")
    (tmp_path / "roots").write_text("nothing")
    with pytest.raises(InputError, match="holds no certificate"):
        read_roots(tmp_path / "roots")
