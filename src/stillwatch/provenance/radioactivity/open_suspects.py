"""The test of an open suspect: probabilities, less those of a reference, against keyed scores.

After each distinct window w, a(w, v) is how much likelier the suspect finds token v than the
reference does; the statistic is T = Σ a(w, v) (S(w, v) - mean), S the score that the mark gives.

On texts in which the key took no part, the weights a are independent of all scores under the null
that suspect and reference are, so that Chernoff's bound on the weighted sum holds whatever the
weights are. On texts that carry the key, what a suspect is shown depends on scores: there each
window counts at its first appearance alone, where its own scores have not been used yet, so that
bets at fixed rates are fair one after the other whatever the texts say
(:func:`stillwatch.statistics.betting_tail`). Subtracting a reference takes off what both know of
the language, which is noise to the key; it must not have been trained on marked text itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np

from stillwatch.provenance.radioactivity.differences import Silence
from stillwatch.provenance.radioactivity.evidence import Evidence, Suspect, View, gather
from stillwatch.provenance.radioactivity.outcome import (
    Outcome,
    corrected,
    decoy_keys,
    score_law,
)
from stillwatch.provenance.registration import Plan, Registration
from stillwatch.provenance.text_sets import TextSet
from stillwatch.statistics import betting_tail, chernoff_tail, saddlepoint_tail
from stillwatch.watermark import Mark, MarkKey
from stillwatch.watermark.weighted import weighted_totals

__all__ = [
    "RATES", "STANDARD_RATES", "Gathered", "gather_registered", "open_test", "score_registered",
]  # fmt: skip

#: of one set of texts: the evidence of each view, or why the suspect says nothing on it
Gathered: TypeAlias = dict[View, Evidence] | str

#: at which bets are made on served texts: for weights of a thousandth to those of nearly 1
RATES: Final = tuple(float(rate) for rate in np.geomspace(0.5, 512, 16))
#: the same for standardised differences, which are some hundred times as large
STANDARD_RATES: Final = tuple(float(rate) for rate in np.geomspace(1 / 256, 4, 16))

_NO_KEY = MarkKey(0, "", "")


def open_test(
    suspect: Suspect,
    registration: Registration,
    marks: Sequence[Mark],
    texts: Sequence[TextSet],
    *,
    salt: bytes,
    reference: Suspect | None = None,
) -> tuple[Outcome, ...]:
    """Whether the suspect was trained on text under any of the marks' keys.

    Args:
        suspect: asked once about each text.
        registration: made before, of these marks and texts with this salt.
        reference: a model that resembles the suspect and was not trained on marked text: the
            checkpoint that the suspect started from is best, the teacher itself will do.

    Returns:
        One outcome for each set of texts and mark, in that order.

    Raises:
        ValueError: anything that is not what was registered; probabilities of a wrong shape.
    """
    registration.check("open", marks, texts, salt=salt)
    gathered = gather_registered(suspect, registration, marks, texts, reference=reference)
    return score_registered(gathered, registration, marks, salt=salt)


def gather_registered(
    suspect: Suspect,
    registration: Registration,
    marks: Sequence[Mark],
    texts: Sequence[TextSet],
    *,
    reference: Suspect | None = None,
) -> tuple[Gathered, ...]:
    """What the suspect shows on each registered set of texts, before any key is looked at.

    Raises:
        ValueError: a reference that is not registered, or none that is; texts that are not those
            registered; probabilities of a wrong shape.
    """
    plan = registration.plan
    if (reference is None) != (plan.reference is None):
        raise ValueError(
            "registered is " + ("no reference" if plan.reference is None else "a reference")
        )
    if [each.digest() for each in texts] != [each.digest for each in registration.texts]:
        raise ValueError("the texts are not those registered")
    found: list[Gathered] = []
    for each, views in zip(texts, _views(registration, marks), strict=True):
        wanted = list(dict.fromkeys(views))
        try:
            seen = gather(
                suspect, each, wanted, reference=reference, kept=plan.kept,
                standard=plan.weighting == "standardised",
            )  # fmt: skip
            found.append(seen)
        except Silence as silence:
            found.append(str(silence))
    return tuple(found)


def score_registered(
    gathered: Sequence[Gathered], registration: Registration, marks: Sequence[Mark], *, salt: bytes
) -> tuple[Outcome, ...]:
    """The test of what was gathered; neither texts nor suspect are needed any more.

    Returns:
        One outcome for each set of texts and mark, in that order.

    Raises:
        ValueError: marks or salt that are not those registered; not one for each set of texts.
    """
    plan = registration.plan
    registration.check_marks("open", marks, salt=salt)
    if len(gathered) != len(registration.texts):
        raise ValueError("there is not one gathered evidence for each set of texts")
    digest, outcomes = registration.digest(), list[Outcome]()
    for each, seen, views in zip(
        registration.texts, gathered, _views(registration, marks), strict=True
    ):
        if isinstance(seen, str):
            outcomes += [
                Outcome(mark, each.name, _named(view), digest, abstained=seen)
                for mark, view in zip(marks, views, strict=True)
            ]
            continue
        if missing := set(views) - seen.keys():
            raise ValueError(f"nothing was gathered for windows of {min(missing).width} tokens")
        families: dict[tuple[Mark, View], list[int]] = {}
        for i, mark in enumerate(marks):
            families.setdefault((mark.with_key(_NO_KEY), views[i]), []).append(i)
        said: dict[int, Outcome] = {}
        for (_, view), members in families.items():
            here = [marks[i] for i in members]
            told = _family(here, seen[view], view, each.name, plan, digest)
            said |= dict(zip(members, told, strict=True))
        outcomes += [said[i] for i in range(len(marks))]
    return corrected(outcomes, plan.alpha)


def _views(registration: Registration, marks: Sequence[Mark]) -> list[list[View]]:
    """How each mark looks at each set of texts."""
    return [
        [View(mark.context, i in each.served) for i, mark in enumerate(marks)]
        for each in registration.texts
    ]


def _family(
    marks: Sequence[Mark], evidence: Evidence, view: View, name: str, plan: Plan, digest: str
) -> list[Outcome]:
    """The outcomes of marks that differ in the key alone."""
    one, law = marks[0], score_law(marks[0].law)
    if len(evidence.contexts):
        evidence = evidence.only(one.carries(evidence.contexts))
    if plan.weighting == "difference":  # standardised, none outweighs the others
        evidence = replace(evidence, weights=np.clip(evidence.weights, -plan.cap, plan.cap))
    windows, pairs = len(evidence.contexts), evidence.pairs
    reason = None
    if windows < plan.least:
        reason = f"{windows} windows to score, at least {plan.least} are needed"
    elif not pairs:
        reason = "the suspect says what the reference says: there is no difference to score"
    if reason is not None:
        return [
            Outcome(mark, name, _named(view), digest, windows, pairs, abstained=reason)
            for mark in marks
        ]
    keys = np.array([mark.key.value for mark in marks], np.uint64)
    decoys = decoy_keys(plan.decoys, plan.seed)
    totals = weighted_totals(
        one, evidence.contexts, evidence.tokens, evidence.weights, np.concatenate([keys, decoys])
    )
    others = np.sort(totals[len(keys) :])
    rows, columns = np.nonzero(evidence.weights)
    weights = evidence.weights[rows, columns].astype(np.float64)
    contexts, tokens = evidence.contexts[rows], evidence.tokens[rows, columns]
    rates = STANDARD_RATES if plan.weighting == "standardised" else RATES
    out = []
    for mark, total in zip(marks, totals, strict=False):
        scores = mark.scores(contexts, tokens)
        away = float(weights @ (scores - law.mean))
        p = (
            betting_tail(scores, weights, law, rates)
            if view.served
            else chernoff_tail(away, weights, law)
        )
        rank = 1 + len(others) - int(np.searchsorted(others, total, side="left"))
        out.append(
            Outcome(
                mark,
                name,
                _named(view),
                digest,
                windows,
                pairs,
                p,
                saddlepoint_tail(away, weights, law),
                decoy_rank=rank if len(decoys) else None,
                decoys=len(decoys),
            )
        )
    return out


def _named(view: View) -> str:
    return "open, served text" if view.served else "open, fresh text"
