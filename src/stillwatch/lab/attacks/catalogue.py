"""The attacks by name: what each does, needs and costs, and how it is made from options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from stillwatch.errors import InputError
from stillwatch.lab.attacks.attack import Attack, Int64s
from stillwatch.lab.attacks.bigrams import Bigrams
from stillwatch.lab.attacks.editing import EDITS, Edit, RandomEdits
from stillwatch.lab.attacks.files import Texts, read_texts
from stillwatch.lab.attacks.mixing import Mixing
from stillwatch.lab.attacks.paraphrasing import ChatModel, Paraphrase
from stillwatch.lab.attacks.preferences import Preferences
from stillwatch.lab.attacks.rewriting import Rewriting
from stillwatch.lab.attacks.synonyms import Synonyms
from stillwatch.lab.attacks.targeting import TargetedRewriting
from stillwatch.lab.attacks.thesaurus import INSTALLED, read_thesaurus
from stillwatch.lab.attacks.truncating import Chunks, Part, Truncation
from stillwatch.lab.attacks.unigrams import Unigrams
from stillwatch.lab.attacks.wording import OnWords, Wording

__all__ = ["CATALOGUE", "Asked", "Entry", "attack_named"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What may be said of an attack; each takes some of it."""

    rate: float = 0.25
    kinds: tuple[Edit, ...] = EDITS
    length: int = 100
    part: Part = "first"
    size: int = 50
    share: float = 0.5
    shuffled: bool = False
    span: int = 20
    cover: Path | None = None
    clean: Path | None = None
    marked: Path | None = None
    width: int = 1
    strength: float = 1.0
    thesaurus: Path = INSTALLED
    url: str | None = None
    model: str | None = None
    temperature: float = 1.0
    api_key: str | None = None


class Material:
    """The texts of the attacker, those of plain text as words under one numbering.

    Raises (each way to read):
        InputError: a file cannot be read, or is of the other kind than the texts.
    """

    def __init__(self, texts: Texts) -> None:
        self.wording, self._field = Wording(), texts.field
        self.attacked = self._tokens(texts)

    def read(self, path: Path | None) -> list[Int64s]:
        """The texts of another file; an option that was not given is none."""
        if path is None:
            return []
        texts = read_texts(path)
        if texts.field != self._field:
            raise InputError(f"has {texts.field}, and the texts are {self._field}", path=path)
        return self._tokens(texts)

    def _tokens(self, texts: Texts) -> list[Int64s]:
        return texts.tokens or [self.wording.read(text) for text in texts.plain]


