"""Which rules match a request: selection, order, shadow, what is unknown, what fails."""

from __future__ import annotations

from typing import Any

import pytest

from stillwatch.access import OPEN, UNKNOWN
from stillwatch.access.effects import Challenge, Deny, Narrow, Route, Slow, Tier
from stillwatch.access.expressions import ConditionError
from stillwatch.access.rules import RuleSet, covers
from tests.access.rules.conditions import request, rule


def ids(rules: RuleSet, **fields: Any) -> list[str]:
    return [match.rule.id for match in rules.matching(request(**fields))]


def test_rules_match_in_their_order() -> None:
    rules = RuleSet([rule("b", "n > 1"), rule("c", "seed"), rule("a")])
    assert ids(rules, n=2) == ["b", "a"]
    assert ids(rules, n=2, seed=True) == ["b", "c", "a"]


def test_a_rule_is_asked_only_about_the_routes_models_and_levels_that_it_is_for() -> None:
    rules = RuleSet([
        rule("route", routes=frozenset({"messages"})),
        rule("model", models=frozenset({"large-*", "xl"})),
        rule("level", levels=frozenset({"research"})),
    ])  # fmt: skip
    assert ids(rules) == []
    assert ids(rules, route="messages") == ["route"]
    assert ids(rules, model="large-2") == ["model"]
    assert ids(rules, model="LARGE-2") == []
    assert ids(rules, level="research", model="xl") == ["model", "level"]


def test_a_request_without_a_key_has_facts_of_its_own() -> None:
    rules = RuleSet([rule("a", "account == '' && level == 'default' && kyc_level == 0")])
    nobody = request().__class__(caller=None, asked=request().asked)
    assert [m.rule.id for m in rules.matching(nobody)] == ["a"]


def test_a_rule_in_shadow_mode_matches_and_says_so() -> None:
    (match,) = RuleSet([rule("a", shadow=True)]).matching(request())
    assert match.shadow


@pytest.mark.parametrize(
    "effect",
    [Deny(), Challenge(kind="verify"), Narrow(surface=OPEN), Route(), Slow(seconds=1.0)],
)
@pytest.mark.parametrize(
    "condition", ["purposes[3] == 'x'", "n / kyc_level > 1", "max_tokens * 9 > 1"]
)
def test_a_condition_that_fails_counts_as_one_that_holds_and_says_so(
    effect: Any, condition: str
) -> None:
    rules = RuleSet([rule("a", condition, effect), rule("b", "n == 1")])
    first, second = rules.matching(request(max_tokens=2**62))
    assert (first.rule.id, first.failed) == ("a", True)
    assert (second.rule.id, second.failed) == ("b", False)


@pytest.mark.parametrize("condition", ["n + 1 > 2", "purposes[0] == 'a'", "-n < 0"])
def test_a_tier_is_not_chosen_by_a_condition_that_can_fail(condition: str) -> None:
    with pytest.raises(ConditionError, match="must not be able to fail"):
        rule("a", condition, Tier(name="slow"))


@pytest.mark.parametrize("place", ["ip_country == 'CN'", "kyc_country in ['CN']",
    "asn_class == 'vpn'", "country_agrees == 'no'", "asn == 64500", "asn > 64500",
    "ip_country == kyc_country", "ip_country.startsWith('C')",
    "!(ip_country != 'CN')", "ip_country != 'CN' || ip_country == 'CN'",
    "ip_country != 'CN' ? stream : seed", "(ip_country != 'CN') == stream"])  # fmt: skip
def test_a_rule_about_places_must_say_what_unknown_is(place: str) -> None:
    with pytest.raises(ConditionError, match=r"must say what happens when .* is not known"):
        rule("a", place)
    rule("a", place, unknown="match")
    rule("a", place, unknown="skip")


@pytest.mark.parametrize("place", ["ip_country in ['CN', 'unknown']", "asn_class != 'unknown'",
    "asn == 0 || asn == 64500", "ip_country != 'DE'", "!(ip_country in ['DE', 'FR'])",
    "!(ip_country == 'DE')", "n > 1 && kyc_country != 'DE'"])  # fmt: skip
def test_a_rule_that_names_unknown_or_takes_all_but_some_places_has_said_it(place: str) -> None:
    rule("a", place)


def test_each_place_must_be_spoken_of() -> None:
    with pytest.raises(ConditionError, match="when asn_class is not known"):
        rule("a", "ip_country in ['CN', 'unknown'] && asn_class == 'vpn'")


