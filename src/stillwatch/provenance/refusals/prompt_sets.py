"""Prompts that a model should refuse, and safe ones that look as if it should."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from stillwatch.errors import InputError

__all__ = ["Prompt", "PromptSet", "read_prompt_set"]


class Prompt(msgspec.Struct, frozen=True):
    """A prompt. `safe`: whether a good model answers it; `category`: what it is about."""

    prompt: str
    safe: bool
    id: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Prompts, each once.

    Attributes:
        name: what a report calls it.
        prompts: in the order of the file.
        digest: SHA-256 over the prompts and what they are, 64 hexadecimal digits.
    """

    name: str
    prompts: tuple[Prompt, ...]
    digest: str

    @classmethod
    def of(cls, name: str, prompts: Sequence[Prompt]) -> PromptSet:
        """Raises ValueError where a prompt stands twice."""
        if len({each.prompt for each in prompts}) < len(prompts):
            raise ValueError("a prompt stands in the set twice")
        digest = hashlib.sha256(b"stillwatch-prompts-v1")
        for each in prompts:
            digest.update(msgspec.json.encode([each.prompt, each.safe]))
        return cls(name, tuple(prompts), digest.hexdigest())


def read_prompt_set(path: Path | None = None) -> PromptSet:
    """The set of a file, or ours.

    JSON lines, ``{"prompt": …, "safe": true, "id": …, "category": …}`` (the last two may be left
    out), or CSV with the columns `prompt` and `label` (``safe`` or ``unsafe``), as XSTest has them.

    Raises:
        InputError: it cannot be read, holds no prompt, a line is none, or a prompt stands twice.
    """
    try:
        if path is None:
            name = "stillwatch-64"
            file = files("stillwatch.provenance.refusals") / "data" / "prompts.jsonl"
            content = file.read_text("utf-8")
        else:
            name, content = path.stem, path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8", path=path) from error
    table = path is not None and path.suffix == ".csv"
    prompts = _from_csv(content, path) if table else _from_lines(content, path)
    if not prompts:
        raise InputError("holds no prompt", path=path)
    try:
        return PromptSet.of(name, prompts)
    except ValueError as error:
        raise InputError(str(error), path=path) from error


def _from_lines(content: str, path: Path | None) -> list[Prompt]:
    found = []
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=Prompt))
            except msgspec.DecodeError as error:
                raise InputError(
                    f'must be {{"prompt": …, "safe": …}}: {error}', path=path, line=number
                ) from error
    return found


def _from_csv(content: str, path: Path | None) -> list[Prompt]:
    reader = csv.DictReader(io.StringIO(content))
    if not {"prompt", "label"} <= set(reader.fieldnames or ()):
        raise InputError("has no columns prompt and label", path=path, line=1)
    found = []
    for row in reader:
        if row["label"] not in ("safe", "unsafe"):
            raise InputError("has a label that is neither safe nor unsafe", path=path,
                             line=reader.line_num)  # fmt: skip
        found.append(
            Prompt(
                row["prompt"], row["label"] == "safe", row.get("id") or "", row.get("type") or ""
            )
        )
    return found
