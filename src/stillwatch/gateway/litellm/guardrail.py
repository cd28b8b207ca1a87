"""LiteLLM's guardrail: decides before the call, narrows the answer, and notes how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import litellm
import msgspec
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.types.guardrails import GuardrailEventHooks

from stillwatch.access import Refusal, Surface
from stillwatch.errors import SettingsError, StillwatchError
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.ending import CLIENT_LEFT
from stillwatch.gateway.lifetime import opened
from stillwatch.gateway.litellm.passage import PASSAGE, Passage
from stillwatch.gateway.litellm.refused import RefusedError
from stillwatch.gateway.middleware import CONFIG, STATE
from stillwatch.gateway.refusals import bad_request, unavailable, upstream_failed
from stillwatch.gateway.services import Services
from stillwatch.gateway.settings import read_gateway

__all__ = ["SHOWN", "Guardrail", "serving"]

_log = logging.getLogger(__name__)
_HOOKS: Final = (GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call)
#: What the caller may be shown of the list of models.
SHOWN: ContextVar[Surface | None] = ContextVar("stillwatch_shown", default=None)


class Guardrail(CustomGuardrail):
    """The guardrail. It runs on every request, whatever `default_on` and `mode` say, and whatever a
    request names: a guardrail that a client can leave out guards nothing.
    """

    def __init__(self, **settings: Any) -> None:
        """Read the settings, and open the stores once the event loop has time.

        Raises:
            SettingsError: the environment names no state folder, or the settings are wrong; LiteLLM
                then does not start.
        """
        super().__init__(
            guardrail_name=settings.get("guardrail_name"),
            supported_event_hooks=list(_HOOKS),
            event_hook=list(_HOOKS),
            default_on=bool(settings.get("default_on")),
        )
        _Open.present = _Open.present or _Open()

    def should_run_guardrail(self, data: Any, event_type: GuardrailEventHooks) -> bool:
        return event_type in _HOOKS

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Decide, reserve, and put what was granted in the place of what was asked."""
        passage = PASSAGE.get()
        if passage is None or call_type != "acompletion":
            raise RefusedError(unavailable("this request did not come through the door"))
        granted = await passage.grant()
        for name in passage.asked:
            if name not in granted:
                data.pop(name, None)
        granted.pop("model", None)  # LiteLLM may know it under another name
        data.update(granted)
        data["extra_headers"] = passage.headers()
        return data

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list[dict[str, Any]],
        messages: Any = None,
        request_kwargs: Any = None,
        parent_otel_span: Any = None,
    ) -> list[dict[str, Any]]:
        """The deployments whose `model_info.id` is the name of an allowed backend."""
        passage = _judged()
        assert passage.decision is not None
        allowed = passage.decision.backends
        kept = [each for each in healthy_deployments if each["model_info"]["id"] in allowed]
        if not kept:
            raise passage.refused(unavailable("no model server can be reached; try again", 5.0))
        passage.sent = True
        return kept

    async def async_filter_listed_models(
        self, user_api_key_dict: Any, model_names: Sequence[str]
    ) -> Sequence[str]:
        """The models that the caller's level shows."""
        surface = SHOWN.get()
        return [n for n in model_names if surface is not None and surface.allows_model(n)]

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> dict[str, Any]:
        """The answer within the surface, as a plain dictionary: LiteLLM's classes would fill in
        fields of their own."""
        passage = _judged()
        try:
            shown = passage.whole(_encoded(response))
        except UnreadableError as error:
            refusal = upstream_failed("the model server's answer is unreadable")
            raise passage.refused(refusal) from error
        return {**shown, "_hidden_params": getattr(response, "_hidden_params", {})}

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncIterator[bytes]:
        """The stream within the surface, event by event, as bytes that LiteLLM passes on."""
        passage = _judged()
        scrubber = passage.stream()
        try:
            async for chunk in response:
                if out := scrubber.event(None, _encoded(chunk)):
                    yield out
        except Exception as error:
            _log.warning("a stream broke off: %s", type(error).__name__)
            refusal = upstream_failed("the answer broke off; try again")
            passage.failed(refusal, finished=False)
            raise _BrokenOffError(refusal) from None
        passage.streamed()

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> HTTPException | None:
        """Note the failure; one of the model server is told in our words, without LiteLLM's."""
        passage = PASSAGE.get()
        if passage is None or isinstance(original_exception, RefusedError | _BrokenOffError):
            return None
        if getattr(original_exception, "status_code", None) == CLIENT_LEFT:
            return None  # as it stands when nothing was noted
        refusal = _refusal_of(original_exception)
        stopped = not isinstance(original_exception, litellm.Timeout)
        passage.failed(refusal, finished=stopped)
        if not passage.sent:
            return None  # LiteLLM itself, or another guardrail of the operator's, has refused it
        wait = (
            None if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:.0f}"}
        )
        return HTTPException(status_code=refusal.status, detail=refusal.message, headers=wait)

    async def async_post_call_response_headers_hook(
        self, data: Any, user_api_key_dict: Any, response: Any, **others: Any
    ) -> dict[str, str]:
        passage = PASSAGE.get()
        return {} if passage is None else passage.changed()


