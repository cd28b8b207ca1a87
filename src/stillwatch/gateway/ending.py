"""What follows a request, however it ended: the usage to settle with, the metrics, the row."""

from __future__ import annotations

import time

import msgspec

from stillwatch.access import Caller, Decision
from stillwatch.access.limits import Usage
from stillwatch.gateway.binding import Returned
from stillwatch.gateway.dialects.dialect import Incoming, Told
from stillwatch.gateway.head import Head
from stillwatch.gateway.marking import Marked
from stillwatch.gateway.measures import Measures
from stillwatch.gateway.rows import exchange_of
from stillwatch.gateway.services import Services

__all__ = ["CLIENT_LEFT", "Ended", "count_rules", "record", "usage_of"]

CLIENT_LEFT = 499  # the status that nginx logs for it


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is over. What is ``None`` was not known yet when it ended; `began` is in
    seconds since the epoch. `counted_as` is the route for the metrics, where that is another;
    `unread` says that the body was ours to read and could not be, or did not come whole."""

    request_id: str
    began: float
    route: str
    status: int
    told: Told
    caller: Caller | None = None
    head: Head | None = None
    incoming: Incoming | None = None
    returned: Returned = Returned()
    marked: Marked = Marked()
    counted_as: str | None = None
    unread: bool = False


def usage_of(told: Told, prompt: int, *, sent: bool, finished: bool, status: int) -> Usage:
    """What to settle a reservation with. `prompt` is the estimate of the prompt in tokens; `sent`,
    whether the upstream may have the request; `finished`, whether its answer was read to the end.
    """
    if not sent:
        return Usage(sent=False)
    counted = None
    if told.prompt_tokens is not None or told.completion_tokens is not None:
        counted = (told.prompt_tokens or 0) + (told.completion_tokens or 0)
    if finished and status not in (200, CLIENT_LEFT):
        return Usage(tokens=0)  # an error of the upstream: it generated nothing
    if finished and counted is not None:
        return Usage(tokens=counted)  # our own estimate is high on purpose
    return Usage(
        tokens=counted,
        streamed=prompt + told.streamed,
        still_running=status == CLIENT_LEFT and not finished,  # it may not have noticed yet
    )


def record(services: Services, request: Ended) -> None:
    """Count a request, and record it as an exchange if we know who asked what."""
    measures, told = services.measures, request.told
    ended, route = time.time(), request.counted_as or request.route
    measures.requests.count(route, str(request.status))
    measures.seconds.observe(route, max(0.0, ended - request.began))
    if told.prompt_tokens:
        measures.tokens.count("prompt", by=told.prompt_tokens)
    if told.completion_tokens:
        measures.tokens.count("completion", by=told.completion_tokens)
    records = services.records
    if request.caller is None or request.head is None:
        return
    if request.incoming is None and not (request.unread and records.room()):
        return  # where there is no room, that is why it was refused
    records.record(
        exchange_of(
            request_id=request.request_id, at=request.began, ended=ended, route=request.route,
            caller=request.caller, head=request.head, incoming=request.incoming, told=told,
            status=request.status, returned=request.returned, marked=request.marked,
        )
    )  # fmt: skip


def count_rules(measures: Measures, decision: Decision) -> None:
    """Count the rules that matched a request, and those that would have."""
    for name in decision.matched:
        measures.rules.count(name, "no")
    for name in decision.shadow:
        measures.rules.count(name, "yes")
