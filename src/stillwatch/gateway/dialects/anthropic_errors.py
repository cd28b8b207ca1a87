"""Errors as Anthropic's clients expect them.

Types and statuses are those of Anthropic's API reference, "Errors". A refusal's code has no place
in this form, so the message must say what to do.
"""

from __future__ import annotations

import msgspec

from stillwatch.access import Refusal

__all__ = ["failure_event", "refusal_body"]

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def refusal_body(refusal: Refusal) -> bytes:
    """The body of an error response."""
    kind = "api_error" if refusal.status >= 500 else "invalid_request_error"
    error = {"type": _TYPES.get(refusal.status, kind), "message": refusal.message}
    return msgspec.json.encode({"type": "error", "error": error})


def failure_event(refusal: Refusal) -> bytes:
    """The same as an event of a stream."""
    return b"event: error\ndata: " + refusal_body(refusal) + b"\n\n"
