"""What will be measured without a key, written down and hashed before anybody is asked.

Refusals, neutrality and triage have no key to commit to. What could be chosen after a look is the
prompts, the error rate, the controls, the base and whether people's labels count: these are fixed
here, as canonical JSON (RFC 8785).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec
import rfc8785

from stillwatch.errors import PlanError
from stillwatch.provenance.capability import read_task_set
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.neutrality import read_pair_set
from stillwatch.provenance.plan_files import read_plan, write_plan
from stillwatch.provenance.questions import read_questions
from stillwatch.provenance.refusals import read_prompt_set
from stillwatch.provenance.transcripts import digest_of

__all__ = ["FORMAT", "Measured", "Measurement", "questions_digest"]

FORMAT: Final = "stillwatch.measurement/1"

#: what can be measured without a key
Measured: TypeAlias = Literal["refusals", "neutrality", "capability", "triage"]


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement that is to be made; :meth:`digest` is what is put on a ledger.

    Attributes:
        kind: what is measured.
        set_sha256: the digest of prompts, pairs or questions.
        alpha: what counts as found; None of triage, which finds nothing.
        controls: names of the unrelated models beside, in any order.
        code: the digest of the program that measures.
        base: the name of the suspect's base; empty where none will be compared with. None of a plan
            of before, which leaves that open, and of triage, which has none.
        labelled: whether people's labels of answers will count (refusals); None in the same way.
    """

    kind: Measured
    set_sha256: str
    alpha: float | None
    controls: tuple[str, ...]
    code: str
    base: str | None = None
    labelled: bool | None = None

    @classmethod
    def of(
        cls,
        kind: Measured,
        prompts: Path | None,
        *,
        alpha: float,
        controls: tuple[str, ...] = (),
        base: str = "",
        labelled: bool = False,
    ) -> Measurement:
        """The measurement of `kind` on a file of prompts, pairs or questions, or on a set of ours.

        Raises:
            InputError: the file cannot be read.
            PlanError: a control is there twice, or is the base; triage or capability without a
                file; triage with a base, capability without one; labels of something else than
                refusals.
        """
        if base in controls:
            raise PlanError(f"{base} is the base and a control at once")
        if base and kind == "triage":
            raise PlanError("triage compares with no base")
        if kind == "capability" and not base:
            raise PlanError("capability is gained over a base: name it")
        if labelled and kind != "refusals":
            raise PlanError("people label refusals, and nothing else")
        if len(set(controls)) < len(controls):
            raise PlanError("a control is named once")
        digest = _set_digest(kind, prompts)
        return cls(
            kind=kind, set_sha256=digest, alpha=None if kind == "triage" else alpha,
            controls=tuple(sorted(controls)), code=code_digest(),
            base=None if kind == "triage" else base,
            labelled=labelled if kind == "refusals" else None,
        )  # fmt: skip

    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """The whole as canonical JSON (RFC 8785)."""
        shown = msgspec.to_builtins(self)
        for name in ("base", "labelled"):  # plans of before have neither, and keep their digest
            if shown[name] is None:
                del shown[name]
        return rfc8785.dumps({"format": FORMAT, **shown})

    def told(self) -> dict[str, Any]:
        """What an entry of a ledger says of it beside its digest."""
        return {"statistic": self.kind, "alpha": self.alpha, "code": self.code}

    def check(
        self,
        kind: str,
        set_sha256: object,
        alpha: float | None,
        controls: list[str],
        *,
        base: str = "",
        labelled: bool = False,
    ) -> None:
        """That this is what was written down; raises PlanError where it is something else."""
        compared = {
            "kind": (self.kind, kind),
            "prompts": (self.set_sha256, set_sha256),
            "alpha": (self.alpha, alpha),
            "controls": (list(self.controls), sorted(controls)),
            "base": (self.base, base if self.base is not None else None),
            "use of labels": (self.labelled, labelled if self.labelled is not None else None),
        }
        for what, (then, now) in compared.items():
            if then != now:
                raise PlanError(f"the {what} of this measurement is not what the plan says")

    def write(self, path: Path) -> None:
        """Write the canonical form to a new file.

        Raises:
            OutputError: it is there already, or cannot be written.
        """
        write_plan(path, self.canonical())

    @classmethod
    def read(cls, path: Path) -> Measurement:
        """Read what :meth:`write` left; raises InputError where it is none."""
        return read_plan(path, cls, FORMAT, "plan of a measurement")


def _set_digest(kind: Measured, prompts: Path | None) -> str:
    match kind:
        case "refusals":
            return read_prompt_set(prompts).digest
        case "neutrality":
            return read_pair_set(prompts).digest
        case _ if prompts is None:
            raise PlanError(f"of {kind} the prompts are named: there is no set of ours")
        case "capability":
            return read_task_set(prompts).digest
        case "triage":
            return questions_digest(read_questions(prompts))


def questions_digest(questions: dict[str, str | None]) -> str:
    """SHA-256 over prompts and right answers in their order, 64 hexadecimal digits."""
    return digest_of(msgspec.json.encode(list(questions.items())).decode())
