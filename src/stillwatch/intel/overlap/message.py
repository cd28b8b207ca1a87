"""A message of an exchange: one line that says what it is, one JSON line, and points.

``stillwatch.overlap/1``, a line feed, the header as canonical JSON (RFC 8785), a line feed, the
points. The header carries the SHA-256 of the points and the sender's signature.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import msgspec

from stillwatch.errors import (
    IndicatorError,
    LateMessageError,
    OtherVersionError,
    OutputError,
    OverlapError,
    SealError,
    WrongMessageError,
    WrongRecipientError,
)
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.overlap.blinding import POINT
from stillwatch.intel.policy.policy import Asks
from stillwatch.intel.profile.markings import Tlp
from stillwatch.intel.profile.times import moment
from stillwatch.intel.received.members import Member
from stillwatch.ledger import SigningKey, canonical, is_signed, parsed

__all__ = ["FEWEST", "FORMAT", "LASTING_DAYS", "LONGEST", "MOST", "Header", "Kind", "Message",
           "Points", "check", "fault", "make_message", "read_message"]  # fmt: skip

FORMAT: Final = "stillwatch.overlap/1"
_MAGIC: Final = FORMAT.encode() + b"\n"
_FIRST_LINE = re.compile(rb"stillwatch\.overlap/([0-9]{1,9})\n")
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LONGEST_HEADER: Final = 65_536
#: points of one set: a power of two from here to there
FEWEST: Final = 64
MOST: Final = 1 << 20
#: characters of a text that people read
LONGEST: Final = 250
#: a message holds for so many days at most
LASTING_DAYS: Final = 31
#: a clock that is further ahead is wrong
_AHEAD: Final = timedelta(days=1)

Kind = Literal["request", "answer"]
Points = tuple[bytes, ...]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a message says of itself; `docs/intel-overlap.md` has the fields."""

    kind: Kind
    exchange: str
    sender: str
    recipient: str
    asks: Asks
    fields: tuple[str, ...]
    points: int
    held: int
    request: str
    purpose: str
    legal_basis: str
    tlp: Tlp
    made: str
    until: str
    body: str
    key: str
    signature: str = ""


