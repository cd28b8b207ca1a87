"""Rules asked of requests of which not everything is known: never too sure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access import Asked, Caller, Origin, RequestFacts
from stillwatch.access.effects import Tier
from stillwatch.access.partial import PartialRules
from stillwatch.access.rules import Rule, RuleSet
from tests.access.rules.conditions import REQUESTS, request, rule
from tests.access.rules.test_remembering import RULES

#: fact → the field behind it
FIELDS = {
    "model": "model", "account": "account", "tier": "tier", "purposes": "purposes",
    "kyc_level": "kyc_level", "kyc_country": "kyc_country", "ip_country": "country", "asn": "asn",
    "asn_class": "asn_class", "stream": "stream", "seed": "seed", "n": "n",
    "max_tokens": "max_tokens", "prompt_tokens": "prompt_tokens", "reasoning": "reasoning",
    "temperature": "temperature",
}  # fmt: skip
MISSING = st.frozensets(st.sampled_from(sorted(FIELDS)), max_size=4)


def mixed(one: RequestFacts, other: RequestFacts, missing: frozenset[str]) -> RequestFacts:
    """`one`, with the values of `other` for what is missing."""
    taken = {FIELDS[name] for name in missing}
    parts = {}
    for name, part in (("caller", Caller), ("asked", Asked), ("origin", Origin)):
        values = {
            field: getattr(getattr(other, name), field)
            for field in taken.intersection(part.__struct_fields__)
        }
        parts[name] = msgspec.structs.replace(getattr(one, name), **values)
    return msgspec.structs.replace(one, **parts)


def ids(matches: Any) -> set[str]:
    return {match.rule.id for match in matches}


@settings(max_examples=120, deadline=None)
@given(RULES, REQUESTS, st.lists(REQUESTS, min_size=1, max_size=4), MISSING)
def test_what_is_sure_holds_whatever_is_missing_and_what_is_not_possible_never_does(
    rules: list[Rule], known: RequestFacts, others: list[RequestFacts], missing: frozenset[str]
) -> None:
    rule_set = RuleSet(rules)
    partial = PartialRules(rule_set)
    answer = partial.ask(known, missing)
    for other in others:
        actual = mixed(known, other, missing)
        again = partial.ask(actual, missing)
        assert (ids(again.sure), ids(again.possible)) == (ids(answer.sure), ids(answer.possible))
        assert ids(answer.sure) <= ids(rule_set.matching(actual)) <= ids(answer.possible)
    assert ids(answer.open) == ids(answer.possible) - ids(answer.sure)


@pytest.mark.parametrize(
    ("when", "missing", "values", "told"),
    [
        ("n > 2 && seed", {"seed"}, {"n": 1}, "no"),
        ("n > 2 && seed", {"seed"}, {"n": 3}, "open"),
        ("n > 2 || seed", {"seed"}, {"n": 3}, "yes"),
        ("n > 2 || !seed", {"seed"}, {"n": 1}, "open"),
        ("!(n > 2 && seed)", {"seed"}, {"n": 1}, "yes"),
        ("n * max_tokens > 5", {"max_tokens"}, {"n": 9, "max_tokens": 9}, "open"),
        ("kyc_level < 1", {"kyc_level"}, {}, "open"),
        ("country_agrees == 'no' && country_agrees != 'unknown'", {"kyc_country"},
         {"country": "DE"}, "open"),
        ("purposes[3] == 'x' && n > 2", {"purposes"}, {"n": 1}, "no"),
        ("true", {"seed", "level", "model"}, {}, "yes"),
    ],
)  # fmt: skip
def test_a_condition_is_open_only_where_the_missing_fact_decides(
    when: str, missing: set[str], values: dict[str, Any], told: str
) -> None:
    answer = PartialRules(RuleSet([rule("a", when)])).ask(request(**values), frozenset(missing))
    assert (bool(answer.sure), bool(answer.open)) == {
        "yes": (True, False), "no": (False, False), "open": (False, True)
    }[told]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "fact"), [("levels", "level"), ("models", "model"), ("routes", "route")]
)
def test_whom_a_rule_is_about_may_be_missing_too(part: str, fact: str) -> None:
    rules = RuleSet([rule("a", "n > 2", **{part: frozenset({"special"})})])
    partial = PartialRules(rules)
    assert partial.ask(request(n=3), frozenset()).possible == ()
    assert ids(partial.ask(request(n=3), frozenset({fact})).open) == {"a"}
    assert partial.ask(request(n=1), frozenset({fact})).possible == ()
    assert partial.lacking("a", frozenset({fact, "seed"})) == {fact}


def test_a_place_that_is_seen_as_unknown_differs_from_one_that_the_log_lacks() -> None:
    rules = RuleSet([rule("a", "ip_country == 'KP'", unknown="skip")])
    partial = PartialRules(rules)
    assert partial.ask(request(country="unknown"), frozenset()).possible == ()
    assert ids(partial.ask(request(country="unknown"), frozenset({"ip_country"})).open) == {"a"}


def test_the_rules_keep_their_order_and_their_effects() -> None:
    rules = [
        rule("one", "seed", shadow=True),
        rule("two", "n > 0"),
        rule("three", "stream || seed", Tier(name="slow")),
    ]
    answer = PartialRules(RuleSet(rules)).ask(request(n=1, stream=True), frozenset({"seed"}))
    assert [match.rule.id for match in answer.possible] == ["one", "two", "three"]
    assert [match.rule.effect for match in answer.possible] == [r.effect for r in rules]
    assert [match.rule.id for match in answer.open if match.shadow] == ["one"]
