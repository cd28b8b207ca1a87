"""The test of a closed suspect: text alone, each distinct (window, token) pair scored once.

The answers do not depend on the key under the null, so the scores of distinct pairs are independent
draws from the mark's law, and their sum has an exact tail. Windows that an answer or its prompt has
shown before are left out: what follows them is likely to be copied. Where prompts carry the key,
every window of any prompt is left out of all answers: only its scores can have shaped them.

With a sketch of what was served only windows in it count, the others being noise. Which windows
were served depends on the key, through the tokens that it chose: a window's own scores play a part
in what was served after it was, though never before it first was. So the number of scored pairs is
not fixed beforehand, and an exact tail for a fixed number would not be one; bets at fixed rates on
each window from its first service on are fair whatever is served after
(:func:`stillwatch.statistics.betting_tail`). Filtering by served *pairs* would be wrong outright.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from stillwatch.provenance.radioactivity.outcome import (
    Outcome,
    corrected,
    decoy_keys,
    score_law,
)
from stillwatch.provenance.radioactivity.positions import coded
from stillwatch.provenance.radioactivity.suspects import ClosedSuspect
from stillwatch.provenance.registration import Plan, Registration
from stillwatch.provenance.text_sets import Int64s, TextSet
from stillwatch.statistics import betting_tail
from stillwatch.watermark import Mark
from stillwatch.watermark.served import ServedSketch
from stillwatch.watermark.windows import contexts_of, counted

__all__ = ["RATES", "closed_test"]

#: at which bets are made on what was served: for shifts of a thousandth to those of a whole mean
RATES: Final = tuple(float(rate) for rate in np.geomspace(1 / 1024, 0.75, 16))


def closed_test(
    answers: ClosedSuspect,
    registration: Registration,
    marks: Sequence[Mark],
    prompts: Sequence[TextSet],
    *,
    salt: bytes,
    served: Sequence[ServedSketch] = (),
    round_trip: float | None = None,
) -> tuple[Outcome, ...]:
    """Whether what wrote these answers was trained on text under any of the marks' keys.

    Args:
        answers: of all prompts of all sets, in their order, each prompt as often as was registered.
        registration: made before, of these marks and prompts with this salt.
        prompts: the registered sets; their `prompts` lengths do not matter.
        served: a sketch for each mark, for the statistic ``closed-served``.
        round_trip: where the answers came from another tokenizer, the share of them that is the
            same text again when the tokens are decoded.

    Returns:
        One outcome for each set of prompts and mark, in that order.

    Raises:
        ValueError: anything that is not what was registered.
    """
    plan = registration.plan
    registration.check("closed-served" if served else "closed", marks, prompts, salt=salt)
    if tuple(sketch.digest() for sketch in served) != plan.served:
        raise ValueError("the sketches of what was served are not those registered")
    for mark, kept in zip(marks, served, strict=False):
        if mark.context != kept.context:
            raise ValueError("a sketch has contexts as long as those of its mark")
    asked = [text for each in prompts for text in each.texts for _ in range(plan.answers)]
    if len(answers) != len(asked):
        raise ValueError(f"{len(asked)} answers are registered, and there are {len(answers)}")
    for number, (said, prompt) in enumerate(zip(answers, asked, strict=True), 1):
        if not np.array_equal(said.prompt, prompt):
            raise ValueError(f"answer {number} is to a prompt that is not the one registered there")
    digest, outcomes, start = registration.digest(), list[Outcome](), 0
    for each in prompts:
        some = answers[start : start + len(each.texts) * plan.answers]
        start += len(some)
        reason = _silence(some, plan, round_trip)
        pairs: dict[tuple[int, bool], tuple[Int64s, Int64s]] = {}
        for place, mark in enumerate(marks):
            name = "closed, windows served" if served else "closed"
            if reason is not None:
                outcomes.append(Outcome(mark, each.name, name, digest, abstained=reason))
                continue
            view = (mark.context, mark.key.cluster in each.served_to)
            if view not in pairs:
                pairs[view] = _pairs(some, each, *view)
            sketch = served[place] if served else None
            outcomes.append(_tested(mark, *pairs[view], sketch, each.name, name, plan, digest))
    return corrected(outcomes, plan.alpha)


def _silence(answers: ClosedSuspect, plan: Plan, round_trip: float | None) -> str | None:
    """Why nothing can be said about these answers, or None."""
    if round_trip is not None and round_trip < plan.round_trip:
        return (
            f"only {round_trip:.0%} of the answers are the same text when tokenized again, and "
            f"{plan.round_trip:.0%} are needed"
        )
    if not any(len(said.answer) for said in answers):
        return "the answers are empty"
    for said in answers:
        if not said.answer.size:
            continue
        if said.answer.min() < 0:
            return f"an answer holds the token {said.answer.min()}, which is none"
        if plan.vocabulary is not None and said.answer.max() >= plan.vocabulary:
            return (
                f"an answer holds the token {said.answer.max()}, beyond the vocabulary of "
                f"{plan.vocabulary}: another tokenizer"
            )
    return None


def _pairs(
    answers: ClosedSuspect, prompts: TextSet, width: int, carried: bool
) -> tuple[Int64s, Int64s]:
    """Distinct windows and tokens, int64 [n, width] and [n]."""
    contexts, tokens = [np.empty((0, width), np.int64)], [np.empty(0, np.int64)]
    for prompt, answer in answers:
        text = np.concatenate([prompt, answer])
        places = counted(text, width, once="context", prefix=False)
        places = places[places >= len(prompt)]
        contexts.append(contexts_of(text, width, places))
        tokens.append(text[places])
    windows, after = np.concatenate(contexts), np.concatenate(tokens)
    if carried:
        shown = [np.empty(0, np.uint64)]
        for text in prompts.texts:
            # the window that ends with the prompt is one of those that it shows
            ends = np.arange(width, len(text) + 1)
            shown.append(coded(contexts_of(np.append(text, 0), width, ends)))
        new = ~np.isin(coded(windows), np.concatenate(shown))
        windows, after = windows[new], after[new]
    _, firsts = np.unique(coded(np.column_stack([windows, after])), return_index=True)
    firsts = np.sort(firsts)
    return windows[firsts], after[firsts]


def _tested(
    mark: Mark,
    contexts: Int64s,
    tokens: Int64s,
    sketch: ServedSketch | None,
    texts: str,
    name: str,
    plan: Plan,
    digest: str,
) -> Outcome:
    """The outcome of one mark."""
    if len(contexts):
        taken = mark.carries(contexts)
        if sketch is not None:
            taken = taken & sketch.contains(contexts)
        contexts, tokens = contexts[taken], tokens[taken]
    pairs = len(tokens)
    windows = len(np.unique(coded(contexts)))
    if windows < plan.least:
        what = "windows that were served" if sketch is not None else "windows to score"
        return Outcome(
            mark, texts, name, digest, windows, pairs,
            abstained=f"{windows} {what}, at least {plan.least} are needed",
        )  # fmt: skip
    decoys = decoy_keys(plan.decoys, plan.seed)
    keys = np.concatenate([np.array([mark.key.value], np.uint64), decoys])
    totals = mark.totals(contexts, tokens, keys)
    exact = float(mark.law.log10_p(totals[0], pairs))
    p, near = exact, None
    if sketch is not None:
        scores = mark.scores(contexts, tokens)
        p, near = betting_tail(scores, np.ones(pairs), score_law(mark.law), RATES), exact
    rank = 1 + int((totals[1:] >= totals[0]).sum())
    return Outcome(
        mark, texts, name, digest, windows, pairs, p, near,
        decoy_rank=rank if plan.decoys else None, decoys=plan.decoys,
    )  # fmt: skip
