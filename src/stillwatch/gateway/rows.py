"""One exchange a request: what the event store gets to know, with text for a moment longer."""

from __future__ import annotations

from stillwatch.access import UNKNOWN, Caller, Replay
from stillwatch.exchange import RawExchange
from stillwatch.gateway.binding import Returned
from stillwatch.gateway.dialects.dialect import Incoming, Told
from stillwatch.gateway.head import Head
from stillwatch.gateway.marking import Marked

__all__ = ["exchange_of"]


def exchange_of(
    *,
    request_id: str,
    at: float,
    ended: float,
    route: str,
    caller: Caller,
    head: Head,
    incoming: Incoming | None,
    told: Told,
    status: int,
    returned: Returned,
    marked: Marked,
) -> RawExchange:
    """The exchange as it is recorded; `at` and `ended` are seconds since the epoch. `incoming` is
    ``None`` for a request that could not be read, or did not come whole."""
    if incoming is None:
        return _unread(request_id, at, ended, route, caller, head, status)
    asked = incoming.asked
    origin = head.origin
    return RawExchange(
        at=int(at * 1_000_000),
        account=caller.account,
        prompt=incoming.prompt,
        messages=incoming.messages,
        request_id=request_id,
        org=caller.org,
        key=caller.key_id,
        end_user=incoming.end_user,
        channel="api",
        ip=_known(origin.ip),
        asn=origin.asn or None,
        country=_known(origin.country),
        ja4=_known(origin.ja4),
        user_agent=_known(origin.user_agent),
        accept_language=head.accept_language,
        payment=head.payment,
        device=head.device,
        registered_at=caller.created_at * 1_000_000 or None,
        model=asked.model[:200],
        endpoint=route,
        stream=asked.stream,
        temperature=asked.temperature,
        top_p=incoming.top_p,
        n=asked.n,
        max_tokens=asked.max_tokens,
        logprobs=asked.logprobs > 0,
        top_logprobs=asked.logprobs or None,
        logit_bias=len(asked.bias),
        tools=incoming.tools,
        response_format=incoming.response_format,
        prefill=incoming.prefill,
        system=incoming.system,
        reasoning=incoming.reasoning,
        completion=told.completion or None,
        finish_reason=told.finish_reason,
        status=status,
        prompt_tokens=told.prompt_tokens,
        cached_tokens=told.cached_tokens,
        completion_tokens=told.completion_tokens,
        reasoning_tokens=told.reasoning_tokens,
        latency_ms=_milliseconds(at, ended),
        replay=returned.kind.name.lower() if returned.kind is not Replay.NONE else None,
        replayed_from=returned.replayed_from,
        mark=marked.name,
        mark_epoch=marked.epoch,
        unmarked=marked.unmarked,
    )


def _unread(
    request_id: str, at: float, ended: float, route: str, caller: Caller, head: Head, status: int
) -> RawExchange:
    """What it asked for is not known, and its text is empty."""
    origin = head.origin
    return RawExchange(
        at=int(at * 1_000_000),
        account=caller.account,
        prompt="",
        request_id=request_id,
        org=caller.org,
        key=caller.key_id,
        channel="api",
        ip=_known(origin.ip),
        asn=origin.asn or None,
        country=_known(origin.country),
        ja4=_known(origin.ja4),
        user_agent=_known(origin.user_agent),
        accept_language=head.accept_language,
        payment=head.payment,
        device=head.device,
        registered_at=caller.created_at * 1_000_000 or None,
        endpoint=route,
        status=status,
        latency_ms=_milliseconds(at, ended),
    )


def _milliseconds(at: float, ended: float) -> int:
    return min(2**31 - 1, max(0, int((ended - at) * 1000)))


def _known(text: str) -> str | None:
    return None if text == UNKNOWN else text
