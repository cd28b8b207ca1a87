"""Probes: the prompts of a test, in their order, as a file that a plan commits to.

A line is ``{"prompt": …}``, or ``{"prompt": …, "canary": true}`` for a rare prompt that the
accounts of one cluster sent and in whose answers the key chose by the prompt itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from stillwatch.errors import InputError, PlanError
from stillwatch.provenance.registration import Registration
from stillwatch.provenance.text_sets import TextSet

__all__ = ["Probes"]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    prompt: str
    canary: bool = False


@dataclass(frozen=True, slots=True)
class Probes:
    """Prompts, each once; `canaries` are those of them that are canaries."""

    prompts: tuple[str, ...]
    canaries: frozenset[str] = frozenset()

    @classmethod
    def of(cls, prompts: Sequence[str], canaries: Sequence[str] = ()) -> Probes:
        """The probes of these prompts, in this order.

        Raises:
            PlanError: no prompts, one twice, or a canary that is none of them.
        """
        if not prompts:
            raise PlanError("there are no probes: a plan says what a suspect will be asked")
        if len(set(prompts)) < len(prompts):
            raise PlanError("a probe stands there twice; each prompt is asked once")
        if not set(canaries) <= set(prompts):
            raise PlanError("a canary is one of the probes")
        return cls(tuple(prompts), frozenset(canaries))

    @classmethod
    def read(cls, path: Path) -> Probes:
        """The probes of a JSON lines file.

        Raises:
            InputError: it cannot be read, or has a line that is none.
            PlanError: as :meth:`of`.
        """
        lines: list[_Line] = []
        number = 0
        try:
            for place, line in enumerate(path.read_bytes().split(b"\n"), 1):
                number = place
                if line.strip():
                    lines.append(msgspec.json.decode(line, type=_Line))
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f'must be {{"prompt": …}}: {error}', path=path, line=number) from error
        return cls.of([each.prompt for each in lines],
                      [each.prompt for each in lines if each.canary])  # fmt: skip

    def encoded(self) -> bytes:
        """The file that :meth:`read` takes, the same for the same probes."""
        return b"".join(
            msgspec.json.encode({"prompt": each} | ({"canary": True} if each in self.canaries
                                                    else {})) + b"\n"
            for each in self.prompts
        )  # fmt: skip

    def text_set(self) -> TextSet:
        """The probes as a plan registers texts: the bytes of each, 256 tokens, prompts whole.

        A canary begins with a byte that no text in UTF-8 has.
        """
        texts = [
            np.frombuffer((b"\xff" if each in self.canaries else b"")
                          + each.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64)
            for each in self.prompts
        ]  # fmt: skip
        return TextSet.of("probes", texts, prompts=[len(each) for each in texts])

    def check(self, registration: Registration) -> None:
        """That a plan was made for these probes; raises PlanError where it was not."""
        if [each.digest for each in registration.texts] != [self.text_set().digest()]:
            raise PlanError("the probes are not those of the plan")
