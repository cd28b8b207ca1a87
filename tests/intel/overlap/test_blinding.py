"""The arithmetic gives what a plain intersection gives, and links no two exchanges."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import OverlapError
from stillwatch.intel.overlap.blinding import POINT, Blinding, answered

TEXTS = st.lists(st.integers(0, 40).map(str), unique=True, max_size=24)


@settings(max_examples=60, deadline=None)
@given(asked=TEXTS, held=TEXTS)
def test_which_are_held_is_the_plain_intersection(asked: list[str], held: list[str]) -> None:
    blinding = Blinding(how_many=False)
    setup, response = answered(blinding.points(asked), held, how_many=False)
    found = [asked[place] for place in blinding.matches(setup, response)]
    assert found == [text for text in asked if text in set(held)]
    assert blinding.size(setup, response) == len(found)


@settings(max_examples=60, deadline=None)
@given(asked=TEXTS, held=TEXTS)
def test_how_many_are_held_is_the_size_of_the_plain_intersection(
    asked: list[str], held: list[str]
) -> None:
    blinding = Blinding(how_many=True)
    setup, response = answered(blinding.points(asked), held, how_many=True)
    assert blinding.size(setup, response) == len(set(asked) & set(held))


def test_of_thousands_that_are_not_held_none_is_found() -> None:
    blinding = Blinding(how_many=False)
    asked = [f"a{n}" for n in range(3_000)]
    setup, response = answered(
        blinding.points(asked), [f"b{n}" for n in range(3_000)], how_many=False
    )
    assert blinding.matches(setup, response) == []


def test_a_question_is_opened_later_with_the_key_that_was_kept() -> None:
    first = Blinding(how_many=False)
    setup, response = answered(first.points(["x", "y", "z"]), ["z", "y"], how_many=False)
    assert Blinding(how_many=False, key=first.key).matches(setup, response) == [1, 2]
    assert Blinding(how_many=False).matches(setup, response) == []


def test_a_size_says_no_places_and_its_response_is_in_no_order_of_the_question() -> None:
    blinding = Blinding(how_many=True)
    points = blinding.points([str(n) for n in range(50)])
    setup, response = answered(points, ["1"], how_many=True)
    assert response == sorted(response)
    with pytest.raises(OverlapError, match="answer"):
        blinding.matches(setup, response)


def test_no_point_of_two_exchanges_about_the_same_is_the_same() -> None:
    texts = [str(n) for n in range(20)]
    seen: list[bytes] = []
    for _ in range(2):
        points = Blinding(how_many=False).points(texts)
        for one in (1, 2):
            held, response = answered(points, texts, how_many=False)
            seen += [*held, *response, *(points if one == 1 else ())]
    assert {len(point) for point in seen} == {POINT}
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "point",
    [b"", b"\0", b"\0" * 33, b"\2" + b"\xff" * 32, b"\5" + b"\1" * 32, b"\4" + b"\1" * 64],
)
def test_what_is_no_point_of_the_curve_is_refused_on_both_sides(point: bytes) -> None:
    with pytest.raises(OverlapError, match="request"):
        answered([point], ["x"], how_many=False)
    blinding = Blinding(how_many=False)
    setup, _ = answered(blinding.points(["x"]), ["x"], how_many=False)
    with pytest.raises(OverlapError, match="answer"):
        blinding.matches(setup, [point])


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(OverlapError, match="secret of the question"):
        Blinding(how_many=False, key=bytes(32))


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "private_set_intersection.python", None)
    for act in (lambda: Blinding(how_many=False), lambda: answered([], [], how_many=True)):
        with pytest.raises(OverlapError, match=r"stillwatch\[psi\].*glibc 2.35"):
            act()


def test_a_dishonest_asker_of_a_size_learns_which_as_the_page_warns() -> None:
    """Each point under another secret: the size that comes back is taken apart again."""
    texts = [f"t{n}" for n in range(6)]
    secrets = [Blinding(how_many=True) for _ in texts]
    points = [secret.points([text])[0] for secret, text in zip(secrets, texts, strict=True)]
    setup, response = answered(points, ["t1", "t4"], how_many=True)
    learnt = [text for secret, text in zip(secrets, texts, strict=True)
              if any(secret.size(setup, [one]) for one in response)]  # fmt: skip
    assert learnt == ["t1", "t4"]
