"""One request on its way through LiteLLM, from the door to the end of its response.

LiteLLM's hooks tell of it piece by piece, and some of its exits are told by none of them. What they
say is noted here; the end comes from the web framework, once nothing more will be sent.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextvars import ContextVar
from typing import Any, Final

import msgspec

from stillwatch.access import Asked, Caller, Decision, Refusal, RequestFacts, Surface, decide
from stillwatch.access.limits import Exceeded, Reservation
from stillwatch.errors import StorageError
from stillwatch.gateway.choices import WrittenChoices, choices_of, marked_in
from stillwatch.gateway.dialects.dialect import Dialect, Incoming, Scrubber, Told, UnreadableError
from stillwatch.gateway.ending import CLIENT_LEFT, Ended, count_rules, record, usage_of
from stillwatch.gateway.head import Head
from stillwatch.gateway.litellm.refused import RefusedError
from stillwatch.gateway.marking import Marked, asked_of, to_be_marked
from stillwatch.gateway.refusals import bad_request, over_limit, unavailable
from stillwatch.gateway.services import Services

__all__ = ["PASSAGE", "Passage"]

#: Fields through which LiteLLM lets a client steer it (tags, guardrails) or name a user of its
#: own; the exchange has the client's `user`, LiteLLM and the model server do not get to know it.
_OURS_ALONE: Final = frozenset({"metadata", "user"})


class Passage:
    """The life of one request. `incoming` and `caller` have been read and looked up already."""

    def __init__(
        self,
        services: Services,
        dialect: Dialect,
        route: str,
        *,
        head: Head,
        caller: Caller,
        incoming: Incoming,
    ) -> None:
        self._services, self._dialect, self._route = services, dialect, route
        self._head = services.located(head)
        self._caller, self._incoming = caller, incoming
        self._began = time.time()
        self.id = os.urandom(16).hex()
        self.decision: Decision | None = None
        self._reservation: Reservation | None = None
        self._told = Told()
        self._chosen: WrittenChoices | Marked | None = None  # where we write the mark ourselves
        self._status: int | None = None
        self._finished = False
        self._ended = False
        self.sent = False
        services.measures.in_flight += 1

    @property
    def asked(self) -> dict[str, Any]:
        """The checked fields of the request, less those that LiteLLM must not see."""
        return self._fields(self._incoming.asked)

    async def grant(self) -> dict[str, Any]:
        """Decide, and reserve; the fields that LiteLLM may ask the model server for.

        Asked again (LiteLLM may try another deployment from the start), it says the same again.

        Raises:
            RefusedError: the request must not be served.
        """
        if self.decision is None:
            try:
                await self._decide()
            except StorageError as error:
                raise self.refused(
                    unavailable("access cannot be checked at the moment; try again")
                ) from error
        assert self.decision is not None
        granted = self.decision.granted
        assert granted is not None  # allowed
        try:
            return self._fields(granted)
        except UnreadableError as error:
            raise self.refused(bad_request(error.message)) from error

    async def _decide(self) -> None:
        services = self._services
        facts = RequestFacts(
            caller=self._caller,
            asked=self._incoming.asked,
            origin=self._head.origin,
            route=self._route,
            at=self._began,
        )
        decision = decide(facts, services.view())
        count_rules(services.measures, decision)
        if decision.refusal is not None:
            raise self.refused(decision.refusal)
        if decision.delay:
            await asyncio.sleep(decision.delay)
        reserved = await services.holding.reserve(decision.charges)
        if isinstance(reserved, Exceeded):
            raise self.refused(over_limit(reserved))
        self._reservation, self.decision = reserved, decision
        if self._ended:  # the client left while we waited
            self._settle()

    def _fields(self, granted: Asked) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.json.decode(self._dialect.write(self._incoming, granted))
        return {name: value for name, value in body.items() if name not in _OURS_ALONE}

    def headers(self) -> dict[str, str]:
        """Headers for the model server."""
        headers = {"x-request-id": self.id}
        if self.decision is None or self.decision.mark is None:
            return headers
        services = self._services
        cluster = services.cluster(self._caller)
        return {**headers, **asked_of(self.decision, cluster, services.marks)}

    def changed(self) -> dict[str, str]:
        """Headers for the client; LiteLLM's own would name the address of the model server."""
        headers = {"x-request-id": self.id, "x-litellm-model-api-base": ""}
        if self.decision is not None and self.decision.changed:
            headers["x-stillwatch-changed"] = ", ".join(self.decision.changed)
        return headers

    def whole(self, body: bytes) -> dict[str, Any]:
        """A whole response within the surface.

        Raises:
            UnreadableError: it is no response of this dialect.
        """
        choices = self._choices()
        answer = self._dialect.scrub(body, self._incoming, self._surface(), choices=choices)
        told = answer.told
        if not told.prompt_tokens:  # LiteLLM's word for a server that counted nothing
            told.prompt_tokens = told.completion_tokens = None
        self._told, self._finished, self._status = told, True, 200
        shown: dict[str, Any] = msgspec.json.decode(answer.body)
        return shown

    def stream(self) -> Scrubber:
        """A scrubber for the stream that begins now."""
        choices = self._choices()
        scrubber = self._dialect.stream(self._incoming, self._surface(), choices=choices)
        self._told = scrubber.told
        return scrubber

    def streamed(self) -> None:
        """The stream came to its end."""
        self._finished, self._status = True, 200

    def refused(self, refusal: Refusal) -> RefusedError:
        """Note a refusal of ours, which is to be raised."""
        self.failed(refusal, finished=False)
        return RefusedError(refusal)

    def failed(self, refusal: Refusal, *, finished: bool) -> None:
        """It ends with an error. `finished`: the model server itself said so, and has stopped."""
        if self._status is None:
            self._services.measures.refusals.count(refusal.code)
        self._status, self._finished = refusal.status, finished

    def end(self) -> None:
        """Nothing more will be sent: settle, and record."""
        if self._ended:
            return
        self._ended = True
        self._services.measures.in_flight -= 1
        if self._reservation is not None:
            self._settle()
        record(
            self._services,
            Ended(
                request_id=self.id, began=self._began, route=self._route, status=self._final(),
                told=self._told, caller=self._caller, head=self._head, incoming=self._incoming,
                marked=self._marked(),
            ),
        )  # fmt: skip

    def _marked(self) -> Marked:
        """LiteLLM does not show the headers of the model server: nothing confirms the mark."""
        decision = self.decision
        if decision is None or decision.granted is None or self._final() != 200:
            return Marked()
        if self._chosen is not None:
            return marked_in(self._chosen)
        return to_be_marked(decision, decision.granted)

    def _choices(self) -> WrittenChoices | None:
        """What writes the mark into the answer, if we do."""
        decision, services = self.decision, self._services
        if decision is None or services.marks is None:
            return None
        self._chosen = choices_of(
            decision, self._incoming, services.cluster(self._caller),
            dialect=self._dialect.name, marks=services.marks,
        )  # fmt: skip
        return self._chosen if isinstance(self._chosen, WrittenChoices) else None

    def _settle(self) -> None:
        assert self._reservation is not None
        usage = usage_of(
            self._told,
            self._incoming.asked.prompt_tokens,
            sent=self.sent,
            finished=self._finished,
            status=self._final(),
        )
        self._services.holding.settle(self._reservation, usage)

    def _final(self) -> int:
        return CLIENT_LEFT if self._status is None else self._status

    def _surface(self) -> Surface:
        assert self.decision is not None
        return self.decision.surface


#: The request that runs, for the hooks, which are told of it in many forms and hold none of ours.
PASSAGE: ContextVar[Passage | None] = ContextVar("stillwatch_passage", default=None)
