"""Under the null: whatever habits a model has, a key that it never met is rarely found.

Ten thousand keys against the answers of models with habits; and beside it what counting tokens does
with the same answers.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import kstest, norm

from stillwatch.lab.students import HabitModel
from stillwatch.provenance.keyed import SCHEME, KeyedMark
from stillwatch.provenance.keyed.counting import Contexts, count
from stillwatch.provenance.keyed.following import Following, following
from stillwatch.provenance.keyed.shares import scores
from stillwatch.provenance.registration import Statistic
from stillwatch.statistics import choice_tail, scored_tails
from stillwatch.watermark import MarkKey
from tests.provenance.keyed.conftest import READER, answers

Int64s = npt.NDArray[np.int64]

RUNS = 10_000


def random_marks(many: int, seed: int = 5) -> list[KeyedMark]:
    values = np.random.default_rng(seed).integers(0, 1 << 64, many, np.uint64).tolist()
    return [KeyedMark(MarkKey(value, "", "", SCHEME), READER.name) for value in values]


def settled(model: HabitModel, **settings: object) -> Contexts:
    return count(answers(model).items(), READER, **({"least": 2} | settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def contexts() -> Contexts:
    return settled(HabitModel(7))


@pytest.fixture(scope="module")
def keys() -> dict[tuple[str, str], Int64s]:
    """What ten thousand keys choose in each context of the model, [RUNS] each."""
    everywhere = settled(HabitModel(7))
    marks = random_marks(RUNS)
    return {
        name: np.array([mark.favourite(*name, size) for mark in marks])
        for name, size in zip(everywhere.names, everywhere.options.tolist(), strict=True)
    }


def under(keys: dict[tuple[str, str], Int64s], here: Contexts) -> Int64s:
    """The favourites of each key in these contexts, [RUNS, contexts]."""
    return np.stack([keys[name] for name in here.names], axis=1)


def allowed(alpha: float, runs: int = RUNS) -> float:
    """Four standard errors above a nominal rate."""
    return alpha + 4 * float(np.sqrt(alpha * (1 - alpha) / runs))


def rarely(log10_p: npt.NDArray[np.float64]) -> bool:
    """Whether so many keys are found no more often than alpha says."""
    return len(log10_p) == RUNS and all(
        (log10_p <= np.log10(alpha)).mean() <= allowed(alpha) for alpha in (0.05, 0.01, 0.001)
    )


def uniform(log10_p: npt.NDArray[np.float64]) -> bool:
    return bool(kstest(10**log10_p, "uniform").pvalue > 0.001)


@cache
def tail_of(hits: int, shares: tuple[float, ...]) -> float:
    return choice_tail(hits, shares)


@pytest.mark.slow
def test_ten_thousand_keys_are_found_no_more_often_than_alpha_says(
    contexts: Contexts, keys: dict[tuple[str, str], Int64s], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "stillwatch.provenance.keyed.following.choice_tail",
        lambda hits, shares: tail_of(hits, tuple(np.sort(shares).tolist())),
    )
    said = [Following.of(row, contexts) for row in under(keys, contexts)]
    assert rarely(np.array([each.log10_p("keyed-majority") for each in said]))
    assert rarely(np.array([each.log10_p("keyed-rank") for each in said]))
    rng = np.random.default_rng(1)
    shares = said[0].shares
    options = np.array([1 / share for share in shares]).round().astype(np.int64)
    hit = np.zeros((len(shares), 4), np.int64)
    hit[:, 0] = 1
    hits = np.array([int(each.hits.sum()) for each in said])
    assert uniform(scored_tails(hits, hit, options, rng))


@pytest.mark.slow
@pytest.mark.parametrize("reference", [None, 9])
def test_ten_thousand_keys_are_no_higher_in_shares_than_alpha_says(
    keys: dict[tuple[str, str], Int64s], reference: int | None
) -> None:
    here = settled(HabitModel(7))
    beside = None if reference is None else settled(HabitModel(reference))
    rng, tails, ladder = np.random.default_rng(3), [], scores(here, beside)
    favourites = under(keys, here)
    for each in ladder:
        totals = np.array([each.of(row) for row in favourites])
        tails.append(scored_tails(totals, each.values, each.options))
        assert uniform(scored_tails(totals, each.values, each.options, rng))
    best = np.minimum(np.min(tails, axis=0) + np.log10(len(ladder)), 0.0)
    assert rarely(best)
    some = [Following.of(row, here, ladder).log10_p("keyed-shares") for row in favourites[:3]]
    assert some == pytest.approx(best[:3].tolist())


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["keyed-majority", "keyed-rank"])
def test_wealth_at_any_time_is_rarely_high_under_a_strange_key(
    keys: dict[tuple[str, str], Int64s], statistic: Statistic
) -> None:
    found = settled(HabitModel(7), looks="any")
    log10_e = np.array([
        Following.of(row, found).log10_e(statistic) for row in under(keys, found)
    ])  # fmt: skip
    assert rarely(-log10_e)
    assert (10**log10_e).mean() < 1.5


def naive_p(model: HabitModel, marks: list[KeyedMark]) -> npt.NDArray[np.float64]:
    """p-values of a z-test that counts every sighting as a trial of its own."""
    taken: dict[tuple[str, str], list[int]] = {}
    for prompt, answer in answers(model).items():
        for seen in READER.read(prompt, answer):
            taken.setdefault((seen.kind, seen.context), [0] * seen.options)[seen.taken] += 1
    counts = np.zeros((len(taken), 4))
    for row, each in enumerate(taken.values()):
        counts[row, : len(each)] = each
    sizes = np.array([len(each) for each in taken.values()])
    of = counts.sum(axis=1)
    mean, spread = (of / sizes).sum(), np.sqrt((of / sizes * (1 - 1 / sizes)).sum())
    rows = np.arange(len(taken))
    hits = np.array([
        counts[rows, [mark.favourite(*name, len(each)) for name, each in taken.items()]].sum()
        for mark in marks
    ])  # fmt: skip
    p: npt.NDArray[np.float64] = norm.sf((hits - mean) / spread)
    return p


def test_counting_tokens_accuses_the_innocent_and_counting_contexts_does_not() -> None:
    marks = random_marks(400)
    tokens = np.mean([(naive_p(HabitModel(seed), marks[:100]) <= 0.01).mean() for seed in range(3)])
    distinct = []
    for seed in range(3):
        found = settled(HabitModel(seed))
        said = [following(mark, found) for mark in marks[:100]]
        distinct += [each.log10_p("keyed-majority") <= -2 for each in said]
    assert tokens > 0.15  # at a nominal one in a hundred
    assert np.mean(distinct) <= 0.03


def test_answers_that_are_given_twice_as_often_change_no_p_value(contexts: Contexts) -> None:
    said = answers(HabitModel(7))
    twice = count([*said.items(), *said.items()], READER, least=4)
    marks = random_marks(5)
    assert set(twice.names) == set(contexts.names)
    for mark in marks:
        once, again = (following(mark, each).log10_p("keyed-rank") for each in (contexts, twice))
        assert again == pytest.approx(once)
