"""Refusals that the gateway itself makes, beside those of `access`."""

from __future__ import annotations

import math

from stillwatch.access import Refusal
from stillwatch.access.limits import Exceeded

__all__ = [
    "NO_KEY",
    "bad_request",
    "fault_of_ours",
    "no_such_route",
    "over_limit",
    "too_large",
    "unavailable",
    "upstream_failed",
    "wrong_method",
]

NO_KEY = Refusal(
    status=401,
    code="no_key",
    message="send an API key in the header authorization: Bearer, or x-api-key",
    rule="keys",
)


def bad_request(message: str, code: str = "invalid_request", status: int = 400) -> Refusal:
    """The request is not what its route takes."""
    return Refusal(status=status, code=code, message=message, rule="gateway")


def no_such_route() -> Refusal:
    return bad_request("there is no such route here", "no_such_route", 404)


def wrong_method() -> Refusal:
    return bad_request("this route takes another method", "wrong_method", 405)


def too_large(most: int) -> Refusal:
    return bad_request(f"the body is larger than {most} bytes", "too_large", 413)


def unavailable(message: str, retry_after: float = 1.0) -> Refusal:
    """We cannot serve anybody at the moment, and say so before anything is spent."""
    return Refusal(
        status=503, code="unavailable", message=message, rule="gateway", retry_after=retry_after
    )


def upstream_failed(message: str = "the model server did not answer; try again") -> Refusal:
    return Refusal(status=502, code="upstream_failed", message=message, rule="gateway")


def fault_of_ours() -> Refusal:
    return Refusal(
        status=500,
        code="internal_error",
        message="the gateway failed; its log has the place, x-request-id names the request",
        rule="gateway",
    )


def over_limit(exceeded: Exceeded) -> Refusal:
    """429 with the time to wait; 400 for what can never fit; 503 while the store is away."""
    limit = exceeded.charge.limit
    if exceeded.away:
        return unavailable("limits cannot be checked at the moment; try again")
    if exceeded.retry_after is None:
        return Refusal(
            status=400,
            code="too_much_at_once",
            message=f"this request asks for more {limit.unit} than '{limit.name}' ever allows at "
            "once; lower max_tokens or n",
            rule=f"limit {limit.name}",
        )
    wait = max(1, math.ceil(exceeded.retry_after))
    return Refusal(
        status=429,
        code="rate_limit_exceeded",
        message=f"the limit '{limit.name}' ({limit.amount} {limit.unit}) is reached; "
        f"try again in {wait} s",
        rule=f"limit {limit.name}",
        retry_after=float(wait),
    )
