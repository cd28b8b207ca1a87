"""Files of prompts, whatever they are for: what is asked of a suspect before it is judged."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stillwatch.errors import InputError
from stillwatch.provenance.neutrality import read_pair_set
from stillwatch.provenance.refusals import read_prompt_set

__all__ = ["BUILT_IN", "read_questions"]

#: sets of ours, by the command that reads them
BUILT_IN = ("refusals", "neutrality")


class _Question(msgspec.Struct):
    prompt: str | None = None
    expected: str | None = None
    a: str | None = None
    b: str | None = None


def read_questions(source: Path) -> dict[str, str | None]:
    """Prompts → right answer, or None where none is given, in their order.

    `source` is ``refusals`` or ``neutrality`` for our sets (a file of that name is ``./refusals``),
    a CSV as XSTest's, or JSON lines: ``{"prompt": …}`` with or without `expected` and other fields,
    or mirrored pairs ``{"a": …, "b": …}``.

    Raises:
        InputError: it cannot be read, holds no prompt, a line is none, or a prompt stands twice.
    """
    if str(source) == "neutrality":
        return {text: None for pair in read_pair_set().pairs for text in (pair.a, pair.b)}
    if str(source) == "refusals" or source.suffix == ".csv":
        path = None if str(source) == "refusals" else source
        return {each.prompt: None for each in read_prompt_set(path).prompts}
    try:
        lines = source.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=source) from error
    found: dict[str, str | None] = {}
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = msgspec.json.decode(raw, type=_Question)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"is no prompt: {error}", path=source, line=number) from error
        texts = [text for text in (line.prompt, line.a, line.b) if text is not None]
        if not texts or (line.prompt is None and len(texts) < 2):
            raise InputError("has neither a prompt nor a pair of them", path=source, line=number)
        for text in texts:
            if text in found:
                raise InputError("a prompt stands there twice", path=source, line=number)
            found[text] = line.expected
    if not found:
        raise InputError("holds no prompt", path=source)
    return found
