"""Paraphrase by a language model that the attacker runs: untargeted, and the usual one.

UP of Pan et al. (arXiv:2502.11598), who take Dipper; any model behind an address that speaks the
OpenAI chat interface here. What it leaves depends on the model alone: it is measured, not known.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol

import msgspec
import numpy as np

from stillwatch.errors import StillwatchError
from stillwatch.gateway.client import Client
from stillwatch.gateway.upstream import UpstreamError
from stillwatch.lab.attacks.attack import Budget

__all__ = ["INSTRUCTION", "ChatModel", "Paraphrase", "Rewriter"]

INSTRUCTION: Final = (
    "Rewrite the user's text in your own words. Keep every fact, name, number and the order of the "
    "ideas; change the wording and the sentences. Answer with the rewritten text and nothing else."
)

_MOST_BYTES: Final = 16 << 20
_SEEDS: Final = 1 << 31
#: characters that are rewritten at a time, where paragraphs allow it
_PIECE: Final = 2_000
_PARAGRAPHS: Final = re.compile(r"(\n\s*\n)")


class Rewriter(Protocol):
    """Whoever rewrites a text."""

    def rewrite(self, text: str, seed: int) -> str:
        """The text in other words."""
        ...


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


class ChatModel:
    """A model behind ``POST {url}/chat/completions``; a context manager that holds connections.

    Args:
        url: with the version, such as ``http://127.0.0.1:8000/v1``.
        model: its name there.
        key: sent as a bearer token; None sends none.
        instruction: the system message.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None = None,
        temperature: float = 1.0,
        instruction: str = INSTRUCTION,
    ) -> None:
        self._url, self._model, self._key = url.rstrip("/"), model, key
        self._temperature, self._instruction = temperature, instruction
        self._runner = asyncio.Runner()
        self._client: Client | None = None

    def __enter__(self) -> ChatModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._runner.run(self._client.close())
        self._runner.close()

    def rewrite(self, text: str, seed: int) -> str:
        """The model's answer. The seed is sent along; whether it is heeded is the server's matter.

        Raises:
            StillwatchError: it cannot be reached, refuses, or answers with something else.
        """
        return self._runner.run(self._asked(text, seed))

    async def _asked(self, text: str, seed: int) -> str:
        if self._client is None:
            self._client = Client()
        headers = {"content-type": "application/json"}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        said = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": self._instruction},
                {"role": "user", "content": text},
            ],
            "temperature": self._temperature,
            "seed": seed,
        }
        where = f"{self._url}/chat/completions"
        try:
            reply = await self._client.post(where, msgspec.json.encode(said), headers)
            body = await reply.read(_MOST_BYTES)
        except (UpstreamError, ValueError) as error:
            raise StillwatchError(f"no paraphrase: {error}", path=where) from error
        if reply.status != 200:
            raise StillwatchError(f"no paraphrase: status {reply.status}", path=where)
        try:
            answer = msgspec.json.decode(body, type=_Answer)
            content = answer.choices[0].message.content
        except (msgspec.DecodeError, IndexError) as error:
            raise StillwatchError(f"no answer of a chat model: {error}", path=where) from error
        if not content:
            raise StillwatchError("an empty answer in place of a paraphrase", path=where)
        return content


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """A plain text in other words, some paragraphs at a time; what parts paragraphs is kept."""

    model: Rewriter

    @property
    def budget(self) -> Budget:
        """What a paraphraser adds is its own affair; rarely more than the text again."""
        return Budget(changed=1.0, added=1.0, asked=2.0)

    def __call__(self, text: str, rng: np.random.Generator) -> str:
        return "".join(
            piece if not piece.strip() else self.model.rewrite(piece, int(rng.integers(_SEEDS)))
            for piece in _pieces(text)
        )


def _pieces(text: str) -> list[str]:
    """Groups of paragraphs, and the blank lines between groups; together they are the text."""
    out = [""]
    for i, part in enumerate(_PARAGRAPHS.split(text)):
        blank = i % 2 == 1
        if blank and len(out[-1]) >= _PIECE:
            out += [part, ""]
        else:
            out[-1] += part
    return out
