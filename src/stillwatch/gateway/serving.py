"""One request, from head to row: decide, reserve, ask the upstream, relay, settle, record."""

from __future__ import annotations

import asyncio
import os
import time

from stillwatch.access import (
    Asked,
    Backend,
    Caller,
    Decision,
    Refusal,
    RequestFacts,
    View,
    decide,
)
from stillwatch.access.limits import Exceeded, Usage
from stillwatch.gateway.binding import Owner, Returned
from stillwatch.gateway.choices import WrittenChoices, choices_of, marked_in
from stillwatch.gateway.dialects.dialect import Dialect, Incoming, Told, UnreadableError
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.ending import CLIENT_LEFT, Ended, count_rules, record, usage_of
from stillwatch.gateway.head import Head, read_head
from stillwatch.gateway.leaving import Noticing
from stillwatch.gateway.mark_fields import written
from stillwatch.gateway.marking import Marked, asked_of, marked_by, to_be_marked
from stillwatch.gateway.raised import refusal_of
from stillwatch.gateway.refusals import (
    NO_KEY,
    bad_request,
    over_limit,
    unavailable,
    upstream_failed,
)
from stillwatch.gateway.services import Services
from stillwatch.gateway.sse import EventSplitter
from stillwatch.gateway.upstream import Reply, UpstreamError
from stillwatch.gateway.upstream_errors import retry_after, words_of
from stillwatch.gateway.wire import (
    ClientGone,
    Receive,
    RefusedError,
    Scope,
    Send,
    part,
    read_body,
    respond,
    stream_head,
)

__all__ = ["Serving"]

_NOTHING_ASKED = Asked(model="")
_NOTHING_RETURNED = Returned()
_NO_MARK = Marked()


