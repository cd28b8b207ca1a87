"""Schemes, contexts and shares: every test of a suspect, through the public room."""

from __future__ import annotations

import numpy as np

from benchmarks.watermark.proof.sizes import Size
from stillwatch.lab.students.cells import Diet, Scheme, key_of, mark_of, meal, student
from stillwatch.lab.students.generating import serve
from stillwatch.lab.students.suspect import TransformerSuspect
from stillwatch.lab.students.transformer import Transformer
from stillwatch.lab.students.world import World
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.provenance.radioactivity import Answer, Outcome, closed_test, open_test
from stillwatch.watermark import Mark

__all__ = ["tested"]

_SALT = bytes(range(32))
#: random keys beside a key here
_DECOYS = 200


def tested(
    world: World, size: Size, scheme: Scheme, context: int, share: float, seed: int
) -> dict[str, str]:
    """What each test says of one student, by the test's name: log10 of p, or why none."""
    mark = mark_of(key_of(seed, scheme), scheme, context)
    # a clean suspect is one for all schemes, and is shown what a marked one would have been fed
    diet = Diet(size.volume, share, seed, 0, *((scheme, context) if share else ()))
    clean = Diet(size.volume, 0.0, seed, 1)
    suspect = student(world, size.attacker, diet, size.pool)
    reference = TransformerSuspect(student(world, size.attacker, clean, size.pool))
    prompt = world.setting.prompt
    count = round((share or 1.0) * (diet.volume // world.setting.serving.answer))
    marked = world.marked(mark, min(size.requests, count), seed)
    # answers that neither of the two was fed with
    other = meal(world, Diet(size.volume, 0.0, seed, 2), size.pool)[: size.requests]
    served = TextSet.of(
        "served", marked, prompts=[prompt] * len(marked), served_to=[mark.key.cluster]
    )
    documents = world.rows("fresh", size.length, size.documents)
    texts = [TextSet.of("documents", documents), TextSet.of("other answers", other), served]
    plan = Plan(
        statistic="open", reference="clean sibling 1", weighting="standardised", decoys=_DECOYS,
        vocabulary=suspect.shape.vocabulary,
    )  # fmt: skip
    registration = Registration.of(plan, [mark], texts, salt=_SALT)
    outcomes = open_test(
        TransformerSuspect(suspect), registration, [mark], texts, salt=_SALT, reference=reference
    )
    said = {f"open, {each.texts}": _shown(each) for each in outcomes}
    return said | {"closed": _shown(_closed(world, size, suspect, mark, seed))}


def _closed(world: World, size: Size, suspect: Transformer, mark: Mark, seed: int) -> Outcome:
    """The test of answers alone, sampled from the suspect as the teacher's were."""
    prompts = world.prompts(size.answers, 50_000 + seed)
    rows, _ = serve(suspect, prompts, None, world.setting.serving, seed=seed)
    plan = Plan(statistic="closed", decoys=_DECOYS)
    texts = [TextSet.of("prompts", prompts)]
    registration = Registration.of(plan, [mark], texts, salt=_SALT)
    width = prompts.shape[1]
    answers = [Answer(row[:width], row[width:]) for row in np.asarray(rows)]
    [outcome] = closed_test(answers, registration, [mark], texts, salt=_SALT)
    return outcome


def _shown(outcome: Outcome) -> str:
    if outcome.log10_p is None:
        return outcome.abstained or "nothing"
    return f"{outcome.log10_p:.1f} ({outcome.decoy_rank})"
