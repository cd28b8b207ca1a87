"""Backends that rules leave to a request; with none left, the rule that left none is named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access.backends import Backend, allowed
from stillwatch.access.effects import Route

EU = Backend(name="eu", url="http://eu", region="eu-west", jurisdiction="EU", operator="us")
US = Backend(name="us", url="http://us", region="us-east", jurisdiction="US", operator="us")
LEASED = Backend(name="leased", url="http://x", jurisdiction="EU", models=frozenset({"large-*"}))
ALL = (EU, US, LEASED)


def to(**sets: set[str]) -> Route:
    return Route(**{name: frozenset(each) for name, each in sets.items()})


@pytest.mark.parametrize(
    ("routes", "model", "names", "blocking"),
    [
        ([], "large-1", ("eu", "us", "leased"), None),
        ([], "small", ("eu", "us"), None),
        ([("a", to(jurisdictions={"EU"}))], "large-1", ("eu", "leased"), None),
        ([("a", to(jurisdictions={"EU"}, operators={"us"}))], "large-1", ("eu",), None),
        ([("a", to(jurisdictions={"EU"})), ("b", to(operators={"us"}))], "large-1", ("eu",), None),
        ([("a", to(backends={"leased"}))], "small", (), "a"),
        ([("a", to(jurisdictions={"EU"})), ("b", to(regions={"us-east"})), ("c", to())], "small",
         (), "b"),
        ([("a", to(regions={"eu-west", "eu-north"}))], "large-1", ("eu",), None),
    ],
)  # fmt: skip
def test_the_backends_are_those_that_every_route_allows(
    routes: list[tuple[str, Route]], model: str, names: tuple[str, ...], blocking: str | None
) -> None:
    assert allowed(ALL, routes, model) == (names, blocking)


def test_no_backend_for_a_model_is_no_rule_of_anybody() -> None:
    assert allowed((LEASED,), [("a", to(operators={"us"}))], "small") == ((), None)


def test_a_place_that_nobody_stated_is_in_no_set_of_places() -> None:
    assert allowed((LEASED,), [("a", to(regions={"eu-west"}))], "large-1") == ((), "a")


ROUTES = st.builds(
    Route,
    regions=st.frozensets(st.sampled_from(["eu-west", "us-east"])),
    jurisdictions=st.frozensets(st.sampled_from(["EU", "US"])),
    operators=st.frozensets(st.sampled_from(["us", "unknown"])),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), ROUTES), max_size=4), ROUTES)
def test_another_rule_never_allows_more(routes: list[tuple[str, Route]], more: Route) -> None:
    before, _ = allowed(ALL, routes, "large-1")
    after, blocking = allowed(ALL, [*routes, ("more", more)], "large-1")
    assert set(after) <= set(before)
    assert (blocking is None) == bool(after)
