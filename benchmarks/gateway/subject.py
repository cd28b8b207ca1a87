"""`stillwatch serve` in the benchmark: its settings, its keys, and what it says of itself."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.gateway.children import Child, get
from benchmarks.keys import write
from stillwatch.events import EventStore

__all__ = ["Subject", "usual_secrets", "usual_settings"]

#: three limits for each tier, so large that they never refuse; ten rules, of which the last one
#: matches each stream and the others none of the requests that are sent
_SETTINGS = """
levels:
  closed: {max_tokens: 4096}
  default: {max_tokens: 4096}
  full: {max_tokens: 4096, logprobs: 5}
tiers:
TIERS
backends:
  - {name: whole, url: "http://127.0.0.1:WHOLE", region: eu-west, jurisdiction: EU, operator: us}
  - {name: streams, url: "http://127.0.0.1:STREAMS", region: eu-west, jurisdiction: EU}
rules:
  - {id: not-served, when: "ip_country in ['CU', 'IR', 'KP', 'SY']", unknown: skip,
     deny: {status: 451}, reason: we may not offer this here}
  - {id: large, when: "model.startsWith('large') && kyc_level < 2", deny: true,
     reason: large models are for verified customers}
  - {id: hosting, when: "asn_class in ['hosting', 'vpn'] && logprobs > 0", unknown: skip,
     strip: [logprobs], reason: log probabilities are for customers' own networks}
  - {id: places, when: "country_agrees == 'no' && kyc_level < 2", unknown: skip,
     challenge: {kind: verify-identity}, reason: places disagree}
  - {id: young-keys, when: "key_age_days < 1", clamp: {max_tokens: 1024}, reason: young keys}
  - {id: reasoning, when: "reasoning == 'full' && !('research' in purposes)",
     clamp: {reasoning: summary}, reason: reasoning is for research}
  - {id: much, when: "n * max_tokens > 32768", slow: 5, reason: large batches wait}
  - {id: biased, when: "biased_tokens > 10 && !('evaluator' in purposes)", deny: true,
     reason: many biased tokens}
  - {id: greedy, when: "temperature == 0.0 && logprobs > 0", deny: true, shadow: true,
     reason: greedy decoding with log probabilities}
  - {id: streams, when: "stream", route: {backends: [streams]}, reason: streams have a backend}
"""
_TIER = """
  NAME:
    - {name: requests a minute, scope: key, unit: requests, amount: 600000000, period: 60}
    - {name: tokens a day, scope: account, unit: tokens, amount: 1000000000000, calendar: day}
    - {name: tokens a month, scope: org, unit: tokens, amount: 1000000000000, calendar: month}
"""
_SERVING = "serving http://127.0.0.1:"
_ROUTE = 'route="chat.completions"'
_LAG = "stillwatch_commit_lag_seconds"
_LOOK = 0.1  # seconds between two looks at what is on the disk


class Subject(Child):
    """A gateway that knows `keys` keys, in front of two model servers on loopback ports.

    `secrets` are those of keys with an org and a verified owner, which no rule refuses.
    """

    def __init__(self, folder: Path, keys: int, whole: int, streams: int, *, core: int) -> None:
        self._state = folder / "state"
        self._state.mkdir(mode=0o700)
        write(self._state, keys)
        self.secrets = usual_secrets(self._state / "keys.jsonl")
        settings = folder / "stillwatch.yaml"
        settings.write_text(usual_settings(whole, streams))
        command = [sys.executable, "-m", "stillwatch", "serve", "-c", str(settings),
                   "--state", str(self._state), "--port", "0"]  # fmt: skip
        super().__init__(command, folder / "gateway.log", core=core)
        self.port = 0

    def wait(self) -> None:
        """Until it serves."""
        line = self.said(_SERVING)
        self.port = int(line.partition(_SERVING)[2].split()[0])

    def metrics(self) -> dict[str, float]:
        """Every metric with its labels, as written."""
        lines = get(f"http://127.0.0.1:{self.port}/metrics").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def lags(self) -> dict[float, float]:
        """Seconds → exchanges that were on the disk within so many."""
        return {
            float(name.partition('le="')[2].partition('"')[0]): value
            for name, value in self.metrics().items()
            if name.startswith(f"{_LAG}_bucket")
        }

    def drain(self) -> int:
        """Wait until nothing is in flight and every exchange is on the disk; how many those are.

        A request whose client left before it was read (status 499) may leave no exchange.
        """
        before = -1.0
        while True:
            told = self.metrics()
            ended = {n: v for n, v in told.items() if n.startswith("stillwatch_requests_total")}
            ours = {name: value for name, value in ended.items() if _ROUTE in name}
            left = sum(value for name, value in ours.items() if 'status="499"' in name)
            kept = told[f"{_LAG}_count"]
            enough = kept >= sum(ours.values()) - left
            if enough and kept == before and not told["stillwatch_in_flight"]:
                return int(kept)
            before = kept if enough else -1.0
            time.sleep(_LOOK)

    def rows(self) -> int:
        """Exchanges in the event store, once the gateway has ended."""
        with EventStore.open(self._state / "events") as store:
            return store.rows()


def usual_settings(whole: int, streams: int) -> str:
    """The settings of the benchmark, for model servers on these ports."""
    tiers = "".join(_TIER.replace("NAME", name) for name in ("free", "default", "large"))
    filled = _SETTINGS.replace("TIERS", tiers)
    return filled.replace("WHOLE", str(whole)).replace("STREAMS", str(streams))


def usual_secrets(keys: Path) -> list[str]:
    """The secrets that `benchmarks.keys.write` gave to such keys."""
    with keys.open() as lines:
        rows = [json.loads(line) for line in lines]
    return [
        f"secret-{number}"
        for number, row in enumerate(rows)
        if row["org"] and row["kyc_level"] == 3 and row["level"] == "default"
    ]
