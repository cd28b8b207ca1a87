"""The plan of a test, fixed and hashed before the first query, so that nothing is chosen after.

Whoever is shown the digest beforehand can check afterwards that the keys, the texts, the statistic,
its settings, the reference and α are those of the plan. The digest is SHA-256 of the plan as
canonical JSON (RFC 8785).
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

import msgspec
import rfc8785

from stillwatch.errors import PlanError
from stillwatch.key_files import MINIMUM_BYTES
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.plan_files import read_plan, write_plan
from stillwatch.provenance.text_sets import TextSet
from stillwatch.watermark import MarkKey

__all__ = [
    "FORMAT",
    "KEYED",
    "Looks",
    "Plan",
    "Registrable",
    "Registration",
    "Statistic",
    "Weighting",
]

FORMAT: Final = "stillwatch.registration/1"

#: probabilities; sampled answers; sampled answers where only what was served counts; keyed choices
#: of text, by what is taken most often in a context, by what is taken first or second, or by how
#: often each option is taken
Statistic: TypeAlias = Literal[
    "open", "closed", "closed-served", "keyed-majority", "keyed-rank", "keyed-shares"
]
#: when the test may be made: once, on all answers; or again and again while answers come in
Looks: TypeAlias = Literal["one", "any"]

KEYED: Final[tuple[Statistic, ...]] = ("keyed-majority", "keyed-rank", "keyed-shares")

#: how a difference to the reference counts
Weighting: TypeAlias = Literal["difference", "standardised"]

Setting: TypeAlias = str | bool | int | float
_SETTING = (str, bool, int, float)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided beforehand about how a test is done; every field has its say in the digest.

    Attributes:
        statistic: what is asked of the suspect.
        alpha: a key is found where its corrected p-value is at most this.
        reference: the name and digest of the model that is subtracted (open), or of the transcripts
            that habits are judged by (keyed-shares); None is none.
        decoys, seed: random keys beside, and the seed that they are drawn from.
        weighting: how differences to the reference count (open): as they are, on average over the
            occurrences of a window, or as :mod:`.radioactivity.differences` standardises them.
        kept: tokens of each context that count, those of the largest differences (open).
        cap: plain weights beyond it, either way, count as it does (open). A few huge ones, of what
            one of the models happens to be sure of, would otherwise outweigh everything.
        least: windows below which nothing is said.
        answers: how many answers are sampled to each prompt (closed).
        vocabulary: tokens of the model that was marked.
        round_trip: answers of which less than this share comes back from another tokenizer as it
            was are not tested (closed).
        served: the digest of the sketch of what each mark served, in the order of the marks
            (closed-served).
        sightings: how often a choice must have been seen in a context to count (keyed).
        suspects: how many may be tested by this plan; Holm corrects for all of them (keyed).
        looks: the stopping rule: ``one`` look, with an exact p-value, or ``any`` number, with an
            e-value (keyed).
        exclusions: kinds of choices that do not count (keyed).
        generator: what wrote the probes, with its version or digest.
        code: the digest of the program that tests (:func:`stillwatch.provenance.code_digest`).
    """

    statistic: Statistic
    alpha: float = 1e-3
    reference: str | None = None
    decoys: int = 1_000
    seed: int = 0
    weighting: Weighting = "difference"
    kept: int = 64
    cap: float = 0.1
    least: int = 16
    answers: int = 1
    vocabulary: int | None = None
    round_trip: float = 0.9
    served: tuple[str, ...] = ()
    sightings: int = 1
    suspects: int = 1
    looks: Looks = "one"
    exclusions: tuple[str, ...] = ()
    generator: str | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        if self.statistic not in get_args(Statistic):
            raise ValueError(f"a statistic is one of {', '.join(get_args(Statistic))}")
        if not 0 < self.alpha < 1:
            raise ValueError("alpha lies between 0 and 1")
        if self.decoys < 0 or min(self.kept, self.least, self.answers) < 1:
            raise ValueError("decoys are not negative; tokens, windows and answers at least one")
        if not 0 < self.cap <= 1 or not 0 <= self.round_trip <= 1:
            raise ValueError("a cap and a share lie between 0 and 1")
        if self.statistic not in ("open", "keyed-shares") and self.reference is not None:
            raise ValueError("a reference belongs to the statistics 'open' and 'keyed-shares'")
        if self.weighting not in get_args(Weighting):
            raise ValueError(f"a weighting is one of {', '.join(get_args(Weighting))}")
        if self.weighting == "standardised" and self.reference is None:
            raise ValueError("differences are standardised by a reference, and there is none")
        if bool(self.served) != (self.statistic == "closed-served"):
            raise ValueError("sketches of what was served belong to the statistic 'closed-served'")
        if min(self.sightings, self.suspects) < 1 or self.looks not in get_args(Looks):
            raise ValueError("sightings and suspects are at least one; looks are 'one' or 'any'")
        if self.statistic == "keyed-rank" and self.looks == "any" and self.sightings < 2:
            raise ValueError("at any number of looks a rank needs two sightings and more")
        if self.statistic == "keyed-shares" and self.looks == "any":
            raise ValueError("shares are scored once, when all answers are there")
        if len(set(self.exclusions)) < len(self.exclusions):
            raise ValueError("a kind of choice is excluded once")
        keyed = self.sightings > 1 or self.suspects > 1 or self.looks != "one" or self.exclusions
        if keyed and self.statistic not in KEYED:
            raise ValueError(
                "sightings, suspects, looks and exclusions belong to the keyed statistics"
            )


