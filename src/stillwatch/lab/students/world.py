"""What all cells of the proof share: text in tokens, a teacher, its answers, bases of students.

Everything is made once and kept (:class:`.kept.Kept`) under a digest of its own settings and of
what it was made from, so that a long run goes on where it was killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch

from stillwatch.lab.students.generating import Serving, serve
from stillwatch.lab.students.kept import Kept
from stillwatch.lab.students.text import PACKAGES, Part, documents, part_of
from stillwatch.lab.students.tokens import Tokens
from stillwatch.lab.students.training import Course, loss_of, train
from stillwatch.lab.students.transformer import Shape, Transformer
from stillwatch.watermark import LayeredMark, Mark
from stillwatch.watermark.mark import Int64s

__all__ = ["Setting", "World"]

#: requests of one file of unmarked answers, and of marked ones
_CHUNK: Final = 4_096
_MARKED: Final = 128
#: of teachers and bases; cells have seeds of their own
_SEED: Final = 1
_PARTS: Final[tuple[Part, ...]] = ("teacher", "base", "prompts", "fresh")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a world is made from.

    Args:
        packages: whose documentation is the text.
        library: whether Python's own library is read, too.
        teacher, teaching: the model that is copied, and its training.
        prompt: tokens of a prompt, taken from documents that neither model was trained on.
        serving: how the teacher answers.
    """

    packages: tuple[str, ...] = PACKAGES
    library: bool = True
    teacher: Shape = field(default_factory=lambda: Shape(width=192))
    teaching: Course = field(default_factory=lambda: Course(rate=2e-3, epochs=2))
    prompt: int = 16
    serving: Serving = field(default_factory=Serving)

    @property
    def text(self) -> dict[str, object]:
        """What the tokens of documents depend on."""
        less = {} if self.library else {"library": False}
        return {"packages": self.packages, "vocabulary": self.teacher.vocabulary, **less}

    @property
    def taught(self) -> dict[str, object]:
        """What the teacher depends on."""
        return {**self.text, "shape": self.teacher, "course": self.teaching}

    @property
    def served(self) -> dict[str, object]:
        """What its answers depend on, beside the mark and the seed."""
        return {**self.taught, "prompt": self.prompt, "serving": self.serving}


class World:
    """One setting, in one folder."""

    def __init__(self, setting: Setting, kept: Kept, say: Callable[[str], object] = print) -> None:
        self.setting, self.kept, self.say = setting, kept, say

    @cached_property
    def ids(self) -> dict[str, Int64s]:
        """The tokens of each part of the documents, int64 [length]."""

        def make() -> dict[str, Any]:
            texts: dict[str, list[str]] = {part: [] for part in _PARTS}
            for document in documents(self.setting.packages, library=self.setting.library):
                texts[part_of(document.path)].append(document.text)
            learned = Tokens.learned(
                texts["teacher"] + texts["base"], self.setting.teacher.vocabulary
            )
            self.kept.text("tokens", self.setting.text, learned.to_json)
            return {part: learned.encode(some).astype(np.int32) for part, some in texts.items()}

        arrays = self.kept.arrays("text", self.setting.text, make)
        return {part: ids.astype(np.int64) for part, ids in arrays.items()}

    def rows(self, part: Part, length: int, most: int | None = None) -> Int64s:
        """The tokens of a part, cut into rows, int64 [rows, length]."""
        ids = self.ids[part]
        rows = ids[: len(ids) // length * length].reshape(-1, length)
        return rows if most is None else rows[:most]

    @cached_property
    def teacher(self) -> Transformer:
        return self._trained("teacher", "teacher", self.setting.teacher, self.setting.teaching)

    def base(self, shape: Shape, course: Course) -> Transformer:
        """A model of other documents than the teacher's; a new copy at each call."""
        return self._trained("base", "base", shape, course)

    def _trained(self, name: str, part: Part, shape: Shape, course: Course) -> Transformer:
        def make() -> dict[str, Any]:
            model = Transformer(shape, seed=_SEED)
            loss = train(model, self.rows(part, shape.length), course, seed=_SEED)
            self.say(f"{name}: {shape}, {loss:.2f} nats a token in training")
            state: dict[str, Any] = model.state_dict()
            return state

        settings = {**self.setting.text, "shape": shape, "course": course}
        model = Transformer(shape, seed=_SEED)
        model.load_state_dict(self.kept.state(name, settings, make))
        model.eval()
        return model

    def prompts(self, count: int, seed: int) -> Int64s:
        """Beginnings of requests, int64 [count, prompt]."""
        ids, width = self.ids["prompts"], self.setting.prompt
        at = np.random.default_rng((7, seed)).integers(0, len(ids) - width, count)
        prompts: Int64s = ids[at[:, None] + np.arange(width)]
        return prompts

    def marked(self, mark: Mark | LayeredMark, count: int, seed: int) -> Int64s:
        """The first `count` requests of a seed that were answered under a mark."""
        chunks = [
            self._answered(mark, _MARKED, 100_000 * (seed + 1) + i)
            for i in range(-(-count // _MARKED))
        ]
        return np.concatenate(chunks)[:count]

    def unmarked(self, count: int) -> Int64s:
        """The first `count` unmarked requests of a pool, int64 [count, prompt + answer]."""
        chunks = [self._answered(None, _CHUNK, 10_000 + i) for i in range(-(-count // _CHUNK))]
        return np.concatenate(chunks)[:count]

    def nats(self) -> float:
        """The entropy of what the teacher's answers were drawn from, nats a token."""
        return float(self._served(None, _CHUNK, 10_000)["nats"])

    def _how(self, mark: Mark | LayeredMark | None, count: int, seed: int) -> dict[str, object]:
        # a mark's text names its key by cluster and epoch; the lab has one master for all
        return {**self.setting.served, "mark": repr(mark), "count": count, "seed": seed}

    def _answered(self, mark: Mark | LayeredMark | None, count: int, seed: int) -> Int64s:
        rows: Int64s = self._served(mark, count, seed)["rows"].astype(np.int64)
        return rows

    def _served(self, mark: Mark | LayeredMark | None, count: int, seed: int) -> dict[str, Any]:
        def make() -> dict[str, Any]:
            rows, nats = serve(
                self.teacher, self.prompts(count, seed), mark, self.setting.serving, seed=seed
            )
            self.say(f"served: {count} requests, seed {seed}, {nats:.2f} nats a token")
            return {"rows": rows.astype(np.int32), "nats": np.array(nats)}

        return self.kept.arrays("served", self._how(mark, count, seed), make)

    def fresh_loss(self, model: Transformer, rows: int = 512) -> float:
        """The cross entropy on documents that no model was trained on, nats a token."""
        some = torch.from_numpy(self.rows("fresh", model.shape.length, rows))
        with torch.inference_mode():
            return float(loss_of(model, some))
