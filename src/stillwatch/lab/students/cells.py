"""One cell of the proof: what a student was fed, and the student."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from stillwatch.lab.students.suspect import Sums, sums_of
from stillwatch.lab.students.training import Course, train
from stillwatch.lab.students.transformer import Shape, Transformer
from stillwatch.lab.students.world import World
from stillwatch.watermark import GreenListMark, GumbelMark, KeyRing, Mark, MarkKey
from stillwatch.watermark.mark import Int64s

__all__ = ["Attacker", "Diet", "Scheme", "key_of", "mark_of", "meal", "said", "student"]

Scheme = Literal["gumbel", "green-list"]

#: of the lab alone: the keys of a proof that anybody can repeat are no secret
_MASTER: Final = bytes(range(32))
_PRF: Final = "premix-v1"


@dataclass(frozen=True, slots=True)
class Attacker:
    """How whoever copies the teacher trains: a choice of theirs, not ours.

    Args:
        shape: of the student.
        basing: how it was trained before, on documents of its own.
        learning: how it is trained on what the teacher served.
    """

    shape: Shape = field(default_factory=Shape)
    basing: Course = field(default_factory=lambda: Course(rate=2e-3, epochs=2))
    learning: Course = field(default_factory=Course)


@dataclass(frozen=True, slots=True)
class Diet:
    """What a student is fed.

    Args:
        volume: served tokens, prompts not counted.
        share: of its requests that were answered under the key of its seed.
        seed: of the key, the requests and the order; a new key, other text and another order.
        sibling: 0 is the suspect; another number is another student of the same seed, whose
            requests are others.
        scheme, context: of the mark.
    """

    volume: int
    share: float
    seed: int
    sibling: int = 0
    scheme: Scheme = "gumbel"
    context: int = 1


def key_of(seed: int, scheme: Scheme, *, cluster: str = "suspected") -> MarkKey:
    """The key of a seed; other clusters are keys that took no part."""
    return KeyRing(_MASTER, epoch=f"proof-{seed}").key(cluster, scheme)


def mark_of(key: MarkKey, scheme: Scheme, context: int) -> Mark:
    """The mark of a scheme under a key; a green list adds 2 to a quarter of the tokens."""
    if scheme == "gumbel":
        return GumbelMark(key, context=context, prf=_PRF)
    return GreenListMark(key, context=context, gamma=0.25, delta=2.0, prf=_PRF)


def meal(world: World, diet: Diet, pool: int) -> Int64s:
    """The requests and answers of a diet, int64 [requests, prompt + answer].

    Unmarked ones come from a pool of `pool` requests in an order of the seed's own, and siblings
    never share one.

    Raises:
        ValueError: a pool too small for this sibling.
    """
    count = diet.volume // world.setting.serving.answer
    first, end = count * diet.sibling, count * (diet.sibling + 1)
    if end > pool:
        raise ValueError(f"sibling {diet.sibling} needs a pool of {end} requests, not {pool}")
    order = np.random.default_rng((3, diet.seed)).permutation(pool)[first:end]
    rows = world.unmarked(pool)[order]
    marked = round(diet.share * count)
    if marked:
        mark = mark_of(key_of(diet.seed, diet.scheme), diet.scheme, diet.context)
        rows[:marked] = world.marked(mark, marked, diet.seed)
    return rows


def student(world: World, attacker: Attacker, diet: Diet, pool: int) -> Transformer:
    """The attacker's base after training on what the teacher served."""

    def make() -> dict[str, Any]:
        model = world.base(attacker.shape, attacker.basing)
        rows = meal(world, diet, pool)
        seed = 100 * diet.seed + diet.sibling
        loss = train(model, rows, attacker.learning, seed=seed, prompt=world.setting.prompt)
        world.say(f"student: {diet}, {loss:.2f} nats a token in training")
        state: dict[str, Any] = model.state_dict()
        return state

    model = Transformer(attacker.shape, seed=1)
    settings = _settings(world, attacker, diet, pool)
    model.load_state_dict(world.kept.state("student", settings, make))
    model.eval()
    return model


def said(
    world: World, attacker: Attacker, diet: Diet, pool: int, *, texts: int, length: int
) -> Sums:
    """What the student says after each token of fresh documents, cut into `texts` of `length`."""

    def make() -> dict[str, Any]:
        model = student(world, attacker, diet, pool)
        return sums_of(model, world.rows("fresh", length, texts))._asdict()

    settings = {**_settings(world, attacker, diet, pool), "texts": texts, "length": length}
    return Sums(**world.kept.arrays("said", settings, make))


def _settings(world: World, attacker: Attacker, diet: Diet, pool: int) -> dict[str, object]:
    return {**world.setting.served, "attacker": attacker, "diet": diet, "pool": pool}