class Serving:
    """The life of one request."""

    def __init__(
        self, services: Services, dialect: Dialect, route: str, scope: Scope, send: Send
    ) -> None:
        self._services, self._dialect, self._route = services, dialect, route
        self._scope, self._send = scope, send
        self._began = time.time()
        self._id = os.urandom(16).hex()
        self._caller: Caller | None = None
        self._head: Head | None = None
        self._incoming: Incoming | None = None
        self._decision: Decision | None = None
        self._returned = _NOTHING_RETURNED
        self._marked = _NO_MARK
        self._chosen: WrittenChoices | Marked | None = None  # where we write the mark ourselves
        self._unmarked: str | None = None  # why the engine could not be told of the mark
        self._told = Told()
        self._started = False
        self._status = 500
        self._finished = False  # the upstream's answer was read to its end
        self._sent = False  # something reached the upstream

    async def serve(self, receive: Receive) -> None:
        """Answer the request, whatever happens; then settle and record it."""
        measures = self._services.measures
        measures.in_flight += 1
        try:
            await self._answer(receive)
        except ClientGone:
            self._status = CLIENT_LEFT
        except asyncio.CancelledError:
            self._status = CLIENT_LEFT
            raise
        except Exception as error:  # a stream that has begun ends with the connection
            await self._refuse(refusal_of(error))
        finally:
            measures.in_flight -= 1
            self._record()

    async def _answer(self, receive: Receive) -> None:
        services = self._services
        peer = self._scope.get("client") or ("", 0)
        self._head = head = services.located(
            read_head(self._scope["headers"], peer[0], services.hops)
        )
        view = services.view()
        if head.secret is None:
            raise RefusedError(NO_KEY)
        self._caller = view.caller_of(head.secret)
        if self._caller is None:
            raise RefusedError(decide(self._facts(None, head), view).refusal or NO_KEY)
        if not services.records.room():
            raise RefusedError(unavailable("exchanges cannot be recorded at the moment; try again"))
        if head.content_encoding not in (b"", b"identity"):
            raise RefusedError(bad_request("send the body without content-encoding", status=415))
        body = await read_body(receive, services.largest_request)
        self._incoming = incoming = self._dialect.read(body)
        if incoming.opaque and services.binding is not None:
            owner = self._owner(self._caller, incoming)
            self._returned = services.binding.take_back(incoming.opaque, owner)
            services.measures.returned.count(self._returned.kind.name.lower())
        self._decision = decision = decide(self._facts(incoming, head), view)
        count_rules(services.measures, decision)
        if decision.refusal is not None:
            raise RefusedError(decision.refusal)
        if decision.delay:
            await asyncio.sleep(decision.delay)
        reservation = await services.holding.reserve(decision.charges)
        if isinstance(reservation, Exceeded):
            raise RefusedError(over_limit(reservation))
        try:
            with Noticing(receive):
                await self._forward(view, decision, incoming)
        except (ClientGone, asyncio.CancelledError):
            self._status = CLIENT_LEFT
            raise
        finally:
            services.holding.settle(reservation, self._usage(incoming))

    def _facts(self, incoming: Incoming | None, head: Head) -> RequestFacts:
        return RequestFacts(
            caller=self._caller,
            asked=_NOTHING_ASKED if incoming is None else incoming.asked,
            origin=head.origin,
            route=self._route,
            at=self._began,
            replay=self._returned.kind,
        )

    def _owner(self, caller: Caller, incoming: Incoming) -> Owner:
        return Owner(caller, incoming.asked.model, incoming.messages, self._began)

    def _bind(self, incoming: Incoming) -> Bind | None:
        """What binds opaque reasoning in the answer, if anything does."""
        binding, caller = self._services.binding, self._caller
        if binding is None or caller is None:
            return None
        return binding.issuing(self._owner(caller, incoming))

    async def _forward(self, view: View, decision: Decision, incoming: Incoming) -> None:
        granted = decision.granted
        assert granted is not None  # allowed
        body = self._dialect.write(incoming, granted)
        reply, backend = await self._ask(view, decision, body)
        try:
            if reply.status != 200:
                raise RefusedError(await self._upstream_refusal(reply, backend))
            if self._services.marks is not None and decision.mark is not None:
                self._chosen = self._choices(decision, incoming)
            if self._chosen is None:
                self._marked = marked_by(self._due(decision, granted), reply.headers)
            if granted.stream:
                await self._stream(reply, incoming, decision)
            else:
                await self._whole(reply, incoming, decision)
        except UpstreamError as error:
            self._services.measures.upstream_errors.count(backend.name)
            raise RefusedError(upstream_failed()) from error
        finally:
            reply.close()

    def _choices(self, decision: Decision, incoming: Incoming) -> WrittenChoices | Marked | None:
        services, caller = self._services, self._caller
        assert caller is not None  # decided
        return choices_of(
            decision, incoming, services.cluster(caller),
            dialect=self._dialect.name, marks=services.marks,
        )  # fmt: skip

    def _due(self, decision: Decision, granted: Asked) -> Marked:
        due = to_be_marked(decision, granted)
        return due if self._unmarked is None else Marked(due.name, unmarked=self._unmarked)

    async def _ask(self, view: View, decision: Decision, body: bytes) -> tuple[Reply, Backend]:
        """The first backend that takes the request; once one may have it, no other gets it."""
        services = self._services
        assert self._caller is not None  # decided
        cluster = "" if decision.mark is None else services.cluster(self._caller)
        for backend in services.backends(view, decision.backends):
            headers = {
                "content-type": "application/json",
                "x-request-id": self._id,
                **services.credentials.get(backend.name, {}),
                **asked_of(decision, cluster, services.marks),
            }
            path = self._dialect.upstream_path
            told = written(body, backend, decision, cluster, path=path, marks=services.marks)
            self._unmarked = told.unmarked
            url = backend.url.rstrip("/") + path
            self._sent = True  # a whole answer is generated before its head comes, and we may leave
            try:
                return await services.upstream.post(url, told.body, headers), backend
            except UpstreamError as error:
                services.measures.upstream_errors.count(backend.name)
                self._sent = error.sent
                if error.sent:
                    raise RefusedError(upstream_failed()) from error
        raise RefusedError(unavailable("no model server can be reached; try again", 5.0))

    async def _whole(self, reply: Reply, incoming: Incoming, decision: Decision) -> None:
        data = await reply.read(self._services.largest_answer)
        try:
            answer = self._dialect.scrub(
                data, incoming, decision.surface, self._bind(incoming), self._writing()
            )
        except UnreadableError as error:
            raise RefusedError(
                upstream_failed("the model server's answer is unreadable")
            ) from error
        self._told, self._finished = answer.told, True
        self._status, self._started = 200, True
        await respond(self._send, 200, answer.body, self._headers())

    async def _stream(self, reply: Reply, incoming: Incoming, decision: Decision) -> None:
        if not reply.headers.get("content-type", "").lower().startswith("text/event-stream"):
            raise UpstreamError("no stream", sent=True)
        scrubber = self._dialect.stream(
            incoming, decision.surface, self._bind(incoming), self._writing()
        )
        self._told = scrubber.told
        splitter = EventSplitter()
        self._status, self._started = 200, True
        await self._send(stream_head(self._headers()))
        try:
            async for chunk in reply.chunks():
                out = b"".join([scrubber.event(name, data) for name, data in splitter.feed(chunk)])
                if out:
                    await self._send(part(out))
                elif splitter.kept_alive:
                    await self._send(part(b": ping\n\n"))
                if scrubber.ended:
                    break
        except (UpstreamError, UnreadableError, ValueError):
            self._services.measures.upstream_errors.count("stream")
        if not scrubber.ended:
            await self._fail_stream()
            return
        self._finished = True
        await self._send(part(b"", more=False))

    def _writing(self) -> WrittenChoices | None:
        return self._chosen if isinstance(self._chosen, WrittenChoices) else None

    async def _fail_stream(self) -> None:
        """Tell the client in the stream; it must not take a part for the whole."""
        self._status = 502
        event = self._dialect.failure(upstream_failed("the answer broke off; try again"))
        await self._send(part(event, more=False))

    async def _upstream_refusal(self, reply: Reply, backend: Backend) -> Refusal:
        """The upstream's error, in our words but for its message; its own keys are no business
        of our callers, so its 401 and 403 are failures of ours."""
        status = reply.status
        words = words_of(await reply.read(2**20))
        self._finished = True
        if status in (404, 405, 501):
            told = f": {words}" if words else ""
            return bad_request(
                f"the model server has no such route or model{told}", "upstream_refused", 404
            )
        if status in (400, 409, 413, 422):
            return bad_request(words or "the model server refused", "upstream_refused", status)
        self._services.measures.upstream_errors.count(backend.name)
        if status == 429:
            return Refusal(
                status=429, code="upstream_busy", message="the model server is busy; try again",
                rule=f"backend {backend.name}", retry_after=retry_after(reply),
            )  # fmt: skip
        return upstream_failed()

    async def _refuse(self, refusal: Refusal) -> None:
        self._services.measures.refusals.count(refusal.code)
        self._status = refusal.status
        headers = [(b"x-request-id", self._id.encode())]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after))))
        if not self._started:
            await respond(self._send, refusal.status, self._dialect.refusal(refusal), headers)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"x-request-id", self._id.encode())]
        decision = self._decision
        if decision is not None and decision.changed:
            headers.append(
                (b"x-stillwatch-changed", ", ".join(decision.changed).encode("ascii", "replace"))
            )
        headers += [
            (b"x-stillwatch-notice", notice.encode("ascii", "replace"))
            for notice in (() if decision is None else decision.notices)
        ]
        return headers

    def _usage(self, incoming: Incoming) -> Usage:
        return usage_of(
            self._told,
            incoming.asked.prompt_tokens,
            sent=self._sent,
            finished=self._finished,
            status=self._status,
        )

    def _record(self) -> None:
        if self._chosen is not None:
            self._marked = marked_in(self._chosen)
        record(
            self._services,
            Ended(
                request_id=self._id, began=self._began, route=self._route, status=self._status,
                told=self._told, caller=self._caller, head=self._head, incoming=self._incoming,
                returned=self._returned, marked=self._marked, unread=self._incoming is None,
            ),
        )  # fmt: skip
