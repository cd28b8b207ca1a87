"""LiteLLM's `custom_auth`: who asks, on which route, for what; everything else ends here.

It is asked on every route of LiteLLM's that wants a key. Routes that the guardrail cannot judge
are refused, LiteLLM's own management included. A body is read strictly here, before LiteLLM reads
it, and LiteLLM then gets the checked fields in its place: what steers LiteLLM from within a request
(`guardrails`, `fallbacks`, `api_base`, `mock_response`, `metadata`…) never reaches it.
"""

from __future__ import annotations

from typing import Any, Final

from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
from litellm.proxy.common_utils.http_parsing_utils import safe_set_request_parsed_body

from stillwatch.access import Caller
from stillwatch.errors import StorageError
from stillwatch.gateway.dialects.dialect import Incoming, UnreadableError
from stillwatch.gateway.dialects.openai_chat import OpenAIChat
from stillwatch.gateway.head import Head, HeadError, read_head
from stillwatch.gateway.listing import Listing
from stillwatch.gateway.litellm.guardrail import SHOWN, serving
from stillwatch.gateway.litellm.passage import PASSAGE, Passage
from stillwatch.gateway.litellm.refused import RefusedError
from stillwatch.gateway.refusals import NO_KEY, bad_request, no_such_route, too_large, unavailable
from stillwatch.gateway.services import Services
from stillwatch.gateway.wire import JSON
from stillwatch.gateway.wire import RefusedError as Ended

__all__ = ["authenticate"]

_CHAT: Final = OpenAIChat()
_CHATS: Final = frozenset({"/v1/chat/completions", "/chat/completions"})
_MODELS: Final = "/v1/models"
#: Headers that LiteLLM gets to see. Others could steer it (`x-litellm-…`) or go on to a server.
_PASSED: Final = frozenset({"content-type", "content-length", "host", "accept", "user-agent"})


async def authenticate(request: Any, api_key: str) -> UserAPIKeyAuth:  # noqa: ARG001
    """Let a request in, as LiteLLM's `custom_auth`. The key is read from the request itself: what
    LiteLLM has found (`api_key`) may stand in headers of other vendors.

    Raises:
        RefusedError: it is not let in.
    """
    services = await serving()
    try:
        return await _admitted(request, services)
    except RefusedError as refused:
        services.measures.refusals.count(refused.refusal.code)
        services.measures.requests.count("none", str(refused.refusal.status))
        raise


async def _admitted(request: Any, services: Services) -> UserAPIKeyAuth:
    method, path = request.scope["method"], request.scope["path"]
    chat = method == "POST" and path in _CHATS
    if not (chat or (method == "GET" and (path + "/").startswith(_MODELS + "/"))):
        raise RefusedError(no_such_route())
    head, caller = _who(request, services)
    _forget_headers(request)
    if not chat:
        return _let_in(caller)
    if request.scope.get("query_string"):
        # LiteLLM would take a model from it, past the one in the body.
        raise RefusedError(bad_request("this route takes no query string"))
    if not services.records.room():
        raise RefusedError(unavailable("exchanges cannot be recorded at the moment; try again"))
    if head.content_type.partition(b";")[0].strip().lower() != JSON:
        # LiteLLM reads a form as such, and leaves nothing of the body.
        raise RefusedError(bad_request("send the body as application/json", status=415))
    if head.content_encoding not in (b"", b"identity"):
        raise RefusedError(bad_request("send the body without content-encoding", status=415))
    incoming = _read(await request.body(), services.largest_request)
    passage = Passage(
        services, _CHAT, "chat.completions", head=head, caller=caller, incoming=incoming
    )
    # The stack is FastAPI's, for dependencies that clean up; it unwinds when the response is over,
    # whatever became of it. Without it nothing would ever be settled: then there is no service.
    request.scope["fastapi_inner_astack"].callback(passage.end)
    PASSAGE.set(passage)
    safe_set_request_parsed_body(request, passage.asked)
    return _let_in(caller)


def _who(request: Any, services: Services) -> tuple[Head, Caller]:
    peer = request.scope.get("client") or ("", 0)
    try:
        head = read_head(request.headers.raw, peer[0], services.hops)
        if head.secret is None:
            raise RefusedError(NO_KEY)
        view = services.view()
        SHOWN.set(Listing(services).surface(head, view))
    except HeadError as error:
        raise RefusedError(bad_request(str(error))) from error
    except StorageError as error:
        raise RefusedError(unavailable("access cannot be checked; try again")) from error
    except Ended as refused:
        raise RefusedError(refused.refusal) from refused
    caller = view.caller_of(head.secret)
    assert caller is not None  # or there were no surface
    return head, caller


def _forget_headers(request: Any) -> None:
    """Take away what LiteLLM need not know, the key among it, from all that has been read of it."""
    head = request.scope["headers"]
    request.scope["headers"] = [each for each in head if each[0].decode("latin-1") in _PASSED]
    request._headers = type(request.headers)(scope=request.scope)
    request.state._cached_headers = None


def _read(body: bytes, most: int) -> Incoming:
    if len(body) > most:
        raise RefusedError(too_large(most))
    try:
        incoming = _CHAT.read(body)
    except UnreadableError as error:
        raise RefusedError(bad_request(error.message)) from error
    if "," in incoming.asked.model:
        raise RefusedError(bad_request("model must name one model"))  # LiteLLM would ask them all
    if incoming.asked.unknown_fields:
        # Whatever the level: a field that we do not know may be one that LiteLLM obeys.
        names = ", ".join(incoming.asked.unknown_fields)
        raise RefusedError(bad_request(f"these fields are not known: {names}", "beyond_level"))
    return incoming


def _let_in(caller: Caller) -> UserAPIKeyAuth:
    return UserAPIKeyAuth(
        api_key=caller.key_id,
        user_id=caller.account,
        user_role=LitellmUserRoles.INTERNAL_USER,
    )