def test_a_tier_for_all_but_some_places_must_say_it_too() -> None:
    with pytest.raises(ConditionError, match="when ip_country is not known"):
        rule("a", "ip_country != 'DE'", Tier(name="wide"))


@pytest.mark.parametrize("condition", ["n > 1", "ip_country in ['CN', 'unknown']"])
def test_unknown_has_nothing_to_say_where_all_is_said(condition: str) -> None:
    with pytest.raises(ConditionError, match="`unknown:` has nothing to say"):
        rule("a", condition, unknown="skip")


@pytest.mark.parametrize(
    ("condition", "unknown", "logprobs", "matches"),
    [
        ("ip_country == 'CN'", "match", 0, True),
        ("ip_country == 'CN'", "skip", 0, False),
        ("ip_country != 'CN'", "skip", 0, False),
        ("ip_country != 'CN'", "match", 0, True),
        ("ip_country == 'CN' && logprobs > 0", "match", 0, False),
        ("ip_country == 'CN' && logprobs > 0", "match", 1, True),
        ("ip_country == 'CN' || logprobs > 0", "skip", 1, True),
        ("!(ip_country == 'CN')", "skip", 0, False),
        ("!(ip_country == 'CN' || asn_class == 'isp')", "match", 0, False),
        ("ip_country == kyc_country", "match", 0, True),
        ("ip_country == kyc_country", "skip", 0, False),
        ("ip_country in ['CN', 'unknown'] && asn_class == 'vpn'", "match", 0, False),
    ],
)
def test_a_test_of_a_place_that_is_unknown_counts_for_or_against_the_rule(
    condition: str, unknown: Any, logprobs: int, matches: bool
) -> None:
    rules = RuleSet([rule("a", condition, unknown=unknown)])
    seen = ids(rules, country=UNKNOWN, asn_class="isp", kyc_country="DE", logprobs=logprobs)
    assert seen == (["a"] if matches else [])


def test_a_place_that_is_known_is_tested_as_it_is_written() -> None:
    for unknown in ("match", "skip"):
        rules = RuleSet([rule("a", "ip_country == 'CN'", unknown=unknown)])
        assert ids(rules, country="CN") == ["a"]
        assert ids(rules, country="DE") == []


@pytest.mark.parametrize(
    ("earlier", "later", "covered"),
    [
        ({"when": "true"}, {"when": "n > 1"}, True),
        ({"when": "n > 1"}, {"when": "n > 1"}, True),
        ({"when": "n>1"}, {"when": "( n > 1 ) // the same"}, True),
        ({"when": "n > 1"}, {"when": "stream && n > 1"}, True),
        ({"when": "stream && n > 1"}, {"when": "n > 1"}, False),
        ({"when": "n > 1"}, {"when": "n > 1.0"}, False),
        ({"when": "true", "shadow": True}, {"when": "n > 1"}, False),
        ({"when": "true"}, {"when": "n > 1", "shadow": True}, False),
        ({"when": "true", "effect": Slow(seconds=1.0)}, {"when": "n > 1"}, False),
        ({"when": "true", "effect": Challenge(kind="x")}, {"when": "n > 1"}, True),
        ({"when": "true", "levels": frozenset({"a"})}, {"when": "n > 1"}, False),
        ({"when": "true", "levels": frozenset({"a", "b"})},
         {"when": "n > 1", "levels": frozenset({"a"})}, True),
        ({"when": "true", "models": frozenset({"a"})},
         {"when": "n > 1", "models": frozenset({"a", "b"})}, False),
        ({"when": "true", "models": frozenset({"a", "b"})},
         {"when": "n > 1", "models": frozenset({"a"})}, True),
        ({"when": "true", "models": frozenset({"a"})},
         {"when": "n > 1", "levels": frozenset({"a"})}, False),
        ({"when": "asn == 5", "unknown": "skip"}, {"when": "asn == 5", "unknown": "match"}, False),
        ({"when": "asn == 5", "unknown": "match"}, {"when": "asn == 5", "unknown": "skip"}, True),
    ],
)  # fmt: skip
def test_a_rule_is_unreachable_when_an_earlier_one_refuses_all_that_it_is_about(
    earlier: dict[str, Any], later: dict[str, Any], covered: bool
) -> None:
    assert covers(rule("first", **earlier), rule("second", **later)) is covered