class Message:
    """A request or an answer. `held` are the answerer's own points, none in a request."""

    def __init__(self, header: Header, points: Points, held: Points = ()) -> None:
        self.header, self.points, self.held = header, points, held

    @property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
        return hashlib.sha256(self.encoded()).hexdigest()

    def encoded(self) -> bytes:
        """The file."""
        head = canonical(msgspec.to_builtins(self.header))
        return _MAGIC + head + b"\n" + b"".join((*self.points, *self.held))

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            OutputError: there is one already, or it cannot be written.
        """
        if path.exists():
            raise OutputError("there is a file already; name another one", path=path)
        aside = path.with_name(f".{path.name}.partial")
        try:
            aside.write_bytes(self.encoded())
            aside.replace(path)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise OutputError(f"cannot be written: {error.strerror or error}", path=path) from error


def make_message(
    header: Header, key: SigningKey, points: Sequence[bytes], held: Sequence[bytes] = ()
) -> Message:
    """A message of `header`, whose numbers, digest, key and signature are those of the rest."""
    body = hashlib.sha256(b"".join((*points, *held))).hexdigest()
    header = msgspec.structs.replace(
        header, points=len(points), held=len(held), body=body, key=key.public, signature=""
    )
    signed = msgspec.structs.replace(header, signature=key.sign(_signed(header)))
    return Message(signed, tuple(points), tuple(held))


def read_message(path: Path) -> Message:
    """Read a file; whose it is, and whom it is for, is for :func:`check` to say.

    Raises:
        OtherVersionError: it is of a version that this one does not read.
        OverlapError: it is none, not whole, or contradicts itself.
    """
    try:
        if path.stat().st_size > len(_MAGIC) + _LONGEST_HEADER + 2 * MOST * POINT:
            raise OverlapError("it is larger than any message of an overlap", path=path)
        data = path.read_bytes()
    except OSError as error:
        raise OverlapError(f"cannot be read: {error.strerror or error}", path=path) from error
    first = _FIRST_LINE.match(data)
    if first is None:
        raise OverlapError(f"this is no {FORMAT} file", path=path)
    if first[0] != _MAGIC:
        raise OtherVersionError(
            f"it is of version {first[1].decode()}, and this version of stillwatch reads "
            f"{FORMAT.rpartition('/')[2]}",
            path=path,
        )
    end = data.find(b"\n", len(_MAGIC), len(_MAGIC) + _LONGEST_HEADER)
    if end < 0:
        raise OverlapError("the header is cut off, or too long", path=path)
    header = _header(data[len(_MAGIC) : end], path)
    body = data[end + 1 :]
    if len(body) != POINT * (header.points + header.held):
        raise OverlapError(
            f"it has {len(body):,} bytes of points, and says "
            f"{POINT * (header.points + header.held):,}",
            path=path,
        )
    if hashlib.sha256(body).hexdigest() != header.body:
        raise OverlapError("its points are not those that the header names", path=path)
    every = [body[start : start + POINT] for start in range(0, len(body), POINT)]
    points, held = every[: header.points], every[header.points :]
    if len(set(points)) < len(points):
        raise OverlapError("it holds a point twice, which no honest member sends", path=path)
    if any(first >= second for first, second in pairwise(held)):
        raise OverlapError("the points that are held are not in ascending order", path=path)
    return Message(header, tuple(points), tuple(held))


def check(
    message: Message, kind: Kind, own: str, members: Sequence[Member], now: datetime
) -> Member:
    """Hold a message against what is known here; who sent it.

    Args:
        own: the id that others know us by.
        members: with their pinned keys.

    Raises:
        SealError: its sender is no member, another key signed it, or it was changed.
        WrongMessageError: it is of the other kind.
        WrongRecipientError: it is for somebody else.
        LateMessageError: its time is over, or has not come.
    """
    header = message.header
    sender = next((m for m in members if m.identity == header.sender), None)
    if sender is None or sender.removed_at is not None:
        raise SealError(
            f"{header.sender} is no member here; `stillwatch intel members add` pins its key"
        )
    if header.key != sender.key:
        raise SealError(
            f"it is signed with {header.key[:16]}…, and {sender.key[:16]}… is pinned for "
            f"{sender.name}"
        )
    if not is_signed(_signed(header), header.signature, sender.key):
        raise SealError("it was changed after it was signed, or its signature is forged")
    if header.kind != kind:
        raise WrongMessageError(
            f"this is {_named(header.kind)}, and {_named(kind)} is needed: give the other file"
        )
    if header.recipient != own:
        raise WrongRecipientError(f"it is for {header.recipient}, and we are {own}")
    made, until = moment(header.made), moment(header.until)
    if made > now + _AHEAD:
        raise LateMessageError(f"it says that it was made on {header.made}; compare your clocks")
    if until <= now:
        raise LateMessageError(f"it held until {header.until}; ask anew")
    return sender


def _header(data: bytes, path: Path) -> Header:
    try:
        header = msgspec.convert(parsed(data), Header)
        if canonical(msgspec.to_builtins(header)) != data:
            raise OverlapError("the header is not in its canonical form", path=path)
        wrong = fault(header)
    except (ValueError, msgspec.ValidationError, IndicatorError) as error:
        raise OverlapError(f"the header: {error}", path=path) from error
    if wrong is not None:
        raise OverlapError(f"the header: {wrong}", path=path)
    return header


def fault(header: Header) -> str | None:
    """The first thing that is wrong with the form of a header; None where nothing is.

    Raises:
        IndicatorError: a time is none.
    """
    made, until = moment(header.made), moment(header.until)
    answer = header.kind == "answer"
    for wrong, what in (
        (not _HEX.fullmatch(header.exchange), "exchange: 64 hexadecimal digits are needed"),
        (not _is_size(header.points), "points: no power of two that a message may have"),
        (not (_is_size(header.held) if answer else header.held == 0), "held: it has no such size"),
        (not (_HEX.fullmatch(header.request) if answer else header.request == ""),
         "request: an answer names the request, and a request none"),
        (not header.fields or list(header.fields) != sorted(set(header.fields) & set(FIELDS)),
         f"fields: some of {', '.join(sorted(FIELDS))}, in this order"),
        (not _is_line(header.purpose), f"purpose: one line of {LONGEST} characters at most"),
        (not _is_line(header.legal_basis),
         f"legal_basis: one line of {LONGEST} characters at most"),
        (until <= made, "until: it does not follow on its making"),
        (until > made + timedelta(days=LASTING_DAYS), f"until: more than {LASTING_DAYS} days on"),
    ):  # fmt: skip
        if wrong:
            return what
    return None


def _is_line(text: str) -> bool:
    """Nothing that a terminal would obey."""
    return 0 < len(text) <= LONGEST and text.isprintable()


def _is_size(number: int) -> bool:
    return FEWEST <= number <= MOST and number.bit_count() == 1


def _named(kind: Kind) -> str:
    return "an answer" if kind == "answer" else "a request"


def _signed(header: Header) -> bytes:
    fields = msgspec.to_builtins(header)
    del fields["signature"]
    return _MAGIC + canonical(fields)
