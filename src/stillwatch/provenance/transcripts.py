"""What models answered, in a file: asked once, an answer a line, durable line by line.

A line is ``{"prompt": …, "answer": …, "model": …, "at": …, "asked": {…}}``; `at`, when the answer
came, and `asked`, with which settings, may be left out. The file holds text, harmful answers
included: it belongs to whoever asked, is made for its owner only, and nothing of it gets into a
report.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, BinaryIO

import msgspec

from stillwatch.errors import InputError, OutputError, StorageError, TranscriptError

__all__ = ["Settings", "Suspect", "Transcripts", "ask", "digest_of", "read_transcripts"]

#: a model that is asked: text of a prompt → text of its answer
Suspect = Callable[[str], str]
#: how it is asked, such as ``{"temperature": 1.0}``
Settings = dict[str, str | int | float | bool | None]


class _Line(msgspec.Struct, omit_defaults=True):
    prompt: str
    answer: str
    model: str
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    asked: Settings | None = None


@dataclass(frozen=True, slots=True)
class Transcripts:
    """The answers of one model, one a prompt.

    Attributes:
        model: what it was called when it was asked.
        answers: text of a prompt → text of the answer.
        digest: SHA-256 over prompts and answers in their order, 64 hexadecimal digits.
        times: text of a prompt → when its answer came, by the clock of who asked; of those answers
            of which it was recorded.
        asked: with which settings, where that was recorded of every answer.
    """

    model: str
    answers: Mapping[str, str]
    digest: str
    times: Mapping[str, datetime] = field(default_factory=dict)
    asked: Settings | None = None

    @classmethod
    def of(
        cls,
        model: str,
        answers: Mapping[str, str],
        times: Mapping[str, datetime] | None = None,
        asked: Settings | None = None,
    ) -> Transcripts:
        """Those of `model`, from what is at hand: no file is needed."""
        digest = hashlib.sha256(b"stillwatch-transcripts-v1")
        for text in (model, *(part for pair in answers.items() for part in pair)):
            digest.update(len(raw := _bytes(text)).to_bytes(8, "big") + raw)
        return cls(
            model, MappingProxyType(dict(answers)), digest.hexdigest(),
            MappingProxyType(dict(times or {})), asked,
        )  # fmt: skip

    @property
    def first_at(self) -> datetime | None:
        """When the first answer came; None where that of any answer is not known, because that one
        may have been the first."""
        return min(self.times.values()) if self.times.keys() == self.answers.keys() else None

    def to(self, prompts: Sequence[str]) -> list[str]:
        """The answers to `prompts`, in their order.

        Raises:
            TranscriptError: prompts that were not asked. What is missing is never counted as a
                refusal, nor left out.
        """
        missing = [prompt for prompt in prompts if prompt not in self.answers]
        if missing:
            raise TranscriptError(
                f"{self.model} was not asked {len(missing)} of {len(prompts)} prompts (the first: "
                f"SHA-256 {digest_of(missing[0])[:16]}…); record them, and nothing is asked twice"
            )
        return [self.answers[prompt] for prompt in prompts]


def digest_of(text: str) -> str:
    """SHA-256 of a text in UTF-8, 64 hexadecimal digits."""
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def read_transcripts(path: Path) -> Transcripts:
    """The transcripts of a file.

    Raises:
        InputError: it cannot be read.
        TranscriptError: no lines, a line that is none (a cut one, too), a prompt that stands there
            twice, more than one model, or answers that were asked for in different ways.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    model, answers, times, ways = _parse(content, path)
    if model is None:
        raise TranscriptError("holds no answer", path=path)
    return Transcripts.of(model, answers, times, ways[0])


