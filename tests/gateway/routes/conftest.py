"""A gateway in front of a model server that speaks the routes beside chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.sketches import SketchKey
from tests.gateway.conftest import Client, Response, gateway_at
from tests.gateway.engine import served
from tests.gateway.routes.engine import Router

SETTINGS = """
levels:
  default: {max_tokens: 64}
  vectors: {embeddings: true}
  summed: {max_tokens: 64, reasoning: summary}
  small: {models: ["small*"], embeddings: true}
  open: {max_tokens: 64, logprobs: 5, reasoning: full, seed: true, tools: true, logit_bias: any,
         biased_tokens: 10, structure: schema, prefill: true, embeddings: true, token_ids: true}
tiers:
  tight:
    - {name: budget, scope: account, unit: tokens, amount: 40, calendar: month}
  roomy:
    - {name: budget, scope: account, unit: tokens, amount: 200, calendar: month}
  few:
    - {name: rate, scope: key, unit: requests, amount: 2, period: 3600}
  one:
    - {name: slots, scope: account, unit: concurrent, amount: 1}
backends:
  - {name: router, url: "URL"}
rules:
  - {id: no-counting, for: {routes: [messages.count_tokens]}, when: "model == 'dog'", deny: true,
     reason: no dogs}
gateway:
  marks: {open: radioactive}
"""


#: Accounts, with what is particular about them; registered before the gateway starts.
CALLERS: dict[str, dict[str, str]] = {
    "plain": {},
    "refused": {},
    **{name: {"level": name} for name in ("vectors", "small", "summed", "open")},
    **{name: {"level": "open"} for name in ("counting", "ids", "official", "recorded")},
    **{name: {"level": "open"} for name in ("elsewhere", "elsewhere streaming")},
    **{name: {"tier": "one"} for name in ("single", "slot", "slot streaming")},
    **{name: {"tier": "roomy"} for name in ("frugal", "frugal streaming")},
    **{name: {"level": "vectors", "tier": "tight"} for name in ("thrifty", "uncounted")},
    "faulty": {"level": "vectors", "tier": "one"},
    "poor": {"tier": "tight"},
    "rare": {"tier": "few"},
}


class Site:
    """A client, the model server behind, and the exchanges in between."""

    def __init__(self, client: Client, router: Router, keys: dict[str, str]) -> None:
        self.client, self.router = client, router
        self._keys = keys

    def key(self, account: str) -> str:
        """The key of one of :data:`CALLERS`."""
        return self._keys[account]

    def sent(self) -> dict[str, Any]:
        """The body that the model server got last."""
        return self.router.requests[-1][2]

    def row(self, of: Response, until: Callable[[Callable[[], object]], None]) -> dict[str, Any]:
        """The exchange of a response."""
        key = SketchKey.from_file(self.client.state / "sketch.key")
        digest = key.digest("request", of.headers["x-request-id"])
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [row for row in self.client.rows() if row["request"] == digest]
            return bool(found)

        until(there)
        assert len(found) == 1
        return found[0]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("routes")
    router = Router()
    with served(router) as url:
        settings = folder / "stillwatch.yaml"
        settings.write_text(SETTINGS.replace("URL", url))
        database = open_database(folder / "state", create=True)
        store = KeyStore(database)
        keys = {name: store.create(account=name, **more)[0] for name, more in CALLERS.items()}
        database.close()
        with gateway_at(folder / "state", settings) as base:
            client = Client(base, folder / "state", router)  # type: ignore[arg-type]
            yield Site(client, router, keys)


@pytest.fixture(scope="session")
def plain(site: Site) -> str:
    return site.key("plain")
