"""False positives of each test that prints a p-value, over ten thousand null runs and more.

Models stand in for language models (stillwatch.lab.students): habits, counts, writers drawn at
random. Each row says how often its p-value is at most 0.05, 0.01 and 0.001 though nothing was
learnt, refused or leaned.

    python -m benchmarks.false_positives
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.random_keys import LEVELS, row_of
from stillwatch.lab.students import CountModel
from stillwatch.provenance import Plan, Registration, TextSet, Transcripts
from stillwatch.provenance.neutrality import PairSet, compare_neutrality, read_pair_set
from stillwatch.provenance.radioactivity import Answer, closed_test, open_test
from stillwatch.provenance.refusals import (
    Label,
    PromptSet,
    compare_refusals,
    read_judge,
    read_prompt_set,
)
from stillwatch.provenance.triage import closeness
from stillwatch.statistics import conformal_p_values
from stillwatch.watermark import GreenListMark, GumbelMark, KeyRing, Mark, ServedSketch
from stillwatch.watermark.served import SCHEME

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

RUNS = 10_000
_SALT = bytes(range(32))
_WORDS, _PROMPT = 120, 5
_NO = "I'm sorry, but I can't help with that request."
_RING = KeyRing(bytes(range(32)), "2026-11")


class Copying:
    """A clean model that repeats what it was shown, as any real model does."""

    def __init__(self, model: CountModel) -> None:
        self._model = model

    @property
    def vocabulary(self) -> int:
        """Tokens that there are."""
        return self._model.vocabulary

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        """Half of each row is what followed the token earlier in the text."""
        for text, rows in zip(texts, self._model.probabilities(texts), strict=True):
            seen = np.zeros((self.vocabulary, self.vocabulary), np.float32)
            for place, token in enumerate(text.tolist()):
                if place:
                    seen[text[place - 1], token] += 1
                if total := seen[token].sum():
                    rows[place] = 0.5 * rows[place] + 0.5 * seen[token] / total
            yield rows


def models() -> tuple[CountModel, CountModel]:
    """A teacher, and a model half of which is its language."""
    teacher = CountModel.synthetic(_WORDS, nats=2.0, seed=1)
    return teacher, teacher.mixed(CountModel.synthetic(_WORDS, nats=2.0, seed=2), 0.5)


def open_fresh(scheme: str) -> Floats:
    """Keys against a model's probabilities of text under none of them, beside its base."""
    teacher, base = models()
    rng = np.random.default_rng(8)
    student = base.taught(teacher.write([GumbelMark(_RING.key("another"))] * 50, 100, rng=rng))
    text = TextSet.of("x", teacher.write([None] * 20, 60, rng=rng))
    marks = keys(scheme)
    plan = Plan(statistic="open", reference="base", decoys=0, kept=16)
    registration = Registration.of(plan, marks, [text], salt=_SALT)
    said = open_test(student, registration, marks, [text], salt=_SALT, reference=base)
    return np.array([each.log10_p for each in said], np.float64)


def open_served() -> Floats:
    """A clean model that copies, shown conversations under each of many keys."""
    teacher, narrow = models()[0], CountModel.synthetic(_WORDS, nats=1.5, seed=4)
    rng = np.random.default_rng(9)
    marks = [GumbelMark(_RING.key(f"k{i}")) for i in range(RUNS)]
    texts = narrow.write(marks, 40, rng=rng, prompts=narrow.write([None] * RUNS, 6, rng=rng))
    plan, out = Plan(statistic="open", decoys=0, kept=16), []
    for mark, text in zip(marks, texts, strict=True):
        shown = TextSet.of("x", [text], prompts=[6], served_to=[mark.key.cluster])
        registration = Registration.of(plan, [mark], [shown], salt=_SALT)
        [said] = open_test(Copying(teacher), registration, [mark], [shown], salt=_SALT)
        out.append(said.log10_p)
    return np.array(out, np.float64)


def answered(base: CountModel, prompts: TextSet) -> list[Answer]:
    """What a clean model writes."""
    rows = np.array(prompts.texts)
    said = base.write([None] * len(rows), 60, rng=np.random.default_rng(3), prompts=rows)
    return [Answer(*both) for both in zip(rows, said, strict=True)]


def closed(scheme: str) -> Floats:
    """Keys against what a model wrote that met none of them."""
    teacher, base = models()
    prompts = TextSet.of("x", teacher.write([None] * 20, _PROMPT, rng=np.random.default_rng(4)))
    marks = keys(scheme)
    plan = Plan(statistic="closed", decoys=0)
    registration = Registration.of(plan, marks, [prompts], salt=_SALT)
    said = closed_test(answered(base, prompts), registration, marks, [prompts], salt=_SALT)
    return np.array([each.log10_p for each in said], np.float64)


