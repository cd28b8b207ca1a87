"""Our reading of a condition and the engine's are the same."""

from __future__ import annotations

import contextlib
from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access import FACTS, RequestFacts
from stillwatch.access.conditions import compile_condition, context_of
from stillwatch.access.expressions import ConditionError
from stillwatch.access.parsing import parse
from tests.access.rules.conditions import CONDITIONS, REQUESTS


def evaluate(source: str, facts: RequestFacts) -> Any:
    values = {name: fact.read(facts) for name, fact in FACTS.items()}
    try:
        return cel.compile(source).execute(context_of(values))
    except (IndexError, ArithmeticError, TypeError) as error:
        return type(error)


@settings(deadline=None)
@given(CONDITIONS)
def test_a_tree_written_out_is_read_as_the_same_tree(source: str) -> None:
    tree = parse(source)
    assert parse(str(tree)) == tree


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, REQUESTS)
def test_the_engine_groups_operators_as_our_parser_does(source: str, facts: RequestFacts) -> None:
    """Written out, every operand stands in parentheses: both texts must come to the same."""
    assert evaluate(source, facts) == evaluate(str(parse(source)), facts)


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, REQUESTS)
def test_what_passes_the_check_is_true_or_false_and_fails_only_if_it_said_so(
    source: str, facts: RequestFacts
) -> None:
    try:
        condition = compile_condition(source)
    except ConditionError:
        return
    result = evaluate(source, facts)
    assert isinstance(result, bool) or condition.fallible


@settings(deadline=None)
@given(st.text(st.sampled_from("ab1.'\"\\ &|!()[]<>=-+?:,nr/i"), max_size=30))
def test_what_our_parser_reads_the_engine_reads_too(source: str) -> None:
    try:
        parse(source)
    except ConditionError:
        return
    cel.compile(source)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_message(source: str) -> None:
    with contextlib.suppress(ConditionError):
        compile_condition(source)


@pytest.mark.parametrize("kind", ["int", "double", "string", "bool", "list"])
def test_every_type_of_fact_is_compared_by_the_engine_as_the_check_says(kind: str) -> None:
    """Two facts of types that the check lets compare are never a type error, and others are odd."""
    values = {"int": "1", "double": "1.0", "string": "'a'", "bool": "true", "list": "['a']"}
    for other, literal in values.items():
        name = next(fact.name for fact in FACTS.values() if fact.type == kind)
        passes = True
        try:
            compile_condition(f"{name} == {literal}")
        except ConditionError:
            passes = False
        numbers = {"int", "double"}
        assert passes == (kind != "list" and (kind == other or {kind, other} <= numbers))
