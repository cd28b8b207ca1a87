"""The TAXII server as an ASGI 3 application: who asks, in which media type, and what is answered.

Every endpoint needs a token: as the password of HTTP Basic (the user's name is not looked at), or
as `Bearer` or `Token`. Each answer is TAXII, errors too. Nothing that a request holds can make it
fail with a mistake of ours; what does is logged with the id that the answer carries.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import uuid
from collections.abc import Iterable

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from stillwatch.errors import StorageError
from stillwatch.gateway.measures import Tally
from stillwatch.gateway.wire import (
    BodyTooLarge,
    ClientGone,
    Receive,
    Scope,
    Send,
    answer_lifespan,
    whole_body,
)
from stillwatch.intel.store.members import Token
from stillwatch.intel.store.store import Store
from stillwatch.intel.taxii.answers import Answer, RefusedError, refused
from stillwatch.intel.taxii.guards import Bounds, Guard
from stillwatch.intel.taxii.media import acceptable, is_taxii
from stillwatch.intel.taxii.routes import ROUTES, Asked, Route

__all__ = ["TaxiiServer"]

#: seconds that a client may take to send a body
PATIENCE = 120.0
#: seconds after which to ask again when the store is busy or away
_AGAIN = "5"
_CHALLENGES = 'Basic realm="TAXII", charset="UTF-8", Bearer'
_log = logging.getLogger(__name__)


class TaxiiServer:
    """The application. The `store` is open already, and closed by others."""

    def __init__(
        self, store: Store, bounds: Bounds | None = None, *, title: str = "Stillwatch"
    ) -> None:
        self._store = store
        self._bounds = bounds or Bounds()
        self._guard = Guard(self._bounds)
        self._title = title
        self.requests = Tally(
            "stillwatch_taxii_requests", "Requests by endpoint and HTTP status", "route", "status"
        )
        self.registry = CollectorRegistry()
        self.registry.register(self.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if scope["path"] in ("/healthz", "/metrics") and method == "GET":
            answer = self._page(scope["path"])
        else:
            route, answer = await self._answered(scope, receive, method)
            self.requests.count(route, str(answer.status))
        await _respond(send, answer, bodiless=scope["method"] == "HEAD")

    async def _answered(self, scope: Scope, receive: Receive, method: str) -> tuple[str, Answer]:
        """The endpoint, as metrics call it, and its answer."""
        name = "none"
        try:
            headers = _headers(scope["headers"])
            token = await self._bearer(headers.get(b"authorization"))
            reservation = await self._guard.enter(token.member)
            try:
                route, names = _route(method, scope["path"])
                name = route.name
                if not acceptable(headers.get(b"accept")):
                    raise RefusedError(406, "this server answers in TAXII 2.1 alone")
                asked = self._asked(token, names, scope)
                return name, await self._do(route, asked, headers, receive)
            finally:
                await self._guard.leave(reservation)
        except RefusedError as error:
            return name, refused(error)
        except StorageError as error:
            _log.error("the store failed: %s", error)
            return name, refused(
                RefusedError(503, "the store cannot be used at the moment", retry_after=_AGAIN)
            )
        except Exception:
            error_id = str(uuid.uuid4())
            _log.exception("a request to the TAXII server failed (%s)", error_id)
            return name, refused(RefusedError(500, "a mistake of ours"), error_id)

    async def _do(
        self, route: Route, asked: Asked, headers: dict[bytes, str], receive: Receive
    ) -> Answer:
        if route.adds:
            if not is_taxii(headers.get(b"content-type")):
                raise RefusedError(415, "send TAXII 2.1")
            if headers.get(b"content-encoding", "identity").strip().lower() != "identity":
                raise RefusedError(415, "send the body as it is, without a content-encoding")
            await asyncio.to_thread(asked.collection, write=True)
            body = await self._body(headers, receive)
            asked = msgspec.structs.replace(asked, body=body)
        return await asyncio.to_thread(route.handler, asked)

    def _asked(self, token: Token, names: dict[str, str], scope: Scope) -> Asked:
        loop = asyncio.get_running_loop()

        def count(objects: int, size: int) -> None:
            counted = self._guard.count(token.member, objects, size)
            asyncio.run_coroutine_threadsafe(counted, loop).result()

        return Asked(
            store=self._store,
            member=token.member,
            names=names,
            query=scope.get("query_string", b""),
            body=b"",
            largest=self._bounds.largest_body,
            title=self._title,
            count=count,
        )

    async def _bearer(self, authorization: str | None) -> Token:
        secret = _secret(authorization)
        found = await asyncio.to_thread(self._store.members.bearer, secret) if secret else None
        if found is None:
            raise RefusedError(
                401,
                "give a token",
                "as the password of HTTP Basic, or as Bearer; this one is missing, unknown, has "
                "expired or was revoked",
                www_authenticate=_CHALLENGES,
            )
        return found

    async def _body(self, headers: dict[bytes, str], receive: Receive) -> bytes:
        largest = self._bounds.largest_body
        length = headers.get(b"content-length", "")
        if length.isascii() and length.isdigit() and int(length[:18]) > largest:
            raise _too_large(largest)
        try:
            return await whole_body(receive, largest, PATIENCE)
        except ClientGone:
            raise RefusedError(400, "the client left") from None
        except BodyTooLarge:
            raise _too_large(largest) from None
        except TimeoutError:
            raise RefusedError(408, "the body did not arrive in time") from None

    def _page(self, path: str) -> Answer:
        if path == "/healthz":
            return Answer(200, b'{"status":"alive"}', media_type="application/json")
        return Answer(200, generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """Headers by name; those that come twice are put together, as RFC 9110 (5.3) has it."""
    found: dict[bytes, str] = {}
    for name, value in pairs:
        text = value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _secret(authorization: str | None) -> str | None:
    """The token that a request carries."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() in ("bearer", "token"):
        return rest or None
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):  # ValueError: no UTF-8, or no ASCII at all
        return None
    return password if colon and password else user or None


def _route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The endpoint, and what stands in the places of its path."""
    parts = tuple(path.strip("/").split("/"))
    known = []
    for route in ROUTES:
        names = route.names(parts)
        if names is not None and names.get("root") != "taxii2":
            if route.method == method:
                return route, names
            known.append(route.method)
    if known:
        raise RefusedError(405, "this endpoint takes another method", allow=", ".join(known))
    raise RefusedError(404, "there is no such endpoint")


def _too_large(largest: int) -> RefusedError:
    return RefusedError(
        413, "the body is too large", f"max_content_length of the API root is {largest:,}"
    )


async def _respond(send: Send, answer: Answer, *, bodiless: bool) -> None:
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", b"%d" % len(answer.body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})
