"""Remembered evaluations are the evaluations that would have been made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access import FACTS, RequestFacts
from stillwatch.access.conditions import compile_condition
from stillwatch.access.effects import Slow, Tier
from stillwatch.access.expressions import ConditionError
from stillwatch.access.recent import Recent
from stillwatch.access.rules import Rule, RuleSet
from stillwatch.access.sameness import Sameness
from tests.access.rules.conditions import CONDITIONS, RELATED, request, rule


def drawn(number: int, when: str, unknown: Any, effect: Any) -> Rule | None:
    """A rule of what was drawn, if it may be one."""
    for says in (unknown, None, "match"):
        try:
            return rule(f"r{number}", when, effect, unknown=says)
        except ConditionError:
            continue
    return None


RULES = st.lists(
    st.tuples(
        CONDITIONS,
        st.sampled_from(["match", "skip"]),
        st.sampled_from([None, Slow(seconds=1), Tier(name="slow")]),
    ),
    min_size=1,
    max_size=2,
).map(lambda each: [r for i, parts in enumerate(each) if (r := drawn(i, *parts))])


@settings(max_examples=200, deadline=None)
@given(RULES, RELATED)
def test_memory_changes_no_match(rules: list[Rule], requests: list[RequestFacts]) -> None:
    remembering, forgetful = RuleSet(rules), RuleSet(rules, remembered=0)
    for facts in requests:
        assert remembering.matching(facts) == forgetful.matching(facts)


def key(condition: str, facts: RequestFacts) -> list[object]:
    sameness = Sameness([compile_condition(condition)])
    return sameness.key([FACTS[name].read(facts) for name in sameness.names])


@pytest.mark.parametrize(
    ("condition", "one", "other", "same"),
    [
        ("prompt_tokens > 4000", {"prompt_tokens": 5}, {"prompt_tokens": 4000}, False),
        ("prompt_tokens > 4000", {"prompt_tokens": 5}, {"prompt_tokens": 3999}, True),
        ("prompt_tokens > 4000", {"prompt_tokens": 4001}, {"prompt_tokens": 9000}, True),
        ("account == 'a'", {"account": "b"}, {"account": "c"}, True),
        ("account == 'a'", {"account": "a"}, {"account": "c"}, False),
        ("account.startsWith('a')", {"account": "b"}, {"account": "c"}, False),
        ("n * prompt_tokens > 5", {"prompt_tokens": 5}, {"prompt_tokens": 6}, False),
        ("prompt_tokens > max_tokens", {"prompt_tokens": 5}, {"prompt_tokens": 6}, False),
        ("prompt_tokens > 9007199254740993", {"prompt_tokens": 5}, {"prompt_tokens": 6}, False),
        ("ip_country != 'DE'", {"country": "FR"}, {"country": "unknown"}, False),
        ("ip_country != 'DE'", {"country": "FR"}, {"country": "CN"}, True),
        ("temperature <= 1", {"temperature": 1.0}, {"temperature": float("nan")}, False),
        ("1.0 / temperature > 0.0", {"temperature": 0.0}, {"temperature": -0.0}, False),
    ],
)
def test_requests_share_an_evaluation_when_no_condition_can_tell_them_apart(
    condition: str, one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert (key(condition, request(**one)) == key(condition, request(**other))) is same


def test_a_memory_is_bounded_and_keeps_what_is_asked_for() -> None:
    memory: Recent[int, str] = Recent(10)
    for i in range(1000):
        memory.put(i, str(i))
        assert memory.get(0) == "0"
        assert len(memory) <= 20
    assert memory.get(500) is None


def test_naming_many_models_does_not_fill_the_memory() -> None:
    rules = RuleSet([rule("a", "n > 1", models=frozenset({"large-*"}))])
    for i in range(5000):
        rules.matching(request(model=f"x{i}"))
    assert len(rules._selections) <= 2048
    assert len(rules._evaluations) == 1
