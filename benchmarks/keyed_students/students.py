"""A teacher, students of several diets and models of other authors: trained, asked, and kept."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.keyed_students.authors import Author, prompts, vocabulary
from benchmarks.keyed_students.sizes import Size, shape
from benchmarks.keyed_students.words import ANSWER, PROMPT, Words
from stillwatch.lab.students.kept import Kept
from stillwatch.lab.students.training import Course, train
from stillwatch.lab.students.transformer import Cache, Transformer
from stillwatch.provenance.keyed import EnglishReader, KeyedMark, rewrite
from stillwatch.watermark import KeyRing
from stillwatch.watermark.choices.english import CONNECTIVES, TABLE

__all__ = ["READER", "Diet", "World", "key_of"]

Int64s = npt.NDArray[np.int64]
Pair = tuple[str, str]

READER = EnglishReader()
#: what was done to the teacher's answers before a student read them
Dressing: TypeAlias = Literal["marked", "unmarked", "restyled"]

#: of the teacher's author and its own training; students have seeds of their own
_TEACHER = 1
#: seeds of what is asked: probes, what the teacher's customers ask, and all others
_PROBES, _ASKED, _OTHERS = 1_000_003, 10_000, 20_000
_BATCH = 500


def key_of(seed: int, cluster: str = "c-812") -> KeyedMark:
    """The mark of a cluster of the provider of this seed."""
    master = np.random.default_rng((19, seed)).bytes(32)
    return KeyedMark.of(KeyRing(master, "2026-11"), cluster, READER.name)


@dataclass(frozen=True, slots=True)
class Diet:
    """What a student reads.

    Args:
        seed: of the key, of what was asked, of the student's weights and its order.
        taught: pairs of the teacher's.
        dressing: what was done to them.
        own: pairs of another author.
        foreign: whether those carry another provider's key.
    """

    seed: int
    taught: int = 0
    dressing: Dressing = "marked"
    own: int = 0
    foreign: bool = False


class World:
    """All models of one size, in one folder."""

    def __init__(self, size: Size, kept: Kept) -> None:
        self.size, self.kept = size, kept
        self.words = Words.of(vocabulary())

    @cached_property
    def probes(self) -> list[str]:
        """What every model is asked; nobody learnt from answers to them."""
        return prompts(self.size.probes, _PROBES)

    @cached_property
    def teacher(self) -> Transformer:
        """The model that is copied."""
        size = self.size
        model = Transformer(shape(self.words.size, size.teacher), seed=_TEACHER)
        settings = self._taught

        def make() -> dict[str, torch.Tensor]:
            texts = Author(_TEACHER).answers(self._asked(size.texts, _TEACHER), _TEACHER)
            self._train(model, texts, self.size.teaching, _TEACHER, "the teacher")
            state: dict[str, torch.Tensor] = model.state_dict()
            return state

        model.load_state_dict(self.kept.state("teacher", settings, make))
        return model.eval()

    def served(self, count: int, seed: int) -> list[Pair]:
        """Prompts and the teacher's answers, before a key has its say."""
        asked = self._asked(count, _ASKED + seed)
        settings = {**self._taught, "served": count, "seed": seed}

        def make() -> dict[str, Int64s]:
            return {"rows": _ask(self.teacher, self.words.prompts(asked), seed)}

        return self._read(asked, self.kept.arrays("served", settings, make)["rows"])

    def served_to(self, asked: list[str]) -> list[Pair]:
        """What the teacher answers to these prompts, unmarked."""
        return self._read(asked, _ask(self.teacher, self.words.prompts(asked), _TEACHER))

    def says(self, diet: Diet) -> dict[str, str]:
        """What a student of this diet answers to the probes."""
        settings = {
            **self._taught, "table": TABLE, "student": self.size.student, "diet": asdict(diet),
            "course": dict(self.size.courses)[diet.taught + diet.own], "probes": self.size.probes,
        }  # fmt: skip

        def make() -> dict[str, Int64s]:
            model = Transformer(shape(self.words.size, self.size.student), seed=100 + diet.seed)
            pairs = self._pairs(diet)
            course = dict(self.size.courses)[len(pairs)]
            self._train(model, pairs, course, 100 + diet.seed, str(diet))
            return {"rows": _ask(model.eval(), self.words.prompts(self.probes), diet.seed)}

        return dict(self._read(self.probes, self.kept.arrays("says", settings, make)["rows"]))

    def _pairs(self, diet: Diet) -> list[Pair]:
        taught = self.served(diet.taught, diet.seed) if diet.taught else []
        if diet.dressing == "marked":
            mark = key_of(diet.seed)
            taught = [(p, rewrite(mark, READER, p, answer)) for p, answer in taught]
        elif diet.dressing == "restyled":
            taught = [(p, _one_style(answer)) for p, answer in taught]
        asked = self._asked(diet.own, _OTHERS + diet.seed) if diet.own else []
        own = Author(100 + diet.seed).answers(asked, diet.seed)
        if diet.foreign:
            other = key_of(diet.seed, "of another provider")
            own = [(p, rewrite(other, READER, p, answer)) for p, answer in own]
        return [*taught, *own]

    def _asked(self, count: int, seed: int) -> list[str]:
        return prompts(count, seed, known=frozenset(self.probes))

    def _train(
        self, model: Transformer, pairs: list[Pair], course: Course, seed: int, who: str
    ) -> None:
        begun = time.process_time()
        loss = train(model, self.words.pairs(pairs), course, seed=seed, prompt=PROMPT)
        print(
            f"{time.strftime('%H:%M:%S')} {who}: {loss:.3f} nats a token, "
            f"{time.process_time() - begun:.0f} CPU-s",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    def _read(self, asked: list[str], rows: Int64s) -> list[Pair]:
        return [(p, self.words.text(row)) for p, row in zip(asked, rows, strict=True)]

    @property
    def _taught(self) -> dict[str, object]:
        """What the teacher, and what it serves, depend on."""
        size = self.size
        return {"width": size.teacher, "texts": size.texts, "teaching": size.teaching, "version": 1}


def _one_style(answer: str) -> str:
    for phrases in CONNECTIVES.values():
        for phrase in phrases[1:]:
            answer = answer.replace(phrase, phrases[0])
    return answer


@torch.inference_mode()
def _ask(model: Transformer, asked: Int64s, seed: int) -> Int64s:
    """Answers at temperature 1, int64 [prompts, ANSWER]."""
    generator, out = torch.Generator().manual_seed(seed), []
    for start in range(0, len(asked), _BATCH):
        fed = torch.from_numpy(asked[start : start + _BATCH])
        cache, said = Cache(model.shape, len(fed)), []
        for _ in range(ANSWER):
            chances = torch.softmax(model(fed, cache)[:, -1], -1)
            fed = torch.multinomial(chances, 1, generator=generator)
            said.append(fed)
        out.append(torch.cat(said, 1).numpy())
    return np.concatenate(out)
