"""Refusals as LiteLLM passes them on to a client unchanged."""

from __future__ import annotations

import msgspec
from litellm.proxy._types import ProxyException

from stillwatch.access import Refusal
from stillwatch.gateway.dialects.openai_errors import refusal_body

__all__ = ["RefusedError"]


class RefusedError(ProxyException):
    """Ends a request; raised from authentication and from any hook before the answer."""

    def __init__(self, refusal: Refusal) -> None:
        headers = {}
        if refusal.retry_after is not None:
            headers["retry-after"] = str(max(1, round(refusal.retry_after)))
        super().__init__(
            message=refusal.message,
            type="stillwatch",
            param=None,
            code=refusal.status,
            headers=headers,
        )
        # LiteLLM makes another status of some messages; a model's name may hold such words.
        self.code = str(refusal.status)
        self.refusal = refusal

    def to_dict(self) -> dict[str, object]:
        """The error as the gateway words it; LiteLLM's own would lose the code."""
        body: dict[str, dict[str, object]] = msgspec.json.decode(refusal_body(self.refusal))
        return body["error"]
