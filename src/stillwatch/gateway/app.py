"""The ASGI application: which route is whose, and everything else is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stillwatch.errors import StorageError
from stillwatch.gateway.deciding import Deciding, Operation
from stillwatch.gateway.dialects.anthropic_counting import AnthropicCounting
from stillwatch.gateway.dialects.anthropic_messages import AnthropicMessages
from stillwatch.gateway.dialects.openai_chat import OpenAIChat
from stillwatch.gateway.dialects.openai_completions import OpenAICompletions
from stillwatch.gateway.dialects.openai_embeddings import OpenAIEmbeddings
from stillwatch.gateway.dialects.openai_errors import refusal_body
from stillwatch.gateway.dialects.openai_responses import OpenAIResponses
from stillwatch.gateway.listing import Listing
from stillwatch.gateway.refusals import no_such_route, wrong_method
from stillwatch.gateway.services import Services
from stillwatch.gateway.serving import Serving
from stillwatch.gateway.wire import Receive, RefusedError, Scope, Send, answer_lifespan, respond

__all__ = ["Gateway"]

_MODELS = "/v1/models"
_DECIDE = "/decide"
_Page = Callable[[Send], Awaitable[None]]


class Gateway:
    """The gateway as an ASGI 3 application. `services` are open already, and closed by others."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listing = Listing(services)
        self._operations: Mapping[str, Operation] = {
            "/v1/chat/completions": Operation("chat.completions", OpenAIChat()),
            "/v1/completions": Operation("completions", OpenAICompletions()),
            "/v1/responses": Operation("responses", OpenAIResponses()),
            "/v1/embeddings": Operation("embeddings", OpenAIEmbeddings()),
            "/v1/messages": Operation("messages", AnthropicMessages()),
            "/v1/messages/count_tokens": Operation("messages.count_tokens", AnthropicCounting()),
        }
        self._pages: Mapping[str, _Page] = {
            "/healthz": self._alive,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await answer_lifespan(receive, send)
            return
        if kind == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        path, method = scope["path"], scope["method"]
        # Proxies in front that shield a route by its name would not know it with escapes in it.
        plain = b"%" not in (scope.get("raw_path") or b"")
        operation = self._operations.get(path) if plain else None
        if operation is not None and method == "POST":
            await Serving(self._services, operation.dialect, operation.name, scope, send).serve(
                receive
            )
            return
        decide = self._services.decide
        if decide is not None and (path == _DECIDE or path.startswith(_DECIDE + "/")):
            peer = scope.get("client") or ("", 0)
            if decide.proxies.trusts(peer[0]):  # there is no such route for anybody else
                deciding = Deciding(self._services, decide, self._operations, scope, send)
                await deciding.answer(receive)
                return
        page = self._pages.get(path) if plain else None
        if page is not None and method in ("GET", "HEAD"):
            await page(send)
            return
        if path == _MODELS or path.startswith(_MODELS + "/"):
            if method == "GET":
                await self._models(scope, send, path[len(_MODELS) + 1 :] or None)
                return
            known = True
        else:
            known = operation is not None or page is not None
        refusal = wrong_method() if known else no_such_route()
        self._services.measures.requests.count("none", str(refusal.status))
        await respond(send, refusal.status, refusal_body(refusal), ())

    async def _models(self, scope: Scope, send: Send, name: str | None) -> None:
        try:
            status, body = 200, await self._listing.body(scope, name)
        except RefusedError as refused:
            self._services.measures.refusals.count(refused.refusal.code)
            status, body = refused.refusal.status, refusal_body(refused.refusal)
        self._services.measures.requests.count("models", str(status))
        await respond(send, status, body, ())

    async def _alive(self, send: Send) -> None:
        await respond(send, 200, b'{"status":"alive"}', ())

    async def _ready(self, send: Send) -> None:
        """Ready to serve: access is known and exchanges can be recorded."""
        problem = None
        try:
            self._services.view()
        except StorageError:
            problem = "access cannot be checked"
        if problem is None and not self._services.records.room():
            problem = "exchanges cannot be recorded"
        body = msgspec.json.encode({"status": "ready" if problem is None else problem})
        await respond(send, 200 if problem is None else 503, body, ())

    async def _metrics(self, send: Send) -> None:
        body = generate_latest(self._services.measures.registry)
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