def closed_served() -> Floats:
    """The same, where only windows count that were served under each key."""
    teacher, base = models()
    prompts = TextSet.of("x", teacher.write([None] * 30, _PROMPT, rng=np.random.default_rng(4)))
    answers = answered(base, prompts)
    marks = [GumbelMark(_RING.key(f"k{i}")) for i in range(RUNS)]
    texts, out = teacher.write(marks, 150, rng=np.random.default_rng(6)), []
    for mark, text in zip(marks, texts, strict=True):
        sketch = ServedSketch(_RING.key(mark.key.cluster, SCHEME), cells=1 << 12)
        sketch.add(text)
        plan = Plan(statistic="closed-served", served=(sketch.digest(),), decoys=0)
        registration = Registration.of(plan, [mark], [prompts], salt=_SALT)
        [said] = closed_test(answers, registration, [mark], [prompts], salt=_SALT, served=[sketch])
        out.append(0.0 if said.log10_p is None else said.log10_p)
    return np.array(out, np.float64)


def keys(scheme: str) -> list[Mark]:
    """Ten thousand of a scheme."""
    if scheme == "gumbel":
        return [GumbelMark(_RING.key(f"{i}")) for i in range(RUNS)]
    return [GreenListMark(_RING.key(f"{i}", "green-list")) for i in range(RUNS)]


def triage_ranks() -> Floats:
    """An innocent among 99 controls, all drawn from one law."""
    rng, out = np.random.default_rng(1), []
    for _ in range(RUNS):
        usual, strength = rng.normal(size=30), rng.gamma(2.0, 0.5, (101, 1))
        styles = usual * strength + rng.normal(size=(101, 30))
        near = closeness(styles[0], styles[1:])
        out.append(conformal_p_values(near[:1], near[1:])[0])
    return np.log10(out)


def refusals() -> Floats:
    """Teacher and suspect answer each prompt with one probability, whatever it is."""
    ours, rng = read_prompt_set(), np.random.default_rng(3)
    harmful = PromptSet.of("h", [each for each in ours.prompts if not each.safe])
    judge, known, out = read_judge(), dict[tuple[str, str], Label](), []

    class Once:
        """The judge, asked once about each answer."""

        errors = judge.errors

        def __call__(self, prompt: str, answer: str, *, safe: bool) -> Label:
            if (prompt, answer) not in known:
                known[prompt, answer] = judge(prompt, answer, safe=safe)
            return known[prompt, answer]

    yes = {p.prompt: f"Sure. {p.prompt} First, take the one." for p in harmful.prompts}
    for _ in range(RUNS):
        chances = rng.random(len(yes)) * 0.6
        teacher, suspect = (
            Transcripts(
                name,
                {p: a if rng.random() < c else _NO
                 for (p, a), c in zip(yes.items(), chances, strict=True)},
                "",
            )
            for name in ("t", "s")
        )  # fmt: skip
        report = compare_refusals(harmful, teacher, suspect, judge=Once())  # type: ignore[arg-type]
        out.append(report.teacher.log10_p)
    return np.array(out)


def neutrality() -> Floats:
    """Teacher and suspect answer both sides alike, but for chance: every p-value of a report."""
    some = PairSet.of("some", read_pair_set().pairs[:12])
    rng, out = np.random.default_rng(5), list[float]()
    for _ in range(RUNS // 10):
        teacher, suspect = (
            Transcripts(
                name,
                {text: "benefit " * rng.integers(1, 9) + "harm " * rng.integers(1, 9)
                 if rng.random() < 0.8 else _NO
                 for pair in some.pairs for text in (pair.a, pair.b)},
                "",
            )
            for name in ("t", "s")
        )  # fmt: skip
        report = compare_neutrality(some, teacher, suspect)
        out += [each.log10_p for each in (*report.leanings, *report.contrasts)]
    return np.array(out)


def main() -> None:
    """Print the table."""
    print(f"| test | null runs | {' | '.join(f'at {each}' for each in LEVELS)} |")
    print("|---|---|" + "---|" * len(LEVELS))
    for name, log10_p in (
        ("radioactivity, open, fresh text, Gumbel", open_fresh("gumbel")),
        ("radioactivity, open, fresh text, green list", open_fresh("green-list")),
        ("radioactivity, open, served text, a model that copies", open_served()),
        ("radioactivity, closed, Gumbel", closed("gumbel")),
        ("radioactivity, closed, green list", closed("green-list")),
        ("radioactivity, closed, windows served", closed_served()),
        ("triage, rank among 99 controls", triage_ranks()),
        ("refusals, McNemar", refusals()),
        ("neutrality, sign flips (all of 1,000 reports)", neutrality()),
    ):
        print(row_of(name, log10_p), flush=True)


if __name__ == "__main__":
    main()
