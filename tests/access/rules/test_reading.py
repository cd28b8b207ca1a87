"""Rules, levels, tiers and backends in YAML: what they become, and mistakes with their line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.access import CLOSED, OPEN, Bias, Reasoning
from stillwatch.access.effects import Challenge, Deny, Narrow, Route, Slow, Tier
from stillwatch.access.limits.charges import Limit
from stillwatch.access.reading import AccessSettings, read_access_file
from stillwatch.errors import SettingsError
from tests.access.rules.conditions import request

Read = Callable[[str], AccessSettings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(text: str) -> AccessSettings:
        path = tmp_path / "rules.yaml"
        path.write_text(text)
        return read_access_file(path)

    return write_and_read


def one(effect: str, others: str = "") -> str:
    return f"rules:\n  - id: a\n    when: n > 1\n    reason: because\n    {effect}\n{others}"


@pytest.mark.parametrize(
    ("written", "effect"),
    [
        ("deny: true", Deny()),
        ("deny: {status: 451}", Deny(status=451)),
        ("deny: {}", Deny()),
        ("slow: 2.5", Slow(seconds=2.5)),
        ("slow: 2", Slow(seconds=2.0)),
        ("tier: slow-lane", Tier(name="slow-lane")),
        ("challenge: {kind: verify-identity}", Challenge(kind="verify-identity")),
        ("challenge: {kind: k, url: 'https://example.org/'}",
         Challenge(kind="k", url="https://example.org/")),
        ("route: {jurisdictions: [EU], regions: [eu-west, eu-north]}",
         Route(jurisdictions=frozenset({"EU"}), regions=frozenset({"eu-west", "eu-north"}))),
    ],
)  # fmt: skip
def test_an_effect_is_read(read: Read, written: str, effect: Any) -> None:
    (rule,) = read(one(written)).rules.rules
    assert rule.effect == effect
    assert (rule.id, rule.reason, rule.shadow, rule.line) == ("a", "because", False, 2)


def test_what_is_clamped_is_bounded_and_the_rest_is_left_open(read: Read) -> None:
    (rule,) = read(one("clamp: {max_tokens: 512, n: 1, logit_bias: ban}")).rules.rules
    bound = msgspec.structs.replace(OPEN, max_tokens=512, n=1, logit_bias=Bias.BAN)
    assert rule.effect == Narrow(surface=bound)


def test_what_is_stripped_is_closed_and_the_rest_is_left_open(read: Read) -> None:
    (rule,) = read(one("strip: [logprobs, seed, reasoning]")).rules.rules
    bound = msgspec.structs.replace(OPEN, logprobs=0, seed=False, reasoning=Reasoning.NONE)
    assert rule.effect == Narrow(surface=bound)


def test_a_rule_may_be_for_some_requests_and_in_shadow_mode(read: Read) -> None:
    text = one("deny: true\n    shadow: true\n    for: {routes: [messages], models: [large-*]}")
    (rule,) = read(text).rules.rules
    assert rule.shadow
    assert (rule.routes, rule.models) == ({"messages"}, {"large-*"})


def test_a_condition_may_be_the_word_true_and_may_run_over_lines(read: Read) -> None:
    first, second = read(
        "rules:\n"
        "  - {id: a, when: true, slow: 1, reason: x}\n"
        "  - id: b\n    slow: 1\n    reason: x\n"
        "    when: |\n      // why\n      n > 1 &&\n      seed\n"
    ).rules.rules
    assert first.condition.source == "true"
    assert second.condition.reads == {"n", "seed"}


def test_levels_extend_each_other_in_any_order(read: Read) -> None:
    levels = read(
        "levels:\n"
        "  research: {extends: open-ish, logprobs: 5}\n"
        "  open-ish: {extends: default, seed: true, models: [small]}\n"
        "  default: {max_tokens: 4096}\n"
    ).surfaces
    assert levels["default"] == msgspec.structs.replace(CLOSED, max_tokens=4096)
    assert levels["research"] == msgspec.structs.replace(
        CLOSED, max_tokens=4096, seed=True, logprobs=5, models=(frozenset({"small"}),)
    )


def test_the_default_level_is_closed_when_nobody_says_otherwise(read: Read) -> None:
    assert read("").surfaces == {"default": CLOSED}
    assert read("levels: {a: {extends: default, n: 2}}").surfaces["a"].n == 2


def test_a_level_for_a_purpose_is_refused_to_all_others(read: Read) -> None:
    access = read("levels:\n  research: {logprobs: 5, purposes: [research, evaluator]}\n")
    assert access.levels["research"].purposes == {"research", "evaluator"}
    without = access.rules.matching(request(level="research", purposes=("sales",)))
    assert [(m.rule.id, m.rule.effect) for m in without] == [("level research", Deny())]
    assert access.rules.matching(request(level="research", purposes=("evaluator",))) == ()
    assert access.rules.matching(request(level="default")) == ()


def test_tiers_are_lists_of_limits(read: Read) -> None:
    tiers = read(
        "tiers:\n  default:\n"
        "    - {name: a, scope: key, unit: requests, amount: 600, period: 60, burst: 10}\n"
        "    - {name: b, scope: account, unit: tokens, amount: 5, calendar: day,\n"
        "       when_away: allow}\n"
        "    - {name: c, scope: org, unit: concurrent, amount: 4}\n"
    ).tiers
    assert tiers["default"] == (
        Limit(name="a", scope="key", unit="requests", amount=600, period=60.0, burst=10),
        Limit(name="b", scope="account", unit="tokens", amount=5, calendar="day",
              when_away="allow"),
        Limit(name="c", scope="org", unit="concurrent", amount=4),
    )  # fmt: skip


BACKENDS = (
    "backends:\n"
    "  - {name: eu-1, url: 'http://127.0.0.1:8001', region: eu-west, jurisdiction: EU}\n"
    "  - {name: us-1, url: 'https://us.example.org', operator: acme, models: [large-*]}\n"
)


def test_a_backend_says_where_it_is_and_is_unknown_otherwise(read: Read) -> None:
    first, second = read(BACKENDS).backends
    assert (first.name, first.jurisdiction, first.operator) == ("eu-1", "EU", "unknown")
    assert (second.url, second.region, second.models) == (
        "https://us.example.org", "unknown", {"large-*"}
    )  # fmt: skip


TOKENS = "tiers:\n  t:\n    - {name: a, scope: key, unit: tokens, "
LIMIT = "tiers:\n  t:\n    - {name: a, scope: key, unit: requests, amount: 1, "


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (one("dney: true"), 2, "a rule does one thing, this one nothing; one of deny, clamp"),
        (one("deny: true\n    slow: 1"), 6, "a rule does one thing, this one deny and slow"),
        (one("deny: false"), 5, "'deny: false' does nothing"),
        (one("deny: {status: 200}"), 5, "must be from 400 to 499, not 200"),
        (one("deny: {state: 403}"), 5, "no setting 'state'; did you mean 'status'"),
        (one("slow: -1"), 5, "'rules[0].slow' must be from 0.01 to 300.0"),
        (one("slow: yes"), 5, "'rules[0].slow' must be a number, not 'yes'"),
        (one("clamp: {max_token: 5}"), 5, "no field 'max_token'; did you mean 'max_tokens'"),
        (one("clamp: {logprobs: 20}"), 5, "must be from 0 to 5, not 20"),
        (one("clamp: {reasoning: ful}"), 5, "is 'ful'; did you mean 'full'"),
        (one("clamp: {logprobs: 5}"), 5, "it takes nothing away"),
        (one("clamp: {}"), 5, "it takes nothing away"),
        (one("strip: [logprob]"), 5, "no field 'logprob'; did you mean 'logprobs'"),
        (one("strip: [max_tokens]"), 5, "'max_tokens' cannot be taken away; bound it with `clamp`"),
        (one("strip: []"), 5, "is empty"),
        (one("strip: logprobs"), 5, "must be a list, not 'logprobs'"),
        (one("route: {}"), 5, "it allows every backend"),
        (one("route: {jurisdiction: [EU]}"), 5, "did you mean 'jurisdictions'"),
        (one("route: {jurisdictions: [UE]}", BACKENDS), 5, "no backend is of jurisdictions 'UE'"),
        (one("route: {jurisdictions: [EU], operators: [acme]}", BACKENDS), 5,
         "no backend is in all"),
        (one("tier: slow", "tiers: {slow-lane: []}\n"), 5, "there is no tier 'slow'; did you mean"),
        (one("challenge: {url: x}"), 5, "needs 'kind'"),
        (one("deny: true\n    shadwo: true"), 6, "no setting 'shadwo'; did you mean 'shadow'"),
        (one("deny: true\n    for: {route: [a]}"), 6, "did you mean 'routes'"),
        (one("deny: true\n    for: {levels: [a]}", "levels: {b: {}}\n"), 6,
         "there is no level 'a'"),
        (one("deny: true\n    unknown: match"), 3, "`unknown:` has nothing to say"),
        (one("deny: true\n    unknown: deny"), 6, "it is one of match, skip"),
        ("rules:\n  - id: a\n    when: tier == 1\n    deny: true\n    reason: x\n", 3,
         "rule 'a': tier is a text"),
        ("rules:\n  - id: a\n    when: 5\n    deny: true\n    reason: x\n", 3,
         "'rules[0].when' must be a text, not 5"),
        ("rules:\n  - id: a\n    deny: true\n    reason: x\n", 2, "needs 'when'"),
        ("rules:\n  - id: a\n    when: n > 1\n    deny: true\n", 2, "needs 'reason'"),
        ("rules:\n  - when: n > 1\n    deny: true\n", 2, "needs 'id'"),
        ("rules:\n  - id: a\n    when: ip_country == 'CN'\n    deny: true\n    reason: x\n", 3,
         "must say what happens when ip_country is not known"),
        ("levels: {b: {}}\nrules:\n  - {id: a, when: \"level == 'c'\", deny: true, reason: x}\n", 3,
         "there is no level 'c'"),
        ("rules:\n  - {id: a, when: n > 1, deny: true, reason: x}\n"
         "  - {id: a, when: n > 2, deny: true, reason: x}\n", 3,
         "the rule 'a' stands here again, first on line 2"),
        ("rules:\n  - {id: a, when: n > 1, deny: true, reason: x}\n"
         "  - {id: b, when: n > 1 && seed, slow: 1, reason: x}\n", 3,
         "the rule 'b' is never reached: 'a' on line 2 refuses"),
        (f"{TOKENS}amount: 1, calendar: day}}\n", 3, "limit 'a': no request ever fits"),
        (f"{TOKENS}amount: 9, period: 1, burst: 1}}\n", 3, "limit 'a': no request ever fits"),
        (f"{TOKENS}amount: 9, period: 4700000}}\n", 3, "takes more than 52 days to drain"),
        (f"{TOKENS}amount: 4503599627370497, calendar: day}}\n", 3, "must not be above"),
        ("tiers:\n  t:\n    - name: a\n      scope: key\n      unit: concurrent\n"
         "      amount: 100001\n", 6, "limit 'a': the amount must not be above 100000"),
        ("tiers:\n  t:\n    - {name: a, scope: key, unit: concurrent, amount: 1}\n"
         "    - {name: a, scope: org, unit: concurrent, amount: 2}\n", 4,
         "the limit 'a' stands here again, first on line 3"),
        ("rules: [a]\n", 1, "must be a list of mappings, but holds 'a'"),
        ("rules: {a: 1}\n", 1, "must be a list"),
        ("ruels: []\n", 1, "did you mean 'rules'"),
        ("levels:\n  a: {extends: b}\n  b: {extends: a}\n", 2, "in a circle: a → b → a"),
        ("levels:\n  a: {extends: a}\n", 2, "in a circle: a → a"),
        ("levels:\n  a: {extends: defualt}\n  default: {}\n", 2, "did you mean 'default'"),
        ("levels:\n  a: {logprobs: 6}\n", 2, "must be from 0 to 5, not 6"),
        ("levels:\n  a: {seed: 1}\n", 2, "'levels.a.seed' must be true or false"),
        ("levels:\n  a: {response_fields: [logit]}\n", 2, "no surface shows a response field"),
        ("levels:\n  a: {n: 0}\n", 2, "must be from 1"),
        ("levels:\n  a: {min_temperature: .nan}\n", 2, "must be from 0.0 to 2.0"),
        (LIMIT + "}\n", 3, "needs either 'period' (seconds: a rate) or 'calendar'"),
        (LIMIT + "period: 1, calendar: day}\n", 3, "needs either 'period'"),
        (LIMIT + "period: 0}\n", 3, "must be 0.001 or more"),
        (LIMIT + "calendar: day, burst: 3}\n", 3, "only a rate"),
        (LIMIT + "calendar: week}\n", 3, "it is one of hour, day, month"),
        (LIMIT.replace("requests", "request"), 3, "did you mean 'requests'"),
        (LIMIT.replace("key", "user") + "period: 1}\n", 3, "it is one of key, account"),
        (LIMIT.replace("requests", "concurrent") + "period: 1}\n", 3, "slots are held"),
        (LIMIT.replace("amount: 1", "amount: 0") + "period: 1}\n", 3, "must be 1 or more"),
        ("backends:\n  - {name: a, url: 'ftp://x'}\n", 2, "is no address such as"),
        ("backends:\n  - {name: a, url: 'http://x:99999'}\n", 2, "is no address such as"),
        ("backends:\n  - {name: a, url: 'http://x'}\n  - {name: a, url: 'http://y'}\n", 3,
         "the backend 'a' stands here again, first on line 2"),
        ("places:\n  country_mmdb: absent.mmdb\n", 2, "there is no file"),
        ("places:\n  lists: {tor: [a]}\n", 2, "no setting 'tor'"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line(
    read: Read, text: str, line: int, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text if text.endswith("\n") else text + "}\n")
    assert message in str(caught.value)
    assert caught.value.line == line
    assert f"rules.yaml:{line}: " in str(caught.value)
