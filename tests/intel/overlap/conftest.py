"""Two members: A asks about a file of identifiers, B answers of a case that people upheld."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from stillwatch.intel.exporting import Own
from stillwatch.intel.overlap import (
    Found,
    Message,
    Question,
    Questions,
    Reply,
    ask,
    consider,
    give,
    of_file,
    open_answer,
)
from stillwatch.intel.overlap.asking import new_exchange
from stillwatch.intel.overlap.texts import exchange_key
from stillwatch.intel.policy import Policy, read_policy
from stillwatch.intel.policy.policy import Asks
from stillwatch.intel.received import Member
from stillwatch.ledger import Ledger, SigningKey
from tests.intel.conftest import NOW, POLICY, Provider, random_token

__all__ = [
    "ALL",
    "CARDS",
    "OVERLAP",
    "A",
    "Answerer",
    "B",
    "answerer",
    "cards",
    "member",
    "policy",
    "question",
]  # fmt: skip

OVERLAP = """\
  overlap:
    asks: [which, how-many]
"""
#: the cards of B's case; each is that of three accounts
CARDS = tuple("pm_" + random_token("card", n) for n in range(4))
ALL = frozenset({"payment", "device", "toolset", "system"})


def _own(name: str, number: int) -> Own:
    identity = f"identity--{number:08d}-1111-4111-8111-111111111111"
    return Own(name, identity, SigningKey(bytes([number]) * 32), None, None)


A, B = _own("provider-a", 1), _own("provider-b", 2)


def member(own: Own) -> Member:
    """As others have it pinned."""
    return Member(
        identity=own.identity, name=own.name, key=own.key.public, added_at=0, added_by="ana"
    )


def cards(*parts: object, number: int) -> list[str]:
    """Cards that B never saw."""
    return ["pm_" + random_token("stranger", *parts, n) for n in range(number)]


def policy(folder: Path, extra: str = OVERLAP, **changes: str) -> Policy:
    """The policy of tests, with other lines where `changes` has them."""
    text = POLICY.replace("[provider-b]", "[provider-a, provider-b]") + extra
    text = text.replace(",\n           ", ", ")  # a key a line
    for old, new in changes.items():
        (line,) = (each for each in text.splitlines() if each.strip().startswith(f"{old}:"))
        text = text.replace(line, line.partition(":")[0] + f": {new}")
    file = folder / "overlap-policy.yaml"
    file.write_text(text)
    return read_policy(file)


def question(
    folder: Path, values: Iterable[str], *, asks: Asks = "which", fields: frozenset[str] = ALL,
    now: datetime = NOW, days: int = 7, kind: str = "payment", **changes: str,
) -> Question:  # fmt: skip
    """A asks B."""
    file = folder / "values.jsonl"
    file.write_text("".join(json.dumps({"field": kind, "value": v}) + "\n" for v in values))
    exchange = new_exchange()
    return ask(
        of_file(file, fields, exchange_key(exchange)), exchange, asks=asks, fields=fields, own=A,
        member=member(B), policy=policy(folder, **changes), days=days, now=now,
    )  # fmt: skip


@dataclass
class Answerer:
    """B, with its case and its log."""

    provider: Provider
    own: Own = field(default_factory=lambda: B)

    @property
    def state(self) -> Path:
        return self.provider.state

    def considers(
        self, request: Message, *, now: datetime = NOW, cases: tuple[str, ...] = (),
        extra: str = OVERLAP, **changes: str,
    ) -> Reply:  # fmt: skip
        with Questions(self.state) as questions:
            return consider(
                request, own=self.own, members=[member(A)],
                policy=policy(self.provider.folder, extra, **changes), state=str(self.state),
                logs=[str(self.provider.log)], questions=questions, now=now, cases=cases,
            )  # fmt: skip


@pytest.fixture
def answerer(tmp_path: Path, built: Provider) -> Answerer:
    shutil.copytree(built.folder, tmp_path / "b")
    folder = tmp_path / "b"
    return Answerer(
        Provider(folder, built.case, built.own, folder / "policy.yaml", folder / "log.jsonl")
    )


def given(
    reply: Reply, answerer: Answerer, out: str = "answer", *, even_empty: bool = False
) -> Message:
    """B answers."""
    with Questions(answerer.state, create=True) as questions, Ledger.open(answerer.state) as book:
        return give(reply, questions, book, answerer.provider.folder / out, by="bo", now=NOW,
                    even_empty=even_empty)  # fmt: skip


def opened(answer: Message, asked: Question) -> Found:
    """What A reads in it."""
    return open_answer(answer, asked.secret, own=A.identity, members=[member(B)], now=NOW)


def told(found: Found) -> set[str]:
    """The identifiers that B holds, too."""
    assert found.items is not None
    return {value for item in found.items for value in item.of}
