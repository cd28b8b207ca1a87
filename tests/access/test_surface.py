"""Surfaces are a lattice: combining bounds never opens anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stillwatch.access import CLOSED, OPEN, Bias, Reasoning, Structure, Surface

SURFACES = st.builds(
    Surface,
    models=st.lists(
        st.frozensets(st.sampled_from(["small", "large-*", "*"]), min_size=1),
        max_size=2,
        unique=True,
    ).map(tuple),
    logprobs=st.integers(0, 5),
    reasoning=st.sampled_from(Reasoning),
    n=st.integers(1, 8),
    logit_bias=st.sampled_from(Bias),
    biased_tokens=st.integers(0, 300),
    seed=st.booleans(),
    prefill=st.booleans(),
    echo=st.booleans(),
    prompt_logprobs=st.booleans(),
    token_ids=st.booleans(),
    max_tokens=st.none() | st.integers(1, 9_000),
    structure=st.sampled_from(Structure),
    tools=st.booleans(),
    embeddings=st.booleans(),
    min_temperature=st.floats(0, 1),
    unknown_fields=st.booleans(),
    response_fields=st.frozensets(st.sampled_from(sorted(OPEN.response_fields))),
)


@given(SURFACES, SURFACES)
def test_what_two_allow_is_within_each_of_them(one: Surface, other: Surface) -> None:
    both = one & other
    assert both <= one
    assert both <= other


@given(SURFACES, SURFACES, SURFACES)
def test_it_is_the_widest_such_surface(one: Surface, other: Surface, third: Surface) -> None:
    if third <= one and third <= other:
        assert third <= one & other


@given(SURFACES)
def test_everything_lies_below_the_open_surface_and_meeting_it_changes_nothing(
    surface: Surface,
) -> None:
    assert surface <= OPEN
    assert surface & OPEN == surface
    assert surface & surface == surface


@given(SURFACES, SURFACES, st.sampled_from(["small", "large-2", "other"]))
def test_a_model_is_allowed_where_every_bound_allows_it(
    one: Surface, other: Surface, model: str
) -> None:
    assert (one & other).allows_model(model) == (
        one.allows_model(model) and other.allows_model(model)
    )


def test_the_closed_surface_shows_one_choice_of_text() -> None:
    assert CLOSED.n == 1
    assert not any(
        (CLOSED.logprobs, CLOSED.tools, CLOSED.embeddings, CLOSED.seed, CLOSED.prefill, CLOSED.echo)
    )


def test_case_counts_in_the_names_of_models() -> None:
    surface = Surface(models=(frozenset({"large-*"}),))
    assert surface.allows_model("large-2")
    assert not surface.allows_model("LARGE-2")
    assert not surface.allows_model("large")