#: fields that plans did not always have: left out where nothing is said, so that a plan of before
#: keeps its digest
_LATER: Final = ("sightings", "suspects", "looks", "exclusions", "generator", "code")


class Registrable(Protocol):
    """What a plan can commit to: a frozen dataclass with a scheme and a key."""

    @property
    def key(self) -> MarkKey:
        """The key, of which a plan shows a commitment."""
        ...

    @property
    def scheme(self) -> str:
        """The name of the scheme."""
        ...


class RegisteredMark(msgspec.Struct, frozen=True):
    """A mark as a plan shows it: its settings, and a commitment to its key."""

    scheme: str
    settings: dict[str, Setting]
    commitment: str


class RegisteredTexts(msgspec.Struct, frozen=True):
    """Texts as a plan shows them; `served` are the places of the marks that they may carry."""

    name: str
    digest: str
    texts: int
    tokens: int
    served: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """A plan bound to keys and texts; :meth:`digest` is what is published.

    A test takes the registration together with the marks, the texts and the salt themselves, and
    refuses whatever is not what was registered.
    """

    plan: Plan
    marks: tuple[RegisteredMark, ...]
    texts: tuple[RegisteredTexts, ...]
    version: str

    @classmethod
    def of(
        cls, plan: Plan, marks: Sequence[Registrable], texts: Sequence[TextSet], *, salt: bytes
    ) -> Registration:
        """The registration of this plan.

        Args:
            marks: of all keys that will be asked about, each once.
            texts: those that the suspect will be shown; of a closed one, its prompts.
            salt: at least 32 random bytes, kept with the keys: the commitments show nothing
                without.

        Raises:
            ValueError: no mark, no texts, one twice, or a salt that is too short.
        """
        if len(salt) < MINIMUM_BYTES:
            raise ValueError(f"a salt has at least {MINIMUM_BYTES} random bytes")
        if not marks or len(set(marks)) < len(marks):
            raise ValueError("there is at least one mark, and none twice")
        if not texts or len({each.name for each in texts}) < len(texts):
            raise ValueError("there are texts, and no name of a set is there twice")
        if plan.served and len(plan.served) != len(marks):
            raise ValueError("there is one sketch of what was served for each mark")
        return cls(
            plan,
            tuple(_shown(mark, salt) for mark in marks),
            tuple(
                RegisteredTexts(
                    each.name, each.digest(), len(each.texts), sum(map(len, each.texts)),
                    tuple(i for i, m in enumerate(marks) if m.key.cluster in each.served_to),
                )
                for each in texts
            ),
            version("stillwatch"),
        )  # fmt: skip

    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """The whole as canonical JSON (RFC 8785)."""
        shown = msgspec.to_builtins(self)
        plain = msgspec.to_builtins(Plan(statistic=self.plan.statistic, served=self.plan.served))
        for name in _LATER:
            if shown["plan"][name] == plain[name]:
                del shown["plan"][name]
        return rfc8785.dumps({"format": FORMAT, **shown})

    def told(self) -> dict[str, Any]:
        """What an entry of a ledger says of it beside its digest."""
        return {
            "statistic": self.plan.statistic,
            "alpha": self.plan.alpha,
            "looks": self.plan.looks,
            "suspects": self.plan.suspects,
            "code": self.plan.code,
            "key_commitments": [mark.commitment for mark in self.marks],
        }

    def check(
        self,
        statistic: Statistic,
        marks: Sequence[Registrable],
        texts: Sequence[TextSet],
        *,
        salt: bytes,
    ) -> None:
        """That this is what was registered.

        Raises:
            ValueError: another statistic, other keys, settings, texts or salt; it says which.
        """
        now = Registration.of(self.plan, marks, texts, salt=salt)
        self.check_marks(statistic, marks, salt=salt)
        for then, here in zip(self.texts, now.texts, strict=False):
            if then != here:
                raise ValueError(
                    f"the texts {here.name!r} are not those registered as {then.name!r}"
                )
        if len(now.texts) != len(self.texts):
            raise ValueError("there are not as many sets of texts as were registered")

    def check_marks(
        self, statistic: Statistic, marks: Sequence[Registrable], *, salt: bytes
    ) -> None:
        """The same of statistic, marks and salt alone.

        Raises:
            ValueError: another statistic, other keys, settings or salt.
        """
        if statistic != self.plan.statistic:
            raise ValueError(
                f"registered is the statistic {self.plan.statistic!r}, not {statistic!r}"
            )
        if tuple(_shown(mark, salt) for mark in marks) != self.marks:
            raise ValueError("the marks, their settings or the salt are not those registered")

    def check_code(self, *, other_code: bool) -> None:
        """That the plan was made for this program, or that another will do.

        Raises:
            PlanError: it was made for another.
        """
        if self.plan.code not in (None, code_digest()) and not other_code:
            raise PlanError(
                f"the plan is for a program with the digest {str(self.plan.code)[:16]}…, and this "
                f"one has {code_digest()[:16]}…: install that release, or say that another will do"
            )

    def write(self, path: Path) -> None:
        """Write the canonical form to a new file.

        Raises:
            OutputError: it is there already, or cannot be written.
        """
        write_plan(path, self.canonical())

    @classmethod
    def read(cls, path: Path) -> Registration:
        """Read what :meth:`write` left.

        Raises:
            InputError: it cannot be read, or is no registration.
            PlanError: it commits to no key, or to no text.
        """
        registration = read_plan(path, cls, FORMAT, "registration")
        if not registration.marks or not registration.texts:
            raise PlanError("is empty: a plan names keys, and what is asked", path=path)
        return registration


def _shown(mark: Registrable, salt: bytes) -> RegisteredMark:
    settings = dict(_settings(mark, mark.key, salt))
    return RegisteredMark(mark.scheme, settings, _committed(mark.key, salt))


def _settings(
    part: Any, own: MarkKey, salt: bytes, before: str = ""
) -> Iterator[tuple[str, Setting]]:
    """The fields of a mark, and of the marks and coins in it; keys but its own as commitments."""
    for field in dataclasses.fields(part):
        name, value = before + field.name, getattr(part, field.name)
        if isinstance(value, MarkKey):
            if value != own:
                yield name, _committed(value, salt)
        elif dataclasses.is_dataclass(value):
            yield name, type(value).__name__
            yield from _settings(value, own, salt, f"{name}.")
        elif isinstance(value, _SETTING):
            yield name, value


def _committed(key: MarkKey, salt: bytes) -> str:
    """Under a salt of its own for each key, so that one can be opened without the others."""
    name = "\0".join((key.epoch, key.cluster, key.scheme)).encode()
    return key.commitment(hmac.digest(salt, name, "sha256"))