class _BrokenOffError(Exception):
    """Ends a stream with an error event; LiteLLM reads these attributes."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.message, self.type, self.param = refusal.message, "api_error", None
        self.status_code = refusal.status


class _Open:
    """The stores of this process: opened in a task that holds them until the event loop ends."""

    present: _Open | None = None

    def __init__(self) -> None:
        state, config = os.environ.get(STATE), os.environ.get(CONFIG)
        if not state or not config:
            raise SettingsError(f"name the state folder in {STATE} and the settings in {CONFIG}")
        self._state, self._config = Path(state), Path(config)
        self._settings = read_gateway(self._config)
        self._ready: asyncio.Future[Services] | None = None
        self._task: asyncio.Task[None] | None = None
        with contextlib.suppress(RuntimeError):  # no event loop yet: the first request opens them
            self._begin()

    async def services(self) -> Services:
        """
        Raises:
            StillwatchError: a store cannot be opened.
        """
        if self._ready is None:
            self._begin()
        assert self._ready is not None
        return await asyncio.shield(self._ready)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._task = loop.create_task(self._live(self._ready))

    async def _live(self, ready: asyncio.Future[Services]) -> None:
        try:
            async with opened(self._state, self._settings, reread=self._config) as services:
                ready.set_result(services)
                await asyncio.Event().wait()
        except StillwatchError as error:
            _log.error("Stillwatch cannot open its stores, and lets nobody in: %s", error)
            ready.set_exception(error)


async def serving() -> Services:
    """What the guardrail works with.

    Raises:
        RefusedError: there is no guardrail, or its stores cannot be opened.
    """
    if _Open.present is None:
        raise RefusedError(unavailable("the guardrail is not configured"))
    try:
        return await _Open.present.services()
    except StillwatchError as error:
        raise RefusedError(unavailable("the gateway has not started")) from error


def _judged() -> Passage:
    passage = PASSAGE.get()
    if passage is None or passage.decision is None:
        raise RefusedError(unavailable("nobody has decided about this request"))
    return passage


def _encoded(response: Any) -> bytes:
    """A response or a chunk of LiteLLM's as the JSON that it stands for."""
    if hasattr(response, "model_dump_json"):
        text: str = response.model_dump_json(exclude_none=True)
        return text.encode()
    return msgspec.json.encode(response)


def _refusal_of(error: Exception) -> Refusal:
    """A failure as the gateway words it; the upstream's keys are no business of the caller."""
    status = getattr(error, "status_code", None)
    if status in (400, 404, 409, 413, 422):
        return bad_request("the model server refused", "upstream_refused", int(status))
    if status == 429:
        return Refusal(
            status=429, code="upstream_busy", message="the model server is busy; try again",
            rule="backend", retry_after=1.0,
        )  # fmt: skip
    return upstream_failed()
