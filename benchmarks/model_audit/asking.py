"""Has the peer audit pairs of models, in its own environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Audit", "audited", "shared"]


class Audit(NamedTuple):
    """What the peer says of a pair: likely_derived, independent or inconclusive, and why."""

    verdict: str
    llmmap: float
    dli: float


def audited(
    venv: Path, answers: Mapping[str, Mapping[str, str]], pairs: Sequence[tuple[str, str]]
) -> list[Audit]:
    """The verdicts on these pairs (teacher, suspect), from answers to the same prompts."""
    said = subprocess.run(
        [venv / "bin" / "python", Path(__file__).with_name("auditing.py")],
        input=json.dumps({"answers": answers, "pairs": pairs}), capture_output=True, check=True,
        text=True,
    ).stdout  # fmt: skip
    return [Audit(each["verdict"], each["llmmap"], each["dli"]) for each in json.loads(said)]


def shared(audits: Sequence[Audit]) -> str:
    """How many of them are called derived, for a table."""
    derived = sum(each.verdict == "likely_derived" for each in audits)
    return f"{derived} of {len(audits)}"