def ask(
    suspect: Suspect,
    prompts: Iterable[str],
    path: Path,
    *,
    model: str,
    workers: int = 4,
    asked: Settings | None = None,
    advance: Callable[[int], object] | None = None,
) -> Transcripts:
    """Ask `suspect` what `path` does not answer yet, and record each answer before the next.

    A line is on the disk once it is written. A file whose last line was cut off by a crash goes on
    from the line before it. Answers come in the order in which they arrive.

    Args:
        prompts: each once.
        model: what the suspect is called; a file of another model is refused.
        workers: prompts that are asked at one time.
        asked: the settings that `suspect` is asked with, to be recorded.
        advance: told how many more of the prompts are answered, those of before first.

    Raises:
        TranscriptError: a prompt is there twice, the file is about another model, or was begun with
            other settings.
        OutputError: the file cannot be written, or another process records into it.
        Whatever the suspect raises; what was answered before stays in the file.
    """
    wanted = list(prompts)
    if len(set(wanted)) < len(wanted):
        raise TranscriptError("a prompt stands in the list twice; each is asked once")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", path=path) from error
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError("another process records into it", path=path) from error
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        recorded, answers, times, ways = _parse(whole, path)
        if recorded not in (None, model):
            raise TranscriptError(f"holds answers of {recorded}, not of {model}", path=path)
        if answers and asked not in ways and ways != [None]:
            raise TranscriptError(
                f"was begun with other settings ({_spoken(ways[-1])}); record those of now "
                f"({_spoken(asked)}) in another file", path=path,
            )  # fmt: skip
        if len(whole) < len(content):
            file.truncate(len(whole))
        file.seek(len(whole))
        left = [prompt for prompt in wanted if prompt not in answers]
        advance = advance or (lambda _: None)
        advance(len(wanted) - len(left))
        for prompt, answer in _answered(suspect, left, workers):
            times[prompt] = now = datetime.now(UTC)
            _append(file, _Line(prompt, answer, model, now, asked), path)
            answers[prompt] = answer
            advance(1)
    return Transcripts.of(model, answers, times, None if None in ways else asked)


def _spoken(asked: Settings | None) -> str:
    return "none said" if asked is None else ", ".join(f"{k} {v}" for k, v in asked.items())


def _answered(suspect: Suspect, prompts: Sequence[str], workers: int) -> Iterable[tuple[str, str]]:
    """Answers as they arrive. After a failure nothing more is asked, and what is under way is
    still given."""
    waiting, failed = iter(prompts), None
    with ThreadPoolExecutor(workers) as pool:
        asked: dict[Future[str], str] = {}
        while True:
            while failed is None and len(asked) < workers:
                prompt = next(waiting, None)
                if prompt is None:
                    break
                asked[pool.submit(suspect, prompt)] = prompt
            if not asked:
                break
            for done in wait(asked, return_when=FIRST_COMPLETED).done:
                prompt = asked.pop(done)
                if (error := done.exception()) is not None:
                    failed = failed or error
                else:
                    yield prompt, done.result()
    if failed is not None:
        raise failed


def _append(file: BinaryIO, line: _Line, path: Path) -> None:
    try:
        file.write(msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", path=path) from error


def _parse(
    content: bytes, path: Path
) -> tuple[str | None, dict[str, str], dict[str, datetime], list[Settings | None]]:
    """Model, answers, times, and the ways in which they were asked for, None (not said) first."""
    model: str | None = None
    ways: list[Settings | None] = []
    answers: dict[str, str] = {}
    times: dict[str, datetime] = {}
    for number, raw in enumerate(content.split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            line = msgspec.json.decode(raw, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TranscriptError(
                f'must be {{"prompt": …, "answer": …, "model": …}}: {error}', path=path, line=number
            ) from error
        if line.prompt in answers:
            raise TranscriptError("answers a prompt for the second time", path=path, line=number)
        if model not in (None, line.model):
            raise TranscriptError(f"is of {line.model}, those before of {model}", path=path,
                                  line=number)  # fmt: skip
        model, answers[line.prompt] = line.model, line.answer
        if line.at is not None:
            times[line.prompt] = line.at
        if line.asked not in ways:
            ways.insert(len(ways) if line.asked else 0, line.asked)
        if len([way for way in ways if way is not None]) > 1:
            raise TranscriptError(
                f"was asked otherwise ({_spoken(line.asked)}) than before", path=path, line=number
            )
    return model, answers, times, ways
