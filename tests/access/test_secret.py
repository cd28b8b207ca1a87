"""The form of a secret: random enough, and a typo never looks like one."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.access.secret import (
    PATTERN,
    RANDOM,
    digest_of,
    is_well_formed,
    new_key_id,
    new_secret,
    seal,
)

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
secrets = st.text(LETTERS, min_size=RANDOM, max_size=RANDOM).map(seal)


@given(secrets)
def test_a_secret_has_the_form_that_is_published_for_scanners(secret: str) -> None:
    assert re.fullmatch(PATTERN, secret)
    assert is_well_formed(secret)


def test_a_secret_holds_at_least_128_random_bits() -> None:
    assert len(new_secret()) == len("sw-") + RANDOM + 6
    assert RANDOM * math.log2(len(LETTERS)) >= 128


def test_every_letter_appears_at_every_random_place() -> None:
    made = [new_secret() for _ in range(2_000)]
    assert len(set(made)) == len(made)
    assert all({s[place] for s in made} == set(LETTERS) for place in range(3, 33))


@given(secrets, st.data())
def test_a_changed_character_is_always_refused(secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.characters() | st.sampled_from(LETTERS))
    changed = secret[:place] + other + secret[place + 1 :]
    assert is_well_formed(changed) is (changed == secret)


@given(secrets, st.integers(3, 37))
def test_two_neighbours_that_changed_places_are_refused(secret: str, place: int) -> None:
    swapped = secret[:place] + secret[place + 1] + secret[place] + secret[place + 2 :]
    assert is_well_formed(swapped) is (swapped == secret)


@given(secrets, st.data())
def test_a_cut_or_longer_secret_is_refused(secret: str, data: st.DataObject) -> None:
    assert not is_well_formed(secret[: data.draw(st.integers(0, len(secret) - 1))])
    assert not is_well_formed(secret + data.draw(st.sampled_from(LETTERS + " \n")))


@given(st.text())
def test_any_text_has_a_digest_and_almost_none_the_form(text: str) -> None:
    assert len(digest_of(text)) == 32
    assert not is_well_formed(text)


def test_a_lone_surrogate_is_hashed_and_not_a_mistake_of_ours() -> None:
    assert len(digest_of("sw-\ud800")) == 32


@pytest.mark.parametrize("known", ["abc"])
def test_the_digest_is_sha_256_so_that_keys_of_other_makers_can_be_imported(known: str) -> None:
    """The first example of FIPS 180-2, appendix B.1."""
    assert digest_of(known).hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_ids_of_keys_differ_and_are_no_secrets() -> None:
    assert len({new_key_id() for _ in range(1_000)}) == 1_000
    assert not re.search(PATTERN, new_key_id())
