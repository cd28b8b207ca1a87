"""Errors as OpenAI's clients expect them."""

from __future__ import annotations

import msgspec

from stillwatch.access import Refusal

__all__ = ["failure_event", "refusal_body", "typed_failure_event"]

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def refusal_body(refusal: Refusal) -> bytes:
    """The body of an error response."""
    kind = "api_error" if refusal.status >= 500 else "invalid_request_error"
    return msgspec.json.encode(
        {
            "error": {
                "message": refusal.message,
                "type": _TYPES.get(refusal.status, kind),
                "param": None,
                "code": refusal.code,
            }
        }
    )


def failure_event(refusal: Refusal) -> bytes:
    """The same as an event of a stream."""
    return b"data: " + refusal_body(refusal) + b"\n\n"


def typed_failure_event(refusal: Refusal) -> bytes:
    """The same where events have types: in the form of OpenAI's reference, and with `error`, by
    which its clients know that a stream has failed."""
    error = msgspec.json.decode(refusal_body(refusal))["error"]
    told = {"type": "error", "code": error["code"], "message": error["message"], "param": None}
    return b"event: error\ndata: " + msgspec.json.encode({**told, "error": error}) + b"\n\n"
