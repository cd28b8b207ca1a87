"""Under the null: whatever habits a model has, a key that it never met is rarely found.

Ten thousand keys against the answers of models with habits; and beside it what counting tokens does
with the same answers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import kstest, norm

from stillwatch.lab.students import HabitModel
from stillwatch.provenance.keyed import SCHEME, KeyedMark
from stillwatch.provenance.keyed.counting import Contexts, count
from stillwatch.provenance.keyed.following import following
from stillwatch.statistics import choice_tail
from stillwatch.watermark import MarkKey
from tests.provenance.keyed.conftest import READER, answers

RUNS = 10_000


def random_marks(many: int, seed: int = 5) -> list[KeyedMark]:
    values = np.random.default_rng(seed).integers(0, 1 << 64, many, np.uint64).tolist()
    return [KeyedMark(MarkKey(value, "", "", SCHEME), READER.name) for value in values]


def settled(model: HabitModel, **settings: object) -> Contexts:
    return count(answers(model).items(), READER, **({"least": 2} | settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def contexts() -> Contexts:
    return settled(HabitModel(7))


def allowed(alpha: float, runs: int) -> float:
    """Four standard errors above a nominal rate."""
    return alpha + 4 * float(np.sqrt(alpha * (1 - alpha) / runs))


@pytest.mark.slow
def test_ten_thousand_keys_are_found_no_more_often_than_alpha_says(contexts: Contexts) -> None:
    said = [following(mark, contexts) for mark in random_marks(RUNS)]
    tails = [choice_tail(k, said[0].shares) for k in range(len(contexts.names) + 1)]
    first = np.array([tails[int(each.hits.sum())] for each in said])
    rank = np.array([each.log10_p("keyed-rank") for each in said[:2_000]])
    for alpha in (0.05, 0.01, 0.001):
        assert (first <= np.log10(alpha)).mean() <= allowed(alpha, RUNS)
        assert (rank <= np.log10(alpha)).mean() <= allowed(alpha, 2_000)
    rng = np.random.default_rng(1)
    fuzzy = np.array([
        choice_tail(int(each.hits.sum()), each.shares, rng) for each in said[:2_000]
    ])  # fmt: skip
    assert kstest(10**fuzzy, "uniform").pvalue > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["keyed-majority", "keyed-rank"])
def test_wealth_at_any_time_is_rarely_high_under_a_strange_key(statistic: str) -> None:
    found = settled(HabitModel(8), looks="any")
    many = 4_000 if statistic == "keyed-majority" else 1_000
    log10_e = np.array([
        following(mark, found).log10_e(statistic)  # type: ignore[arg-type]
        for mark in random_marks(many)
    ])  # fmt: skip
    for alpha in (0.05, 0.01):
        assert (log10_e >= -np.log10(alpha)).mean() <= allowed(alpha, many)
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
