"""A gateway that binds, in front of a model server that thinks; and a binding without either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from stillwatch.access import Caller
from stillwatch.exchange import Message
from stillwatch.gateway.binding import Binding, BindingKey, Owner
from stillwatch.sketches import SketchKey
from tests.gateway.binding.engine import Thinker
from tests.gateway.conftest import Client, gateway_at
from tests.gateway.engine import served

SETTINGS = """
levels:
  default: {max_tokens: 4096, reasoning: full, tools: true}
  guarded: {extends: default}
  closed: {max_tokens: 4096}
backends:
  - {name: thinker, url: "URL"}
rules:
  - id: no-shared-reasoning
    for: {levels: [guarded]}
    when: reasoning_replay in ['other_account', 'other_org']
    deny: true
    reason: reasoning blocks belong to the account that they were made for
"""

LINKS = SketchKey(b"l" * 32)
NOW = 1_780_000_000.0
DAY = 86_400.0


class Thinking(NamedTuple):
    """Asks the gateway, and knows what came through to the model server."""

    client: Client
    thinker: Thinker


@pytest.fixture(scope="session")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thinking]:
    folder = tmp_path_factory.mktemp("binding")
    thinker = Thinker()
    with served(thinker) as url:
        settings = folder / "stillwatch.yaml"
        settings.write_text(SETTINGS.replace("URL", url))
        with gateway_at(folder / "state", settings) as base:
            yield Thinking(Client(base, folder / "state", thinker), thinker)  # type: ignore[arg-type]


def owner(
    account: str = "alice", org: str | None = None, *, key: str = "k", model: str = "m",
    first: str = "hello", system: str | None = None, more: tuple[str, ...] = (), at: float = NOW,
) -> Owner:  # fmt: skip
    """Whoever asks: the first turn of the conversation, and what was said after it."""
    turns = [] if system is None else [Message("system", system)]
    turns.append(Message("user", first))
    turns += [Message("assistant" if i % 2 == 0 else "user", each) for i, each in enumerate(more)]
    return Owner(Caller(key_id=key, account=account, org=org), model, turns, at)


def binding(*secrets: bytes, **fields: Any) -> Binding:
    keys = [BindingKey(secret) for secret in secrets or (b"k" * 32,)]
    return Binding(keys, LINKS, **{"longest": 30 * DAY, **fields})
