"""The JSON API of cases as an ASGI 3 application: who asks, in which role, and what is answered.

Every request carries a token; what a role may do stands beside each route. Bodies and answers are
JSON, errors too: ``{"error": {"code": "SW501", "message": …}}``. Nothing is cached anywhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec

from stillwatch.cases.routes import ROUTES, Asked, BodyError, Route
from stillwatch.cases.store import Cases
from stillwatch.cases.tokens import Token
from stillwatch.errors import (
    CaseError,
    ConflictError,
    ExpiredError,
    FourEyesError,
    InputError,
    NotAllowedError,
    StillwatchError,
    UnknownCaseError,
)
from stillwatch.gateway.wire import (
    BodyTooLarge,
    ClientGone,
    Receive,
    Scope,
    Send,
    answer_lifespan,
    whole_body,
)
from stillwatch.ledger import Ledger

__all__ = ["LARGEST_BODY", "CasesAPI"]

#: bytes of a request's body
LARGEST_BODY = 16 * 2**20
#: seconds that a client may take to send a body
PATIENCE = 30.0
_STATUS: tuple[tuple[type[StillwatchError], int], ...] = (
    (NotAllowedError, 403),
    (UnknownCaseError, 404),
    (FourEyesError, 403),
    (ExpiredError, 410),
    (ConflictError, 409),
    (CaseError, 422),
    (InputError, 422),
)
_log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    status: int
    body: bytes
    allow: str = ""


class _WrongError(Exception):
    """A request that no route takes; `allow` are the methods that are taken there."""

    def __init__(self, status: int, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.allow = allow


class CasesAPI:
    """The application. `cases` are open already, and closed by others.

    Decisions are told to the ledger in the folder `ledger`, if there is one, before they are
    answered. Where the ledger fails they hold all the same, wait, and are told with the next one.
    """

    def __init__(self, cases: Cases, ledger: Path | None = None) -> None:
        self._cases = cases
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = await self._answer(scope, receive)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer.body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if answer.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if answer.allow:
            headers.append((b"allow", answer.allow.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> _Answer:
        if scope["path"] == "/healthz" and scope["method"] == "GET":
            return _Answer(200, b'{"status":"alive"}')
        try:
            secret = _secret(scope["headers"])
            route, names = _route(scope["method"], scope["path"])
            query = _query(scope.get("query_string", b""))
            # before a byte of the body is kept, so that nobody fills our memory without a token
            await asyncio.to_thread(self._token, secret, route)
            body = await _body(receive) if route.writes else b""
            return await asyncio.to_thread(self._do, secret, route, names, query, body)
        except _WrongError as error:
            code = "SW505" if error.status == 401 else "SW500"
            return _Answer(error.status, _error(code, str(error)), error.allow)
        except StillwatchError as error:
            return _failed(error)
        except BodyError as error:
            text = f"the body is not what this route takes: {error}"
            return _Answer(400, _error("SW500", text))
        except Exception:
            _log.exception("a request to the API of cases failed")
            return _Answer(500, _error("SW000", "a mistake of ours; it is in the log"))

    def _do(
        self,
        secret: str,
        route: Route,
        names: tuple[str, ...],
        query: dict[str, str],
        body: bytes,
    ) -> _Answer:
        asked = Asked(
            token=self._token(secret, route),  # again: it may have been revoked meanwhile
            names=names,
            query=query,
            body=body,
        )
        answer = msgspec.json.encode(route.handler(self._cases, asked))
        if route.writes:
            self._tell()
        return _Answer(200, answer)

    def _token(self, secret: str, route: Route) -> Token:
        """The token of who asks.

        Raises:
            NotAllowedError: its role may not do this.
        """
        try:
            token = self._cases.tokens.bearer(secret)
        except NotAllowedError as error:
            raise _WrongError(401, str(error)) from error
        if token.role not in route.roles:
            raise NotAllowedError(
                f"the role {token.role} may not do this; it is for {', '.join(sorted(route.roles))}"
            )
        return token

    def _tell(self) -> None:
        """Tell the ledger what waits; a failure is logged, and nothing is lost."""
        if self._ledger is None:
            return
        try:
            with Ledger.open(self._ledger, create=True) as ledger:
                self._cases.deliver(ledger)
        except StillwatchError as error:
            _log.warning("decided, but not yet in the ledger: %s", error)


def _route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route, and what stands in the places of its names."""
    parts = tuple(path.strip("/").split("/"))
    if "\0" in path:
        raise _WrongError(404, "the address holds the character NUL")
    methods = []
    for route in ROUTES:
        names = route.names(parts)
        if names is not None:
            if route.method == method:
                return route, names
            methods.append(route.method)
    if methods:
        raise _WrongError(405, "this route takes another method", ", ".join(methods))
    raise _WrongError(404, "there is no such route; docs/cases-api.md lists them")


def _query(text: bytes) -> dict[str, str]:
    found = parse_qs(text.decode("latin-1"))
    if any("\0" in value for values in found.values() for value in values):
        raise _WrongError(400, "the query holds the character NUL")
    return {name: values[-1] for name, values in found.items()}


def _secret(headers: Iterable[tuple[bytes, bytes]]) -> str:
    found = [value for name, value in headers if name == b"authorization"]
    scheme, _, token = (found[0] if found else b"").partition(b" ")
    if len(found) != 1 or scheme.lower() != b"bearer" or not token.strip():
        raise _WrongError(401, "send one header authorization: Bearer and a token")
    return token.strip().decode("latin-1")


async def _body(receive: Receive) -> bytes:
    try:
        return await whole_body(receive, LARGEST_BODY, PATIENCE)
    except ClientGone:
        raise _WrongError(400, "the client left") from None
    except BodyTooLarge:
        raise _WrongError(413, f"the body has more than {LARGEST_BODY:,} bytes") from None
    except TimeoutError:
        raise _WrongError(408, "the body did not arrive in time") from None


def _failed(error: StillwatchError) -> _Answer:
    """The answer to a request that failed; where the store did, its place is none of theirs."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 503)
    if status != 503:
        return _Answer(status, _error(error.code, str(error)))
    _log.error("the store of cases failed: %s", error)
    text = "the store failed, and nothing was decided; what it says is in the log"
    return _Answer(status, _error(error.code, text))


def _error(code: str, message: str) -> bytes:
    return msgspec.json.encode({"error": {"code": code, "message": message}})
