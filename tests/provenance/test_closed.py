"""Closed suspects: text alone, exact over keys, and what was served as a filter on contexts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binom, kstest

from stillwatch.lab.students import CountModel
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.provenance.radioactivity import Answer, Outcome, closed_test
from stillwatch.provenance.radioactivity.closed_suspects import _pairs
from stillwatch.statistics import gamma_tail
from stillwatch.watermark import GreenListMark, GumbelMark, KeyRing, Mark, ServedSketch
from stillwatch.watermark.served import SCHEME
from tests.provenance.conftest import SALT, VOCABULARY, Int64s

PROMPT, ANSWER = 5, 60


def answered(model: CountModel, prompts: Int64s, seed: int = 3) -> list[Answer]:
    said = model.write(
        [None] * len(prompts), ANSWER, rng=np.random.default_rng(seed), prompts=prompts
    )
    return [Answer(*both) for both in zip(prompts, said, strict=True)]


def questions(teacher: CountModel, many: int, served_to: Sequence[str] = ()) -> TextSet:
    rng = np.random.default_rng(4)
    return TextSet.of("prompts", teacher.write([None] * many, PROMPT, rng=rng), served_to=served_to)


def ask(
    said: Sequence[Answer],
    marks: Sequence[Mark],
    prompts: TextSet,
    served: Sequence[ServedSketch] = (),
    round_trip: float | None = None,
    **settings: object,
) -> tuple[Outcome, ...]:
    kind = "closed-served" if served else "closed"
    digests = tuple(sketch.digest() for sketch in served)
    plan = Plan(statistic=kind, served=digests, **{"decoys": 200, **settings})  # type: ignore[arg-type]
    registration = Registration.of(plan, marks, [prompts], salt=SALT)
    return closed_test(
        said, registration, marks, [prompts], salt=SALT, served=served, round_trip=round_trip
    )


def sketch_of(ring: KeyRing, cluster: str, texts: Sequence[Int64s]) -> ServedSketch:
    sketch = ServedSketch(ring.key(cluster, SCHEME), cells=1 << 12)
    for text in texts:
        sketch.add(text)
    return sketch


def test_a_student_is_found_in_its_text_by_its_own_keys(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    gumbel, green = GumbelMark(ring.key("a")), GreenListMark(ring.key("a", "green-list"), delta=4)
    fed = teacher.write([gumbel] * 100 + [green] * 100, 100, rng=np.random.default_rng(5))
    prompts = questions(teacher, 100)
    answers = answered(base.taught(fed), np.array(prompts.texts))
    marks = [gumbel, green, GumbelMark(ring.key("b"))]
    found = ask(answers, marks, prompts)
    assert [o.found for o in found] == [True, True, False]
    assert all(o.log10_p_approximate is None for o in found)
    assert found[0].decoy_rank == 1
    assert found[2].corrected_log10_p >= found[2].log10_p


def test_windows_that_were_served_are_where_the_evidence_is(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    # the cluster was served a quarter of the words; what the student says of others is noise
    mark, rng = GumbelMark(ring.key("a")), np.random.default_rng(5)
    whole = CountModel.synthetic(600, nats=3.0, seed=1)
    few = whole.table * (np.arange(600) < 150)
    part = CountModel(few / few.sum(axis=1, keepdims=True), whole.start)
    fed = part.write([mark] * 60, 100, rng=rng, prompts=np.ones((60, 1), np.int64))
    student = whole.taught([*fed, *whole.write([None] * 60, 100, rng=rng)], weight=20.0)
    prompts = questions(whole, 200)
    answers = answered(student, np.array(prompts.texts))
    [plain] = ask(answers, [mark], prompts)
    [filtered] = ask(answers, [mark], prompts, [sketch_of(ring, "a", fed)])
    assert filtered.windows <= 150 < plain.windows
    assert filtered.statistic == "closed, windows served"
    assert filtered.log10_p_approximate < filtered.log10_p < plain.log10_p - 2


def test_each_pair_counts_once_and_not_where_the_context_showed_its_window() -> None:
    prompts = TextSet.of("x", [[1, 2], [7, 1]])
    answers = [
        Answer(np.array([1, 2]), np.array([3, 1, 3, 4])),  # 2→3 3→1 1→3: 1 was in the prompt
        Answer(np.array([7, 1]), np.array([3, 1, 5])),  # 1→3 3→1: known, and 1→5: 1 was shown
    ]
    contexts, tokens = _pairs(answers, prompts, 1, False)
    pairs = list(zip(contexts.ravel().tolist(), tokens.tolist(), strict=True))
    assert pairs == [(2, 3), (3, 1), (1, 3)]
    contexts, _ = _pairs(answers, prompts, 1, True)
    assert contexts.ravel().tolist() == [3]


def test_under_the_null_p_values_and_ranks_are_uniform_over_keys(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    closed_promise(teacher, base, ring, 300)


@pytest.mark.slow
def test_ten_thousand_keys_keep_the_promise(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    closed_promise(teacher, base, ring, 10_000)


def closed_promise(teacher: CountModel, base: CountModel, ring: KeyRing, keys: int) -> None:
    prompts = questions(teacher, 20)
    answers = answered(base, np.array(prompts.texts))
    marks: list[Mark] = [GumbelMark(ring.key(f"{i}")) for i in range(keys)]
    marks += [GreenListMark(ring.key(f"{i}", "green-list")) for i in range(keys)]
    said = ask(answers, marks, prompts, decoys=20)
    log10_p = np.array([o.log10_p for o in said], float)
    assert kstest(10 ** log10_p[:keys], "uniform").pvalue > 0.005
    for some in (log10_p[:keys], log10_p[keys:]):
        within_bounds(some)


def within_bounds(log10_p: np.ndarray) -> None:
    """Shares of at most 0.1, 0.01, 0.001 within the 99.9 % bound of chance."""
    for alpha in (1e-1, 1e-2, 1e-3):
        assert (log10_p <= np.log10(alpha)).sum() <= binom.ppf(0.999, len(log10_p), alpha)


def served_trials(
    teacher: CountModel, base: CountModel, ring: KeyRing, trials: int
) -> tuple[np.ndarray, np.ndarray]:
    """Clean answers, filtered by what each of many keys served: by windows, and by pairs."""
    prompts = questions(teacher, 30)
    answers = answered(base, np.array(prompts.texts))
    marks = [GumbelMark(ring.key(f"k{i}")) for i in range(trials)]
    texts = teacher.write(marks, 150, rng=np.random.default_rng(6))
    contexts, tokens = _pairs(answers, prompts, 1, False)
    right, wrong = [], []
    for mark, text in zip(marks, texts, strict=True):
        sketch = sketch_of(ring, mark.key.cluster, [text])
        [said] = ask(answers, [mark], prompts, [sketch], decoys=0)
        right.append(said.log10_p)
        served = set(zip(text[:-1].tolist(), text[1:].tolist(), strict=True))
        kept = [
            pair in served for pair in zip(contexts.ravel().tolist(), tokens.tolist(), strict=True)
        ]
        scores = mark.scores(contexts[kept], tokens[kept])
        wrong.append(float(gamma_tail(scores.sum(), len(scores))))
    return np.array(right, float), np.array(wrong)


def test_filtering_by_windows_keeps_the_promise_and_by_pairs_would_break_it(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    right, wrong = served_trials(teacher, base, ring, 60)
    within_bounds(right)
    assert (wrong < -2).mean() > 0.5


@pytest.mark.slow
def test_a_thousand_filters_keep_the_promise(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    right, _ = served_trials(teacher, base, ring, 1_000)
    within_bounds(right)


def test_answers_that_were_not_registered_are_refused(teacher: CountModel, ring: KeyRing) -> None:
    prompts, marks = questions(teacher, 4), [GumbelMark(ring.key("a"))]
    answers = answered(teacher, np.array(prompts.texts))
    with pytest.raises(ValueError, match="4 answers are registered"):
        ask(answers[:3], marks, prompts)
    with pytest.raises(ValueError, match="answer 1 is to a prompt"):
        ask(answers[::-1], marks, prompts)
    with pytest.raises(ValueError, match="8 answers are registered"):
        ask(answers, marks, prompts, answers=2)
    plan = Plan(statistic="closed-served", served=("other",))
    registration = Registration.of(plan, marks, [prompts], salt=SALT)
    sketch = sketch_of(ring, "a", [np.arange(9)])
    with pytest.raises(ValueError, match="sketches"):
        closed_test(answers, registration, marks, [prompts], salt=SALT, served=[sketch])


def test_a_suspect_that_says_nothing_to_score_is_not_judged(
    teacher: CountModel, ring: KeyRing
) -> None:
    prompts, marks = questions(teacher, 4), [GumbelMark(ring.key("a"))]
    answers = answered(teacher, np.array(prompts.texts))
    nothing = [Answer(a.prompt, a.answer[:0]) for a in answers]
    beyond = [Answer(a.prompt, a.answer + 500) for a in answers]
    below = [Answer(a.prompt, a.answer - 500) for a in answers]
    short = [Answer(a.prompt, a.answer[:1]) for a in answers]
    elsewhere = sketch_of(ring, "a", [np.arange(5_000, 5_020)])
    for said, reason in (
        (ask(nothing, marks, prompts), "empty"),
        (ask(beyond, marks, prompts, vocabulary=VOCABULARY), "another tokenizer"),
        (ask(below, marks, prompts), "which is none"),
        (ask(short, marks, prompts), "windows to score"),
        (ask(answers, marks, prompts, round_trip=0.5), "tokenized again"),
        (ask(answers, marks, prompts, [elsewhere]), "were served"),
    ):
        assert reason in str(said[0].abstained)
        assert said[0].log10_p is None
        assert said[0].corrected_log10_p is None
        assert not said[0].found
