"""Providers who tell each other something: keys, members, a store on each database."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stillwatch.intel.community import CommunityKey
from stillwatch.intel.matching import AccountHit, Matched, indicator_of
from stillwatch.intel.profile import Author, Detector, Seal, Tlp, new_version, revoked
from stillwatch.intel.received import Received, open_received
from stillwatch.ledger import SigningKey
from tests.access.conftest import DAY, NOW, Clock, clock, server, state

__all__ = [
    "DAY", "KEY", "NOW", "Clock", "Provider", "clock", "hidden", "matched", "server", "state",
]  # fmt: skip

KEY = CommunityKey("forum", "2026-q4", bytes(range(32)))
AT = datetime.fromtimestamp(NOW, UTC)


@dataclass
class Provider:
    """One who tells; every provider is another by its number."""

    number: int

    @property
    def identity(self) -> str:
        return f"identity--00000000-0000-4000-8000-{self.number:012d}"

    @property
    def key(self) -> SigningKey:
        return SigningKey(bytes([self.number]) * 32)

    @property
    def author(self) -> Author:
        return Author(self.identity, self.key, Tlp.AMBER)

    def tells(
        self,
        value: str,
        *,
        field: str = "payment",
        accounts: str = "10-99",
        rate: float | None = None,
        days: float = 30,
        at: datetime = AT,
        named: str | None = None,
    ) -> dict[str, Any]:
        """An indicator of a value, which need not be hard to guess here."""
        digest = KEY.digests(field, [value], leaving=False)[0]
        assert digest is not None
        measured = None if rate is None else "a log"
        return self.author.digest(
            KEY.scheme, field, digest, accounts=accounts, valid_from=at,
            detector=Detector("stillwatch", "1", rate, measured),
            valid_until=at + timedelta(days=days), now=at, named=named,
        )  # fmt: skip

    def takes_back(self, told: dict[str, Any], at: datetime = AT) -> dict[str, Any]:
        return Seal.sign(revoked(told, at + timedelta(hours=1)), self.key)

    def changes(self, told: dict[str, Any], at: datetime, **what: Any) -> dict[str, Any]:
        return Seal.sign(new_version(told, what, at), self.key)


def hidden(name: str) -> str:
    """A value that nobody guesses, the same for the same name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


A, B, C = Provider(1), Provider(2), Provider(3)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty-received") / "state"
    open_received(folder, create=True).close()
    return folder


@pytest.fixture
def received(state: str, empty: Path, clock: Clock) -> Iterator[Received]:
    """A store to which A and B belong, and C does not."""
    if "://" not in state:
        shutil.copytree(empty, state)
    with open_received(state, create=True, clock=clock) as opened:
        for provider in (A, B):
            name = f"provider-{provider.number}"
            opened.add_member(provider.identity, name, provider.key.public, "ana")
        yield opened


@pytest.fixture
def takes(received: Received) -> Callable[..., Any]:
    """Take objects in, as one batch."""
    return lambda *objects: received.take_in(list(objects), source="a file", by="job")


def matched(
    told: dict[str, Any], *accounts: str, of: int = 1_000, kind: str = "payment"
) -> Matched:
    """What a log of `of` accounts gives, where some accounts met one indicator."""
    pattern = indicator_of(told).pattern
    hits = tuple(
        AccountHit(
            account=account, pattern=pattern.name, kind=kind, exchanges=3,
            first_at=NOW * 1_000_000, last_at=NOW * 1_000_000 + 5, indicators=(told["id"],),
            senders=(told["created_by_ref"],), claimed=99, rate=None,
        )
        for account in accounts
    )  # fmt: skip
    return Matched(hits, of, 10 * of, 0)
