"""What is known of a text or a model before any key is asked: distinct windows, perhaps weighted.

Nothing in here looks at a key. Each window counts once; one whose context stood earlier in the same
answer or in its prompt is left out: what is copied from there, marked as it may be, was not written
by the suspect. The order of texts does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.mark import Bools, Floats, Int64s
from stillwatch.watermark.prf import words
from stillwatch.watermark.refusing import Vocabulary, reason_to_abstain
from stillwatch.watermark.spending import Look, Looks, Part
from stillwatch.watermark.windows import contexts_of, counted

__all__ = ["Evidence"]

_VERSION = b"stillwatch-evidence-v1"
_SPLIT_BY = "premix-v1"


@dataclass(frozen=True, eq=False)
class Evidence:
    """Distinct windows in ascending order; make one with :meth:`of_texts` and its siblings.

    It remembers under which plan it was traced, and is refused to a second one.

    Attributes:
        contexts: int64 [n, context].
        tokens: int64 [n].
        weights: float64 [n] by which scores count, chosen without any key; None is 1 each.
        left_out: why texts are not in it, one line each.
        part: of which whole this is, see :meth:`split`.
    """

    contexts: Int64s
    tokens: Int64s
    weights: Floats | None = None
    left_out: tuple[str, ...] = ()
    part: Part = ()
    _looks: Looks = field(default_factory=Looks, repr=False)
    _whole: str | None = field(default=None, repr=False)

    @classmethod
    def of_texts(
        cls,
        texts: Iterable[Int64s],
        context: int,
        *,
        vocabulary: Vocabulary | None = None,
        tokenizer: str | None = None,
    ) -> Evidence:
        """From texts of which everything was written by the suspect; see :meth:`of_answers`."""
        nothing = np.empty(0, np.int64)
        return cls.of_answers(
            ((nothing, text) for text in texts), context, vocabulary=vocabulary,
            tokenizer=tokenizer,
        )  # fmt: skip

    @classmethod
    def of_answers(
        cls,
        answers: Iterable[tuple[Int64s, Int64s]],
        context: int,
        *,
        vocabulary: Vocabulary | None = None,
        tokenizer: str | None = None,
    ) -> Evidence:
        """From (prompt, answer) pairs, tokens int64 each; the prompt is read and not scored.

        Args:
            context: tokens of a context of the marks that will be looked for. The first tokens of
                a text, which have fewer before them, are no windows.
            vocabulary: of the model whose marks these are.
            tokenizer: of what made these tokens, compared with that of the vocabulary.

        Raises:
            ValueError: tokens that are no integers [length]; a context below 1.
        """
        contexts, tokens = [np.empty((0, context), np.int64)], [np.empty(0, np.int64)]
        left_out = []
        for number, (prompt, answer) in enumerate(answers, 1):
            before, after = np.asarray(prompt), np.asarray(answer)
            for part in (before, after):
                if part.ndim != 1 or (part.size and part.dtype.kind not in "iu"):
                    raise ValueError(f"tokens are integers [length], not {part.dtype} {part.shape}")
            both = np.concatenate([before.astype(np.int64), after.astype(np.int64)])
            reason = reason_to_abstain(both, vocabulary, tokenizer)
            if reason is not None:
                left_out.append(f"{number}: {reason}")
                continue
            positions = counted(both, context, once="context", prefix=False)
            positions = positions[positions >= len(before)]
            contexts.append(contexts_of(both, context, positions))
            tokens.append(both[positions])
        made = cls.of_windows(np.concatenate(contexts), np.concatenate(tokens))
        return cls(made.contexts, made.tokens, left_out=tuple(left_out))

    @classmethod
    def of_windows(
        cls, contexts: Int64s, tokens: Int64s, weights: Floats | Sequence[float] | None = None
    ) -> Evidence:
        """From windows as they are: contexts int64 [n, context], tokens int64 [n], weights [n].

        What comes twice counts once. Weights are for a suspect that shows its probabilities
        (:mod:`stillwatch.provenance` makes them); whoever sets them must not have looked at a key.

        Raises:
            ValueError: arrays of another shape or type, a negative token, a weight that is not
                finite, one window with several weights.
        """
        contexts, tokens = np.asarray(contexts), np.asarray(tokens)
        integers = {contexts.dtype.kind, tokens.dtype.kind} <= {"i", "u"}
        if contexts.ndim != 2 or contexts.shape[1] < 1 or tokens.shape != contexts.shape[:1]:
            integers = False
        if not integers:
            raise ValueError(
                f"contexts are integers [n, context] and tokens [n], not {contexts.dtype} "
                f"{contexts.shape} and {tokens.dtype} {tokens.shape}"
            )
        contexts, tokens = contexts.astype(np.int64), tokens.astype(np.int64)
        if tokens.size and (tokens.min() < 0 or contexts.min() < -1):
            raise ValueError("a token is not negative")
        order, first = _distinct(contexts, tokens)
        if weights is not None:
            weights = np.asarray(weights, np.float64)
            if weights.shape != tokens.shape or not np.isfinite(weights).all():
                raise ValueError("there is one finite weight for each window")
            if not first.all():
                raise ValueError("a window has one weight: add up what belongs to one")
            weights = weights[order]
        return cls(contexts[order][first], tokens[order][first], weights)

    @classmethod
    def of_weights(cls, contexts: Int64s, tokens: Int64s, weights: npt.ArrayLike) -> Evidence:
        """From many tokens of each context, as :mod:`stillwatch.provenance` has an open suspect's.

        Of texts in which none of the keys took part that will be asked for: what a suspect says of
        served text depends on their scores, and no bound on weighted sums holds there.

        Args:
            contexts: int64 [n, context], each once.
            tokens: int64 [n, k].
            weights: float [n, k]; a token of weight 0 is left out.

        Raises:
            ValueError: see :meth:`of_windows`.
        """
        heavy = np.asarray(weights, np.float64)
        if heavy.ndim != 2 or np.shape(tokens) != heavy.shape or len(contexts) != len(heavy):
            raise ValueError("there is one row of tokens and of weights for each context")
        row, place = np.nonzero(heavy)
        return cls.of_windows(
            np.asarray(contexts)[row], np.asarray(tokens)[row, place], heavy[row, place]
        )

    def __post_init__(self) -> None:
        for array in (self.contexts, self.tokens, self.weights):
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def context(self) -> int:
        """Tokens of a context."""
        return int(self.contexts.shape[1])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over windows and weights, 64 hexadecimal digits."""
        said = hashlib.sha256(_VERSION)
        said.update(np.array([*self.contexts.shape, self.weights is not None], "<i8").tobytes())
        for array in (self.contexts, self.tokens):
            said.update(np.ascontiguousarray(array, "<i8").data)
        if self.weights is not None:
            said.update(np.ascontiguousarray(self.weights, "<f8").data)
        return said.hexdigest()

    def split(self, seed: int) -> tuple[Evidence, Evidence]:
        """Two halves by context, about as large: one to be led by, one to test what it suggests.

        Which half a context falls into depends on the seed alone. Halves of one split may be traced
        under a plan each; of the whole and a half only one.

        Raises:
            ValueError: a seed that has more than 63 bits.
        """
        if not 0 <= seed < 1 << 63:
            raise ValueError("a seed has at most 63 bits")
        nothing = np.full(len(self), -1, np.int64)
        side = words(_SPLIT_BY, seed, self.contexts, nothing) & 1
        return self._half(side == 0, seed, 0), self._half(side == 1, seed, 1)

    def _half(self, taken: Bools, seed: int, half: int) -> Evidence:
        return Evidence(
            self.contexts[taken], self.tokens[taken],
            None if self.weights is None else self.weights[taken],
            left_out=self.left_out, part=(*self.part, (seed, half)), _looks=self._looks,
            _whole=self._whole or self.digest,
        )  # fmt: skip

    def look(self, plan: str) -> Look:
        """What a look at this under the plan of digest `plan` is."""
        return Look(self._whole or self.digest, self.part, plan)

    def spend(self, plan: str) -> None:
        """Note that this is looked at under the plan of digest `plan`.

        Raises:
            EvidenceSpentError: it, or what shares windows with it, was under another.
        """
        self._looks.take(self.look(plan))


def _distinct(contexts: Int64s, tokens: Int64s) -> tuple[Int64s, Bools]:
    """An ascending order of windows, and which in that order differ from the one before."""
    columns = (tokens, *(contexts[:, i] for i in reversed(range(contexts.shape[1]))))
    order = np.lexsort(columns)
    first = np.zeros(len(tokens), np.bool_)
    first[:1] = True
    for column in columns:
        sorted_ = column[order]
        first[1:] |= sorted_[1:] != sorted_[:-1]
    return order, first
