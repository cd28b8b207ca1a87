"""Microseconds that thirty rules take: `python benchmarks/rules.py`. Nothing else may be running.

Three ways: requests of few kinds (evaluations are remembered), all thirty evaluated every time, and
requests that differ in a fact that a rule calculates with, so that little can be remembered.
"""

from __future__ import annotations

import random
import time

from stillwatch.access import Asked, Caller, Origin, RequestFacts
from stillwatch.access.conditions import compile_condition
from stillwatch.access.effects import Deny
from stillwatch.access.rules import Rule, RuleSet

CONDITIONS = (
    "asn_class in ['hosting', 'vpn', 'unknown'] && logprobs > {}",
    "ip_country in ['KP', 'IR', 'unknown'] && kyc_level < {}",
    "model.startsWith('large') && kyc_level < {}",
    "tier == 'free' && max_tokens > {}",
    "key_age_days < {} && prompt_tokens > 4000",
    "!('research' in purposes) && reasoning == 'full' && n > {}",
    "country_agrees == 'no' && country_agrees != 'unknown' && temperature < 0.{}",
    "route == 'chat.completions' && biased_tokens > {}",
    "hour >= {} && stream && sdk == 'curl'",
    "n * max_tokens > 1000{}",
)
ROUNDS = 3000


def rules() -> list[Rule]:
    written = [each.format(1 + i) for i in range(3) for each in CONDITIONS]
    return [
        Rule(id=f"r{i}", effect=Deny(), condition=compile_condition(each))
        for i, each in enumerate(written)
    ]


def request(draw: random.Random) -> RequestFacts:
    return RequestFacts(
        caller=Caller(
            key_id="k",
            account=f"a{draw.randrange(1000)}",
            tier=draw.choice(["free", "pro"]),
            kyc_level=draw.randrange(4),
            kyc_country=draw.choice(["DE", "unknown"]),
            purposes=draw.choice([(), ("research",)]),
        ),
        asked=Asked(
            model=draw.choice(["large-1", "small"]),
            prompt_tokens=draw.randrange(9000),
            logprobs=draw.randrange(6),
            n=draw.randrange(1, 4),
            max_tokens=draw.randrange(4096),
            temperature=draw.random(),
        ),
        origin=Origin(
            country=draw.choice(["DE", "FR", "unknown", "IR"]),
            asn_class=draw.choice(["isp", "vpn", "unknown"]),
        ),
        at=draw.random() * 1e9,
    )


def measure(name: str, rule_set: RuleSet, requests: list[RequestFacts]) -> None:
    for each in requests[:200]:
        rule_set.matching(each)
    took = []
    for each in requests:
        begun = time.perf_counter_ns()
        rule_set.matching(each)
        took.append((time.perf_counter_ns() - begun) / 1000)
    took.sort()
    half, most = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"{name:28} median {half:6.1f} us, 99th percentile {most:6.1f} us")


if __name__ == "__main__":
    seed = random.Random(1)
    different = [request(seed) for _ in range(ROUNDS)]
    measure("remembered", RuleSet(rules()), different[:50] * (ROUNDS // 50))
    measure("all thirty evaluated", RuleSet(rules(), remembered=0), different)
    measure("remembered when it can be", RuleSet(rules()), different)
