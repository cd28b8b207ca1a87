"""What is trained: the whole proof, and its small form for CI."""

from __future__ import annotations

from dataclasses import dataclass, field

from stillwatch.lab.students.cells import Attacker, Scheme
from stillwatch.lab.students.generating import Serving
from stillwatch.lab.students.training import Course
from stillwatch.lab.students.transformer import Shape
from stillwatch.lab.students.world import Setting

__all__ = ["FULL", "SMOKE", "Size"]


@dataclass(frozen=True, slots=True)
class Size:
    """One form of the proof.

    Args:
        setting: of the teacher and its answers.
        attacker: whoever copies it in every table that does not say otherwise.
        others: other attackers, by what they do otherwise.
        volume, share: of the cell that has a target.
        siblings: clean students a seed.
        seeds: of that cell.
        pool: unmarked requests.
        texts, length: fresh documents that all are asked about.
        schemes: schemes and contexts that are compared.
        shares: of marked text in that table, largest first.
        volumes: of the table of volumes, and how many requests its pool has.
        table_seeds: of the other tables.
        decoys: random keys beside each; so many fives of wrong keys are tried on a clean student.
        documents, requests, answers: of the table of schemes: documents that open suspects are
            shown, other requests and served ones, and answers that closed suspects give.
        quality_prompts, quality_keys: of the table of what marks do to answers.
    """

    setting: Setting = field(default_factory=Setting)
    attacker: Attacker = field(default_factory=Attacker)
    others: tuple[tuple[str, Attacker], ...] = ()
    volume: int = 300_000
    share: float = 0.05
    siblings: int = 3
    seeds: tuple[int, ...] = tuple(range(10))
    pool: int = 3 * 4_096
    texts: int = 4_000
    length: int = 64
    schemes: tuple[tuple[Scheme, int], ...] = (
        ("gumbel", 1),
        ("green-list", 1),
        ("gumbel", 2),
        ("gumbel", 4),
    )
    shares: tuple[float, ...] = (1.0, 0.1, 0.05, 0.01, 0.0)
    volumes: tuple[int, ...] = (100_000, 300_000, 1_000_000)
    large_pool: int = 5 * 4_096
    table_seeds: tuple[int, ...] = (0,)
    decoys: int = 1_000
    documents: int = 1_500
    requests: int = 800
    answers: int = 1_000
    quality_prompts: int = 64
    quality_keys: int = 16


FULL = Size(
    others=(
        ("half the learning rate", Attacker(learning=Course(rate=5e-4))),
        ("two epochs", Attacker(learning=Course(epochs=2))),
        ("steps of 8 sequences, not 32", Attacker(learning=Course(batch=8))),
    )
)

_SMALL = Shape(width=64, layers=1, heads=2, length=64)

SMOKE = Size(
    setting=Setting(
        packages=("networkx", "numpy"),
        library=False,
        teacher=_SMALL,
        teaching=Course(rate=4e-3, epochs=1, batch=64),
        serving=Serving(answer=48),
    ),
    attacker=Attacker(
        shape=_SMALL,
        basing=Course(rate=4e-3, batch=64),
        learning=Course(rate=3e-3, epochs=2, batch=8),
    ),
    volume=40_000,
    share=0.5,
    siblings=2,
    seeds=(0,),
    pool=4_096,
    texts=1_200,
    schemes=(("gumbel", 1),),
    shares=(1.0,),
    volumes=(),
    decoys=200,
    documents=300,
    requests=200,
    answers=200,
)
