"""A suspect behind an OpenAI-compatible address: asked one prompt at a time, patiently.

Any other suspect is a function of yours, text → text; one that somebody recorded is a file: see
:mod:`stillwatch.provenance.transcripts`.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec

from stillwatch.errors import SuspectError
from stillwatch.provenance.transcripts import Settings, digest_of

__all__ = ["AddressSuspect"]

_LARGEST_ANSWER = 8_000_000  # bytes
_LONGEST_PAUSE = 60.0  # seconds
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
        headers: Message, newurl: str,
    ) -> None:  # fmt: skip
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


class _PassingError(Exception):
    """What may be gone when asked again; `pause` is how long the server wants us to wait."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        self.pause = pause
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class AddressSuspect:
    """Asks ``ADDRESS/chat/completions`` for one answer to one message; no conversation is kept.

    Attributes:
        address: up to and with the version, such as ``https://host/v1``.
        model: the name that the server knows it by.
        key: the bearer token, if it needs one.
        temperature, max_tokens: of the answers. At 0 many servers answer the same each time.
        system: a system message, if the suspect is to have one.
        timeout: seconds for a whole answer.
        retries: further tries when the server is busy, broken or out of reach.
    """

    address: str
    model: str
    key: str | None = field(default=None, repr=False)
    temperature: float = 0.0
    max_tokens: int = 512
    system: str | None = None
    timeout: float = 120.0
    retries: int = 4
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SuspectError(f"{self.address} is no address; give one as in https://host/v1")

    @property
    def settings(self) -> Settings:
        """How it is asked, to be recorded; of a system message its SHA-256."""
        system = None if self.system is None else digest_of(self.system)
        return {"temperature": float(self.temperature), "max_tokens": self.max_tokens,
                "system_sha256": system}  # fmt: skip

    def __call__(self, prompt: str) -> str:
        """The answer to `prompt`; empty where the suspect said nothing.

        Raises:
            SuspectError: it refuses the request, cannot be reached, or answers something else.
        """
        for tried in range(self.retries + 1):
            try:
                return _text(self._answer(prompt))
            except _PassingError as error:
                if tried == self.retries:
                    raise SuspectError(
                        f"{self.address} failed {tried + 1} times, the last time: {error}"
                    ) from error
                self.sleep(min(_LONGEST_PAUSE, max(error.pause, 0.5 * 2**tried)))
        raise AssertionError

    def _answer(self, prompt: str) -> bytes:
        system = [] if self.system is None else [{"role": "system", "content": self.system}]
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [*system, {"role": "user", "content": prompt}],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(
            self.address.rstrip("/") + "/chat/completions", msgspec.json.encode(body), headers
        )
        until = time.monotonic() + self.timeout
        try:
            with _OPENER.open(request, timeout=self.timeout) as response:
                return _read(response, until)
        except urllib.error.HTTPError as error:
            with error:
                said = f"status {error.code}"
                if error.code in _PASSING:
                    raise _PassingError(said, _pause(error.headers)) from error
                raise SuspectError(f"{self.address} answers with {said}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise _PassingError(str(reason) or type(error).__name__) from error


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    parts, size = [], 0
    while part := response.read1(65_536):
        parts.append(part)
        size += len(part)
        if size > _LARGEST_ANSWER:
            raise SuspectError(f"answers with more than {_LARGEST_ANSWER:,} bytes")
        if time.monotonic() > until:  # a server that drips never meets the time-out of a read
            raise _PassingError("the answer took too long")
    if response.length:  # read1 does not complain of an end that comes too early
        raise _PassingError(f"the answer ends {response.length:,} bytes too early")
    return b"".join(parts)


def _text(answer: bytes) -> str:
    try:
        message = msgspec.json.decode(answer, type=_Completion).choices[0].message
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
        raise SuspectError(f"answers with something else than a completion: {error}") from error
    return message.content or message.refusal or ""


def _pause(headers: Message) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
