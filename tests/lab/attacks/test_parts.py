"""What single attacks do, token by token."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.lab.attacks import (
    Bigrams,
    Chunks,
    Mixing,
    Preferences,
    RandomEdits,
    Rewriting,
    TargetedRewriting,
    TokenAttack,
    Truncation,
    Unigrams,
    attacked,
)

RNG = np.random.default_rng
TEXT = np.arange(100)


def test_equal_texts_are_not_changed_alike() -> None:
    first, second = attacked([TEXT, TEXT], RandomEdits(0.5, Unigrams([TEXT])))
    assert not np.array_equal(first, second)


def test_a_token_is_never_replaced_by_itself() -> None:
    text = np.tile([1, 1, 1, 2], 100)
    out = RandomEdits(1.0, Unigrams([text]), ("replace",))(text, RNG(0))
    assert np.array_equal(out, 3 - text)


def test_foreign_tokens_come_as_often_as_they_are_said() -> None:
    drawn = Unigrams([np.array([1, 1, 1]), np.array([7])]).draw(10_000, RNG(0))
    assert set(drawn.tolist()) == {1, 7}
    assert (drawn == 1).mean() == pytest.approx(0.75, abs=0.02)


def test_a_text_is_cut_to_its_beginning_its_end_or_a_piece() -> None:
    said = {part: Truncation(3, part)(TEXT, RNG(0)) for part in ("first", "last", "somewhere")}
    assert said["first"].tolist() == [0, 1, 2]
    assert said["last"].tolist() == [97, 98, 99]
    assert np.diff(said["somewhere"]).tolist() == [1, 1]
    starts = {int(Truncation(3, "somewhere")(TEXT, RNG(i))[0]) for i in range(40)}
    assert len(starts) > 20


def test_chunks_stay_in_order_unless_they_are_shuffled() -> None:
    kept, shuffled = (Chunks(10, 0.5, shuffled=x)(TEXT, RNG(0)) for x in (False, True))
    assert (np.diff(kept) > 0).all()
    assert not (np.diff(shuffled) > 0).all()
    assert np.array_equal(np.sort(kept), np.sort(shuffled))
    assert {int(start) % 10 for start in kept[::10]} == {0}
    assert len(kept) == 50


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_mixed_text_has_the_whole_in_pieces_and_so_much_else(share: float) -> None:
    mixed = Mixing(share, np.arange(1_000, 1_500), 7)(TEXT, RNG(0))
    ours = mixed[mixed < 1_000]
    assert np.array_equal(ours, TEXT)
    assert len(mixed) == round(len(TEXT) / share)
    # pieces may touch, and are never split
    borders = np.flatnonzero(np.diff(mixed < 1_000)) + 1
    assert all(mixed[at] % 7 == 0 for at in borders if mixed[at] < 1_000)
    assert len(borders) > 10


def test_what_is_drawn_again_fits_both_neighbours() -> None:
    """1 is followed by 2 or 3, and only 3 by 4."""
    model = Bigrams([np.array([1, 2, 5] * 300), np.array([1, 3, 4] * 200)])
    out = Rewriting(1.0, model)(np.array([1, 2, 4]), RNG(0))
    assert out.tolist() == [1, 3, 4]


@pytest.mark.parametrize(
    ("guesses", "chosen"),
    [({}, 2), ({(1,): 2}, 3), ({(1,): 2, (3,): 4}, 2), ({(2,): 4}, 2), ({(1,): 4}, 2)],
)
def test_what_looks_preferred_is_drawn_again_against_the_guesses(
    guesses: dict[tuple[int, ...], int], chosen: int
) -> None:
    """Between 1 and 4 both 2 and 3 may stand; a guess is of a token after a context."""
    model = Bigrams([np.array([1, 2, 4, 5] * 300 + [1, 3, 4, 5] * 300)])
    # what a replacement would be preferred as the context of counts most
    strengths = {(1,): 1.0, (2,): 5.0, (3,): 5.0}
    known = {c: (np.array([t]), np.array([strengths[c]])) for c, t in guesses.items()}
    attack = TargetedRewriting(0.4, model, Preferences(known), 10.0)
    assert attack(np.array([1, 2, 4]), RNG(0)).tolist() == [1, chosen, 4]


@pytest.mark.parametrize(
    "make",
    [lambda: RandomEdits(1.5, Unigrams([TEXT])), lambda: RandomEdits(0.5, Unigrams([TEXT]), ()),
     lambda: Unigrams([]), lambda: Truncation(-1), lambda: Chunks(0, 0.5), lambda: Chunks(5, -0.1),
     lambda: Mixing(0.0, TEXT), lambda: Mixing(0.5, TEXT[:0]), lambda: Mixing(0.5, TEXT, 0),
     lambda: Rewriting(float("nan"), Bigrams([TEXT]))],
)  # fmt: skip
def test_what_cannot_be_is_refused(make: type[TokenAttack]) -> None:
    with pytest.raises(ValueError):
        make()


def test_a_bigram_model_says_the_same_from_either_side() -> None:
    model = Bigrams([RNG(3).integers(0, 12, 400)])
    tokens = np.arange(14)  # two that it has not seen
    forward = np.array([model.chances(token, tokens) for token in tokens.tolist()])
    backward = np.array([model.chances_before(tokens, token) for token in tokens.tolist()])
    assert np.allclose(forward, backward.T)
    assert forward[:12].sum(axis=1) == pytest.approx(1, abs=1e-5)
    counts, total = model.counts(3, tokens)
    assert counts.sum() == total > 20
