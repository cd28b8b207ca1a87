"""What will be measured without a key, written down and hashed before anybody is asked.

Refusals, neutrality and triage have no key to commit to. What could be chosen after a look is the
prompts, the error rate and the controls: these are fixed here, as canonical JSON (RFC 8785).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec
import rfc8785

from stillwatch.errors import InputError, OutputError, PlanError
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.neutrality import read_pair_set
from stillwatch.provenance.questions import read_questions
from stillwatch.provenance.refusals import read_prompt_set
from stillwatch.provenance.transcripts import digest_of

__all__ = ["FORMAT", "Measured", "Measurement", "questions_digest"]

FORMAT: Final = "stillwatch.measurement/1"

#: what can be measured without a key
Measured: TypeAlias = Literal["refusals", "neutrality", "triage"]


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement that is to be made; :meth:`digest` is what is put on a ledger.

    Attributes:
        kind: what is measured.
        set_sha256: the digest of prompts, pairs or questions.
        alpha: what counts as found; None of triage, which finds nothing.
        controls: names of the unrelated models beside, in any order.
        code: the digest of the program that measures.
    """

    kind: Measured
    set_sha256: str
    alpha: float | None
    controls: tuple[str, ...]
    code: str

    @classmethod
    def of(
        cls, kind: Measured, prompts: Path | None, *, alpha: float, controls: tuple[str, ...] = ()
    ) -> Measurement:
        """The measurement of `kind` on a file of prompts, pairs or questions, or on a set of ours.

        Raises:
            InputError: the file cannot be read.
            PlanError: a control is there twice; triage without a file.
        """
        if len(set(controls)) < len(controls):
            raise PlanError("a control is named once")
        if kind == "triage":
            if prompts is None:
                raise PlanError("of triage the prompts are named: there is no set of ours")
            digest = questions_digest(read_questions(prompts))
        elif kind == "refusals":
            digest = read_prompt_set(prompts).digest
        else:
            digest = read_pair_set(prompts).digest
        return cls(
            kind=kind, set_sha256=digest, alpha=None if kind == "triage" else alpha,
            controls=tuple(sorted(controls)), code=code_digest(),
        )  # fmt: skip

    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """The whole as canonical JSON (RFC 8785)."""
        return rfc8785.dumps({"format": FORMAT, **msgspec.to_builtins(self)})

    def told(self) -> dict[str, Any]:
        """What an entry of a ledger says of it beside its digest."""
        return {"statistic": self.kind, "alpha": self.alpha, "code": self.code}

    def check(
        self, kind: str, set_sha256: object, alpha: float | None, controls: list[str]
    ) -> None:
        """That this is what was written down; raises PlanError where it is something else."""
        here = (kind, set_sha256, alpha, sorted(controls))
        then = (self.kind, self.set_sha256, self.alpha, list(self.controls))
        for what, a, b in zip(("kind", "prompts", "alpha", "controls"), then, here, strict=True):
            if a != b:
                raise PlanError(f"the {what} of this measurement are not those of the plan")

    def write(self, path: Path) -> None:
        """Write the canonical form to a new file.

        Raises:
            OutputError: it is there already, or cannot be written.
        """
        try:
            with path.open("xb") as file:
                file.write(self.canonical() + b"\n")
        except FileExistsError:
            raise OutputError(
                "is there already, and a plan is never overwritten", path=path
            ) from None
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", path=path) from error

    @classmethod
    def read(cls, path: Path) -> Measurement:
        """Read what :meth:`write` left; raises InputError where it is none."""
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
            if found.pop("format", None) != FORMAT:
                raise InputError(f"is not of the format {FORMAT}", path=path)
            return msgspec.convert(found, cls, strict=True)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(f"is no plan of a measurement: {error}", path=path) from error


def questions_digest(questions: dict[str, str | None]) -> str:
    """SHA-256 over prompts and right answers in their order, 64 hexadecimal digits."""
    return digest_of(msgspec.json.encode(list(questions.items())).decode())
