"""The models that a caller may name: what the backends list, less what its level does not show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from stillwatch.access import Asked, Backend, Refusal, RequestFacts, Surface, View, decide
from stillwatch.errors import StorageError
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.openai_models import Model, listed, models_in, one
from stillwatch.gateway.head import Head, HeadError, read_head
from stillwatch.gateway.refusals import bad_request, unavailable
from stillwatch.gateway.services import Services
from stillwatch.gateway.upstream import UpstreamError
from stillwatch.gateway.wire import RefusedError, Scope

__all__ = ["Listing"]

_FRESH = 30.0  # seconds for which a backend's list is used
_LARGEST = 4 * 2**20
_PATIENCE = 5.0  # seconds for a backend to list its models
#: Refusals about a model's name say nothing about the caller, who has named none here.
_OF_THE_CALLER = frozenset({401, 403})


class Listing:
    """Answers ``GET /v1/models`` and ``GET /v1/models/{name}``. Asks each backend now and then."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: dict[str, tuple[float, tuple[Model, ...]]] = {}

    async def body(self, scope: Scope, name: str | None) -> bytes:
        """The list, or one model of it.

        Raises:
            RefusedError: the key is not let in, or there is no such model for it.
        """
        try:
            peer = scope.get("client") or ("", 0)
            head = read_head(scope["headers"], peer[0], self._services.hops)
            view = self._services.view()
        except HeadError as error:
            raise RefusedError(bad_request(str(error))) from error
        except StorageError as error:
            raise RefusedError(unavailable("access cannot be checked; try again")) from error
        surface = self.surface(head, view)
        lists = await asyncio.gather(*(self._models(each) for each in view.backends))
        models = tuple(
            model
            for backend, found in zip(view.backends, lists, strict=True)
            for model in found
            if backend.serves(model.id)
        )
        if name is None:
            return listed(models, surface, anthropic=head.anthropic)
        body = one(models, name, surface, anthropic=head.anthropic)
        if body is None:
            raise RefusedError(
                bad_request("there is no such model for this key", "model_not_found", 404)
            )
        return body

    def surface(self, head: Head, view: View) -> Surface:
        """What the caller may be shown of the list.

        Raises:
            RefusedError: the key is not let in.
        """
        caller = None if head.secret is None else view.caller_of(head.secret)
        facts = RequestFacts(
            caller=caller, asked=Asked(model=""), origin=head.origin, route="models", at=time.time()
        )
        refusal: Refusal | None = decide(facts, view).refusal
        if refusal is not None and (caller is None or refusal.status in _OF_THE_CALLER):
            raise RefusedError(refusal)
        assert caller is not None
        surface = view.levels[caller.level]
        for action in view.actions_on(caller, facts.at):
            if action.kind == "narrow":
                surface = surface & action.bound()
        return surface

    async def _models(self, backend: Backend) -> tuple[Model, ...]:
        """The backend's list, at most half a minute old; what it was before, while it is away."""
        at, models = self._seen.get(backend.name, (0.0, ()))
        if time.monotonic() - at < _FRESH and at:
            return models
        headers: Mapping[str, str] = self._services.credentials.get(backend.name, {})
        try:
            async with asyncio.timeout(_PATIENCE):
                reply = await self._services.upstream.get(
                    backend.url.rstrip("/") + "/v1/models", headers
                )
                try:
                    data = await reply.read(_LARGEST)
                finally:
                    reply.close()
            if reply.status == 200:
                models = models_in(data)
        except (UpstreamError, UnreadableError, TimeoutError):
            self._services.measures.upstream_errors.count(backend.name)
        self._seen[backend.name] = (time.monotonic(), models)
        return models
