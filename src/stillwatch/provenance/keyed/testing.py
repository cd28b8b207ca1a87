"""The keyed test: do the choices of a suspect follow a key that it could not know but from us?

Null: nothing that the model learnt depended on the key. Then, the key being random, each distinct
context is a hit with the probability of one in its options, independently of all others and of
whatever the model does; the number of hits has an exact law. Nothing is assumed about the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from stillwatch.errors import PlanError, TranscriptError
from stillwatch.provenance.keyed.counting import Contexts, count
from stillwatch.provenance.keyed.following import Following, following
from stillwatch.provenance.keyed.outcome import KeyedOutcome, Role, corrected
from stillwatch.provenance.keyed.shares import Scores, scores
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import KEYED, Plan, Registration
from stillwatch.provenance.transcripts import Transcripts
from stillwatch.watermark import MarkKey
from stillwatch.watermark.choices import SCHEME, KeyedMark, Reader

__all__ = ["Answers", "count_answers", "keyed_test", "reference_name"]

#: prompt → answer of one model; their order says nothing
Answers = Mapping[str, str]


def keyed_test(
    suspects: Mapping[str, Answers],
    registration: Registration,
    marks: Sequence[KeyedMark],
    probes: Probes,
    reader: Reader,
    *,
    salt: bytes,
    controls: Mapping[str, Answers] | None = None,
    other_code: bool = False,
) -> tuple[KeyedOutcome, ...]:
    """Whether any of these models learnt from answers under any of the marks' keys.

    Args:
        suspects: what each answered, by name. Where the plan allows any number of looks, answers
            count in the order of the probes, up to the first that is not there yet.
        registration: made before, of these marks and probes with this salt.
        controls: models that are known not to have learnt from the teacher. Where one of them is
            found under a key, nothing is said of any suspect under it. The reference of the plan,
            where it has one, is among them (:func:`reference_name`).
        other_code: go on though the plan was made for another release of this program.

    Returns:
        One outcome for each suspect and mark, in that order, and then for each control and mark.

    Raises:
        PlanError: anything that is not what was registered; more suspects than were.
        TranscriptError: probes that were not asked, or prompts that are no probes.
    """
    plan, controls = registration.plan, controls or {}
    _check(registration, marks, probes, reader, salt, other_code)
    reference = _reference(plan, controls, probes)
    if not suspects:
        raise PlanError("there is no suspect to be tested")
    if len(suspects) > plan.suspects:
        raise PlanError(
            f"the plan is for {plan.suspects} suspects at most, and there are {len(suspects)}"
        )
    if both := suspects.keys() & controls.keys():
        raise PlanError(f"{min(both)} is a suspect and a control at once")
    digest = registration.digest()
    roles: list[tuple[Role, Mapping[str, Answers]]] = [("suspect", suspects), ("control", controls)]
    found: dict[Role, tuple[KeyedOutcome, ...]] = {}
    for role, models in roles:
        outcomes = [
            each for name, answers in models.items()
            for each in _tested(name, role, answers, plan, marks, probes, reader, digest, reference)
        ]  # fmt: skip
        many = plan.suspects if role == "suspect" else len(models)
        found[role] = corrected(outcomes, plan.alpha, many * len(marks))
    return (*(_in_doubt(each, found["control"]) for each in found["suspect"]), *found["control"])


def _check(
    registration: Registration,
    marks: Sequence[KeyedMark],
    probes: Probes,
    reader: Reader,
    salt: bytes,
    other_code: bool,
) -> None:
    plan = registration.plan
    if plan.statistic not in KEYED:
        raise PlanError(f"the plan is for the statistic {plan.statistic!r}, which is not keyed")
    for mark in marks:
        if mark.key.scheme != SCHEME or mark.reader != reader.name:
            raise PlanError("a mark was made for another reader than the one that is given")
    try:
        registration.check(plan.statistic, marks, [probes.text_set()], salt=salt)
    except ValueError as error:
        raise PlanError(str(error)) from error
    registration.check_code(other_code=other_code)


def reference_name(model: str, answers: Answers, probes: Probes) -> str:
    """What a plan calls a reference: the model, and the digest of its answers to the probes.

    For ``keyed-shares``: a model that cannot have learnt from the teacher, with habits like those
    of the suspect without it, such as its base.

    Raises:
        TranscriptError: probes that were not asked.
    """
    said = Transcripts.of(model, answers).to(probes.prompts)
    digest = Transcripts.of(model, dict(zip(probes.prompts, said, strict=True))).digest
    return f"{model} sha256:{digest}"


def _reference(
    plan: Plan, controls: Mapping[str, Answers], probes: Probes
) -> tuple[str, Answers] | None:
    """The control that the plan has as its reference."""
    if plan.reference is None:
        return None
    for model, answers in controls.items():
        if plan.reference.startswith(f"{model} ") and plan.reference == reference_name(
            model, answers, probes
        ):
            return model, answers
    raise PlanError(f"the plan's reference is no control: {plan.reference}")


def _tested(
    name: str,
    role: Role,
    answers: Answers,
    plan: Plan,
    marks: Sequence[KeyedMark],
    probes: Probes,
    reader: Reader,
    digest: str,
    reference: tuple[str, Answers] | None,
) -> list[KeyedOutcome]:
    """The outcomes of one model, uncorrected."""
    contexts, read, silence = count_answers(name, answers, plan, probes, reader)
    bare = [
        KeyedOutcome(name, role, mark, digest, read, contexts.sightings, len(contexts.names),
                     abstained=silence)
        for mark in marks
    ]  # fmt: skip
    if silence is not None:
        return bare
    scored = _scored(contexts, name, reference, plan, reader)
    decoys = [
        following(KeyedMark(MarkKey(value, "", "", SCHEME), ""), contexts, scored).height(
            plan.statistic
        )
        for value in np.random.default_rng(plan.seed)
        .integers(0, 1 << 64, plan.decoys, np.uint64)
        .tolist()
    ]
    return [_judged(each, following(each.mark, contexts, scored), plan, decoys) for each in bare]


def count_answers(
    name: str, answers: Answers, plan: Plan, probes: Probes, reader: Reader
) -> tuple[Contexts, int, str | None]:
    """What a plan reads in the answers of a model, and no key has a part in: the contexts, how many
    answers were read, and why nothing can be said of them, or None.

    Raises:
        TranscriptError: probes that were not asked, or prompts that are no probes.
    """
    _check_answers(name, answers, plan, probes)
    # in the order of the plan, up to the first that is missing: whoever has the key could else
    # choose which sighting settles a context, or leave out what speaks against it
    read = [(prompt, answers[prompt]) for prompt in takewhile(answers.__contains__, probes.prompts)]
    contexts = count(
        read, reader, looks=plan.looks, least=plan.sightings, exclusions=plan.exclusions
    )
    return contexts, len(read), _silence([answer for _, answer in read], contexts, plan)


def _scored(
    contexts: Contexts, name: str, reference: tuple[str, Answers] | None, plan: Plan, reader: Reader
) -> tuple[Scores, ...]:
    """What the shares of these contexts say, at each dilution."""
    if plan.statistic != "keyed-shares":
        return ()
    if reference is None or reference[0] == name:  # nothing stands out from itself
        return scores(contexts)
    return scores(contexts, count(reference[1].items(), reader))


def _check_answers(name: str, answers: Answers, plan: Plan, probes: Probes) -> None:
    if strange := answers.keys() - set(probes.prompts):
        raise TranscriptError(
            f"{name} answers {len(strange)} prompts that are no probes of the plan"
        )
    missing = len(probes.prompts) - len(answers)
    if missing and plan.looks == "one":
        raise TranscriptError(
            f"{name} was not asked {missing} of {len(probes.prompts)} probes; the plan has one "
            "look, at all of them"
        )


def _silence(answers: Sequence[str], contexts: Contexts, plan: Plan) -> str | None:
    """Why nothing can be said of these answers, or None."""
    if not answers:
        return "the first probe of the plan is not answered; they are read in its order"
    if not any(answer.strip() for answer in answers):
        return "it answered nothing"
    if not contexts.sightings:
        return (
            f"none of its {len(answers)} answers has a choice that the reader knows: it refuses, "
            "or writes in another language or style"
        )
    n = len(contexts.names)
    if n < plan.least:
        return f"{n} distinct contexts, at least {plan.least} are needed"
    best = float(-np.log10(contexts.options).sum())
    if best > np.log10(plan.alpha):
        return f"{n} distinct contexts could not reach alpha, were every one of them a hit"
    return None


def _judged(
    bare: KeyedOutcome, said: Following, plan: Plan, decoys: Sequence[float]
) -> KeyedOutcome:
    rank = 1 + sum(each >= said.height(plan.statistic) for each in decoys)
    ranked = plan.statistic == "keyed-rank"
    log10_e = None if plan.looks == "one" else said.log10_e(plan.statistic)
    log10_p = said.log10_p(plan.statistic) if log10_e is None else min(0.0, -log10_e)
    return replace(
        bare, hits=int(said.hits.sum()), expected=float(said.shares.sum()),
        seconds=int(said.second_hits.sum()) if ranked else None,
        seconds_of=len(said.second_hits) if ranked else None,
        log10_p=log10_p, log10_e=log10_e,
        decoy_rank=rank if decoys else None, decoys=len(decoys),
    )  # fmt: skip


def _in_doubt(outcome: KeyedOutcome, controls: Sequence[KeyedOutcome]) -> KeyedOutcome:
    """Silent, where a control is found under the same key."""
    for each in controls:
        if each.found and each.mark == outcome.mark and outcome.abstained is None:
            return replace(
                outcome, log10_p=None, log10_e=None, corrected_log10_p=None, found=False,
                abstained=f"the control {each.model} is found under this key, too: what carries it "
                "reached models that did not learn from the teacher, or the key is known",
            )  # fmt: skip
    return outcome
