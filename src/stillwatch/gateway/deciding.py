"""Decisions about requests that another proxy holds: asked at ``/decide``, answered by a status.

Two ways of asking. ``/decide/v1/…`` or a ``POST`` comes with the body, as Envoy's ext_authz (HTTP)
sends it: everything is decided, and recorded. A ``GET`` of ``/decide`` comes without, as nginx's
auth_request sends it: who asks and from where is decided, and what a body would have to show is
refused (:mod:`stillwatch.access.admit`). Nobody can change a request or an answer here, hold a
slot, or count what was used.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from stillwatch.access import UNKNOWN, Asked, Caller, Decision, Refusal, RequestFacts, View, decide
from stillwatch.access.admit import admit, slots_unheld
from stillwatch.access.charging import tokens_reserved
from stillwatch.access.limits import Exceeded, Usage
from stillwatch.access.refusing import unchangeable, undecidable
from stillwatch.gateway.binding import Owner, Returned
from stillwatch.gateway.decide_settings import DecideSettings
from stillwatch.gateway.dialects.dialect import Dialect, Incoming, Told
from stillwatch.gateway.dialects.openai_errors import refusal_body
from stillwatch.gateway.ending import CLIENT_LEFT, Ended, count_rules, record
from stillwatch.gateway.head import Head, read_head
from stillwatch.gateway.marking import CLUSTER, HEADER, asked_of
from stillwatch.gateway.raised import refusal_of
from stillwatch.gateway.refusals import (
    NO_KEY,
    bad_request,
    no_such_route,
    over_limit,
    unavailable,
    wrong_method,
)
from stillwatch.gateway.services import Services
from stillwatch.gateway.unchanged import differing
from stillwatch.gateway.wire import (
    ClientGone,
    Receive,
    RefusedError,
    Scope,
    Send,
    read_body,
    respond,
)

__all__ = ["Deciding", "Operation"]

_HERE = b"/decide"
#: Characters of a refusal's message in a header; proxies bound the size of a response's head.
_LONGEST_MESSAGE = 400


class Operation(msgspec.Struct, frozen=True):
    """A route by its name in rules, and the dialect that it speaks."""

    name: str
    dialect: Dialect


class Deciding:
    """One decision, from the question to the row."""

    def __init__(
        self,
        services: Services,
        settings: DecideSettings,
        operations: Mapping[str, Operation],
        scope: Scope,
        send: Send,
    ) -> None:
        self._services, self._settings, self._operations = services, settings, operations
        self._scope, self._send = scope, send
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._path: bytes = scope.get("raw_path") or scope["path"].encode()
        self._blind = self._path == _HERE and scope["method"] in ("GET", "HEAD")
        self._began = time.time()
        self._id = os.urandom(16).hex()
        self._operation: Operation | None = None
        self._caller: Caller | None = None
        self._head: Head | None = None
        self._incoming: Incoming | None = None
        self._returned = Returned()
        self._status = 500

    async def answer(self, receive: Receive) -> None:
        """Answer, whatever happens; then record what was asked for."""
        try:
            decision = await self._decide(receive)
            self._status = 200
            await respond(self._send, 200, b'{"allowed":true}', self._told(decision))
        except ClientGone:
            self._status = CLIENT_LEFT
        except asyncio.CancelledError:
            self._status = CLIENT_LEFT
            raise
        except Exception as error:
            await self._refuse(refusal_of(error))
        finally:
            self._record()

    async def _decide(self, receive: Receive) -> Decision:
        services = self._services
        operation = self._asked_about()
        self._head = head = self._read_head()
        view = services.view()
        if head.secret is None:
            raise RefusedError(NO_KEY)
        self._caller = view.caller_of(head.secret)
        if self._blind or self._caller is None:
            decision = admit(self._facts(head, operation, None), view, self._settings.waived)
        else:
            decision = await self._weigh_body(receive, operation, head, view)
        count_rules(services.measures, decision)
        if decision.refusal is not None:
            raise RefusedError(decision.refusal)
        if unheld := slots_unheld(decision, self._settings.waived):
            raise RefusedError(undecidable(f"limit {unheld[0].name}"))
        if decision.delay:
            await asyncio.sleep(decision.delay)
        await self._charge(decision)
        return decision

    def _asked_about(self) -> Operation:
        """The route of the request that is asked about, by its path as it was sent: a path that
        only decoding makes a known one may be another one to the proxy or the model server."""
        method: str = self._scope["method"]
        path = self._path.removeprefix(_HERE)
        if self._path == _HERE:
            path = self._headers.get(self._settings.uri_header, b"").partition(b"?")[0]
            method = self._headers.get(self._settings.method_header, b"").decode("latin-1")
        self._operation = self._operations.get(path.decode("latin-1"))
        if self._operation is None:
            raise RefusedError(no_such_route())
        if method != "POST":
            raise RefusedError(wrong_method())
        return self._operation

    def _read_head(self) -> Head:
        """The head of the request. An address that the proxy does not tell is not known: that of
        the connection is its own."""
        proxies = self._settings.proxies
        peer = str((self._scope.get("client") or ("", 0))[0])
        head = read_head(self._scope["headers"], peer, proxies)
        origin = head.origin
        told = self._headers.get(proxies.address_header, b"").rpartition(b",")[2].strip()
        if origin.ip == peer and told != peer.encode():
            origin = msgspec.structs.replace(origin, ip=UNKNOWN)
        return self._services.located(msgspec.structs.replace(head, origin=origin))

    def _facts(self, head: Head, operation: Operation, asked: Asked | None) -> RequestFacts:
        return RequestFacts(
            caller=self._caller,
            asked=asked or Asked(model=""),
            origin=head.origin,
            route=operation.name,
            at=self._began,
            replay=self._returned.kind,
        )

    async def _weigh_body(
        self, receive: Receive, operation: Operation, head: Head, view: View
    ) -> Decision:
        services, dialect = self._services, operation.dialect
        if not services.records.room():
            raise RefusedError(unavailable("exchanges cannot be recorded at the moment; try again"))
        if head.content_encoding not in (b"", b"identity"):
            raise RefusedError(bad_request("send the body without content-encoding", status=415))
        if self._headers.get(b"x-envoy-auth-partial-body") == b"true":
            raise RefusedError(bad_request("the body is too large to be judged", "too_large", 413))
        body = await read_body(receive, services.largest_request)
        self._incoming = incoming = dialect.read(body)
        if incoming.opaque and services.binding is not None and self._caller is not None:
            owner = Owner(self._caller, incoming.asked.model, incoming.messages, self._began)
            self._returned = services.binding.take_back(incoming.opaque, owner)
            services.measures.returned.count(self._returned.kind.name.lower())
        decision = decide(self._facts(head, operation, incoming.asked), view)
        granted = decision.granted
        if granted is None:
            return decision
        if changed := differing(body, dialect.write(incoming, granted)):
            return msgspec.structs.replace(decision, refusal=unchangeable(changed))
        return decision

    async def _charge(self, decision: Decision) -> None:
        """Charge at once and in full: nobody will tell us what was used."""
        charges = tuple(each for each in decision.charges if each.limit.unit != "concurrent")
        reservation = await self._services.holding.reserve(charges)
        if isinstance(reservation, Exceeded):
            raise RefusedError(over_limit(reservation))
        tokens = 0 if decision.granted is None else tokens_reserved(decision.granted)
        self._services.holding.settle(reservation, Usage(tokens=tokens))

    def _told(self, decision: Decision) -> list[tuple[bytes, bytes]]:
        """What the proxy may copy to the model server. Each stands there always, so that copying
        it overwrites what a client has sent."""
        caller = self._caller
        assert caller is not None  # allowed
        marked = {HEADER: "", CLUSTER: ""}
        if decision.mark is not None:
            services = self._services
            marked |= asked_of(decision, services.cluster(caller), services.marks)
        values = {
            b"x-request-id": self._id,
            b"x-stillwatch-account": quote(caller.account, safe=_PLAIN),
            b"x-stillwatch-level": quote(caller.level, safe=_PLAIN),
            b"x-stillwatch-backends": ",".join(quote(b, safe=_PLAIN) for b in decision.backends),
            **{name.encode(): value for name, value in marked.items()},
        }
        return [(name, value.encode("ascii", "replace")) for name, value in values.items()]

    async def _refuse(self, refusal: Refusal) -> None:
        self._services.measures.refusals.count(refusal.code)
        self._status = status = refusal.status
        dialect = None if self._operation is None else self._operation.dialect
        word = refusal_body if dialect is None else dialect.refusal
        headers = [
            (b"x-request-id", self._id.encode()),
            (b"x-stillwatch-status", b"%d" % status),
        ]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after))))
        if self._blind:  # auth_request knows two statuses, and shows nobody the body
            status = 401 if status == 401 else 403
            short = msgspec.structs.replace(refusal, message=refusal.message[:_LONGEST_MESSAGE])
            headers.append(
                (b"x-stillwatch-refusal", json.dumps(json.loads(word(short))).encode("ascii"))
            )
        await respond(self._send, status, word(refusal), headers)

    def _record(self) -> None:
        """The row of a request whose body we saw; its status is that of the decision."""
        operation = self._operation
        record(
            self._services,
            Ended(
                request_id=self._id, began=self._began, status=self._status, told=Told(),
                route="decide" if operation is None else operation.name, counted_as="decide",
                caller=self._caller, head=self._head, incoming=self._incoming,
                returned=self._returned,
            ),
        )  # fmt: skip


#: Characters that stand for themselves in a header that lists names.
_PLAIN = " !#$&'()*+-./:;<=>?@[]^_`{|}~"