Kind = Literal["words", "plain", "student"]
Make = Callable[[Asked, Material], Attack[Int64s]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One attack.

    Attributes:
        on: `words` takes token ids or the words of plain text, `plain` plain text only; `student`
            works on a model, from Python.
        does, needs, costs, by: said to a reader.
        options: the fields of :class:`Asked` that it looks at.
        required: those of them that have no default.
    """

    on: Kind
    does: str
    needs: str
    costs: str
    by: str
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    make: Make | None = None


def attack_named(name: str, asked: Asked, texts: Texts, stack: ExitStack) -> Attack[Any]:
    """The attack of that name on these texts; `stack` closes what it holds open.

    Raises:
        KeyError: there is none of that name that changes texts.
        InputError: the texts, or a file that it needs, are not of the kind that it takes.
        ValueError: an option out of its range.
    """
    entry = CATALOGUE[name]
    if entry.on == "plain":
        if texts.field != "text":
            raise InputError(f"{name} is for plain text, and these are token ids")
        if name == "synonyms":
            return Synonyms(asked.rate, read_thesaurus(asked.thesaurus))
        chat = ChatModel(
            asked.url or "", asked.model or "", key=asked.api_key, temperature=asked.temperature
        )
        return Paraphrase(stack.enter_context(chat))
    if entry.make is None:
        raise KeyError(name)
    material = Material(texts)
    made = entry.make(asked, material)
    return OnWords(made, material.wording) if texts.field == "text" else made


def _edits(asked: Asked, material: Material) -> RandomEdits:
    law = Unigrams(material.read(asked.clean) or material.attacked)
    return RandomEdits(asked.rate, law, asked.kinds)


def _mixing(asked: Asked, material: Material) -> Mixing:
    around = [token for text in material.read(asked.cover) for token in text.tolist()]
    return Mixing(asked.share, np.array(around, np.int64), asked.span, material.wording.ends)


def _targeted(asked: Asked, material: Material) -> TargetedRewriting:
    model = Bigrams(material.read(asked.clean))
    marked = material.read(asked.marked) or material.attacked
    guessed = Preferences.counted(marked, model, width=asked.width)
    return TargetedRewriting(asked.rate, model, guessed, asked.strength)


CATALOGUE: Final[Mapping[str, Entry]] = {
    "truncation": Entry(
        "words", "keeps so many tokens: the first, the last, or somewhere", "nothing",
        "what is cut off", "anybody", ("length", "part"),
        make=lambda asked, _: Truncation(asked.length, asked.part),
    ),
    "chunks": Entry(
        "words", "cuts into chunks and keeps some, in order or shuffled", "nothing",
        "what is left out; sense at the joints", "anybody", ("size", "share", "shuffled"),
        make=lambda asked, _: Chunks(asked.size, asked.share, asked.shuffled),
    ),
    "mixing": Entry(
        "words", "disperses pieces of the text among unmarked text; long ones are pasted passages",
        "unmarked text", "the unmarked text", "Kirchenbauer et al., arXiv:2306.04634",
        ("share", "span", "cover"), ("cover",), _mixing,
    ),
    "edits": Entry(
        "words", "replaces, inserts and deletes tokens at random", "nothing (or unmarked text)",
        "sense: the text is spoilt at each edit", "Kuditipudi et al., arXiv:2307.15593",
        ("rate", "kinds", "clean"), make=_edits,
    ),
    "synonyms": Entry(
        "plain", "replaces words by synonyms, English unless another thesaurus is named",
        "a thesaurus in the form of MyThes (Debian: mythes-en-us)",
        "sense: the wrong one of a word's meanings", "anybody", ("rate", "thesaurus"),
    ),
    "paraphrase": Entry(
        "plain", "lets a language model rewrite the text (untargeted, UP)",
        "a model behind an OpenAI-compatible address", "a pass of that model",
        "Pan et al., arXiv:2502.11598; Krishna et al., arXiv:2303.13408",
        ("url", "model", "temperature", "api_key"), ("url", "model"),
    ),
    "rewriting": Entry(
        "words", "draws tokens again by a bigram model between their neighbours: a stand-in for a "
        "paraphrase without a language model", "unmarked text of the same kind", "sense",
        "ours, after Pan et al.", ("rate", "clean"), ("clean",),
        lambda asked, material: Rewriting(asked.rate, Bigrams(material.read(asked.clean))),
    ),
    "targeted": Entry(
        "words", "guesses from counts what the key prefers, and draws those tokens again against "
        "it (TP, with the same stand-in)", "unmarked text of the same kind, much marked text",
        "sense", "Pan et al., arXiv:2502.11598",
        ("rate", "clean", "marked", "width", "strength"), ("clean",), _targeted,
    ),
    "neutralisation": Entry(
        "student", "takes inherited preferences off a student's logits while it answers (WN): "
        "stillwatch.lab.attacks.Neutralised, from Python", "the student before and after training",
        "what else it learned after the same short prefixes", "Pan et al., arXiv:2502.11598",
    ),
    "averaging": Entry(
        "student", "averages the probabilities of students that were fed under different keys: "
        "stillwatch.lab.attacks.Averaged, from Python", "several students, or several models",
        "as many passes as there are students", "Wu et al., arXiv:2605.30501",
    ),
}  # fmt: skip
"""Every attack, the simplest first."""
