"""An asynchronous client of TAXII 2.1 servers, ours or others', on our own HTTP client.

Each request may be sent again: what was added already is nothing new (TAXII 2.1, section 5.5), so
that it is tried again after a broken connection, and after 429, 502, 503 and 504, with growing
pauses or when the server says. Redirects are not followed: they would carry the token elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import email.utils
import ipaddress
import random
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from stillwatch import __version__
from stillwatch.errors import TaxiiError
from stillwatch.gateway.client import Client
from stillwatch.gateway.upstream import Reply, UpstreamError
from stillwatch.intel.taxii.bodies import lenient
from stillwatch.intel.taxii.media import TAXII, is_taxii

__all__ = ["Remote", "RemotePage", "TaxiiClient"]

#: times that a request is sent at most
ATTEMPTS = 6
#: seconds of the first pause, which doubles, and of the longest
PAUSE = 0.5
_LONGEST_PAUSE = 60.0
#: seconds that a server may ask us to wait
_PATIENCE = 300.0
#: bytes of one answer
_LARGEST_ANSWER = 128 * 2**20
#: seconds without a byte after which a server counts as gone
_SILENCE = 120.0
_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_WORDS = 300


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """A collection of a server; `largest` is what a body may have there, in bytes."""

    url: str
    id: str
    alias: str
    title: str
    can_read: bool
    can_write: bool
    largest: int


class RemotePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of objects. `last` is when the last of them was added, in the server's words."""

    objects: list[Any]
    more: bool
    next: str | None
    last: str | None


class TaxiiClient:
    """Make it within a running event loop, and close it. With a `user` the token is the password
    of HTTP Basic, else a bearer's.

    A token is sent over TLS alone, but to this machine; `plain` allows HTTP to others too.
    """

    def __init__(
        self, token: str, *, user: str | None = None, plain: bool = False,
        attempts: int = ATTEMPTS,
        pause: float = PAUSE,
    ) -> None:  # fmt: skip
        self._client = Client(silence=_SILENCE)
        self._plain = plain
        self._attempts, self._pause = attempts, pause
        given = f"Bearer {token}"
        if user is not None:
            given = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
        self._headers = {
            "accept": TAXII,
            "authorization": given,
            "user-agent": f"stillwatch/{__version__}",
        }

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def __aenter__(self) -> TaxiiClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def collections(self, url: str) -> list[Remote]:
        """The collections that a URL leads to: a server (its discovery is asked), an API root, or
        one collection.

        Raises:
            TaxiiError: the server cannot be reached, refuses, or is none.
        """
        head, at, _ = urlsplit(url).path.partition("/collections/")
        if at:
            root = urljoin(url, f"{head}/")
            return [_remote(_slashed(url), await self.get(url), await self._largest(root))]
        roots = [url] if head.strip("/") not in ("", "taxii2") else await self._roots(url)
        found = []
        for root in map(_slashed, roots):
            largest = await self._largest(root)
            listed = (await self.get(f"{root}collections/")).get("collections", [])
            if not isinstance(listed, list):
                raise TaxiiError("this is no list of collections", path=root)
            for each in listed:
                name = each.get("id") if isinstance(each, dict) else None
                found.append(_remote(f"{root}collections/{name}/", each, largest))
        return found

    async def page(
        self, collection: str, *, after: str | None, following: str | None, most: int
    ) -> RemotePage:
        """Objects in the order in which they were added, all their versions.

        Raises:
            TaxiiError: see :meth:`collections`.
        """
        query = {"match[version]": "all", "limit": str(most)}
        if after is not None:
            query["added_after"] = after
        if following is not None:
            query["next"] = following
        url = f"{_slashed(collection)}objects/?{urlencode(query)}"
        body, headers = await self._ask("GET", url, None)
        objects, following = body.get("objects", []), body.get("next")
        if not isinstance(objects, list) or not isinstance(following, str | None):
            raise TaxiiError("this is no envelope", path=url)
        last = headers.get("x-taxii-date-added-last")
        return RemotePage(objects=objects, more=body.get("more") is True, next=following, last=last)

    async def add(self, collection: str, envelope: bytes) -> dict[str, Any]:
        """Add the objects of an envelope; the status, once it is complete.

        Raises:
            TaxiiError: see :meth:`collections`.
        """
        collection = _slashed(collection)
        status, _ = await self._ask("POST", f"{collection}objects/", envelope)
        began = time.monotonic()
        pause = self._pause
        while status.get("status") != "complete":
            if time.monotonic() - began > _PATIENCE:
                raise TaxiiError("the server did not finish adding in time", path=collection)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            status = await self.get(urljoin(collection, f"../../status/{status.get('id')}/"))
        return status

    async def get(self, url: str) -> dict[str, Any]:
        """A resource.

        Raises:
            TaxiiError: see :meth:`collections`.
        """
        return (await self._ask("GET", _slashed(url), None))[0]

    async def _roots(self, url: str) -> list[str]:
        """The API roots of a server, on that server: others are not given our token."""
        found = await self.get(urljoin(url, "/taxii2/"))
        listed = found.get("api_roots", [])
        if not isinstance(listed, list):
            raise TaxiiError("this is no discovery of TAXII", path=url)
        roots = [urljoin(url, each) for each in listed if isinstance(each, str)]
        return [each for each in roots if urlsplit(each)[:2] == urlsplit(url)[:2]]

    async def _largest(self, root: str) -> int:
        largest = (await self.get(root)).get("max_content_length")
        if not isinstance(largest, int) or largest < 1:
            raise TaxiiError("this is no API root of TAXII", path=root)
        return largest

    async def _ask(
        self, method: str, url: str, body: bytes | None
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        self._check(url)
        pause = self._pause
        for attempt in range(1, self._attempts + 1):
            wait: float | None = None
            try:
                reply, answer = await self._once(method, url, body)
            except UpstreamError as error:
                problem = TaxiiError(error.message, path=url)
            else:
                if reply.status < 300:
                    return _read(answer, url), reply.headers
                problem = TaxiiError(_words(reply.status, answer), path=url, status=reply.status)
                if reply.status not in _AGAIN:
                    raise problem
                wait = _retry_after(reply.headers.get("retry-after"))
            if attempt == self._attempts or (wait or 0) > _PATIENCE:
                raise problem
            # others were turned away at the same moment: not all come back at once
            await asyncio.sleep(wait if wait is not None else pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("unreachable")

    async def _once(self, method: str, url: str, body: bytes | None) -> tuple[Reply, bytes]:
        if method == "POST":
            headers = self._headers | {"content-type": TAXII}
            reply = await self._client.post(url, body or b"", headers)
        else:
            reply = await self._client.get(url, self._headers)
        try:
            answer = await reply.read(_LARGEST_ANSWER)
        finally:
            reply.close()
        if reply.status < 300 and not is_taxii(reply.headers.get("content-type")):
            raise TaxiiError("this is no server of TAXII 2.1", path=url)
        return reply, answer

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TaxiiError("give an address such as https://taxii.example/", path=url)
        if parts.scheme == "http" and not self._plain and not _is_here(parts.hostname):
            raise TaxiiError(
                "a token is not sent without TLS; use https, or allow plain HTTP", path=url
            )


def _remote(url: str, resource: Any, largest: int) -> Remote:
    if not isinstance(resource, dict) or not isinstance(resource.get("id"), str):
        raise TaxiiError("this is no collection of TAXII", path=url)
    return Remote(
        url=url,
        id=resource["id"],
        alias=str(resource.get("alias", "")),
        title=str(resource.get("title", "")),
        can_read=resource.get("can_read") is True,
        can_write=resource.get("can_write") is True,
        largest=largest,
    )


def _read(answer: bytes, url: str) -> dict[str, Any]:
    try:
        found = lenient(answer)
    except ValueError as error:
        raise TaxiiError("the answer is no JSON", path=url) from error
    if not isinstance(found, dict):
        raise TaxiiError("the answer is no resource of TAXII", path=url)
    return found


def _words(status: int, answer: bytes) -> str:
    """What a refusal says."""
    said = f"the server answered {status}"
    try:
        error = lenient(answer)
    except ValueError:
        return said
    words = [error.get("title"), error.get("description")] if isinstance(error, dict) else []
    told = ": ".join(each for each in words if isinstance(each, str) and each)[:_LONGEST_WORDS]
    return f"{said}: {told.encode('ascii', 'backslashreplace').decode()}" if told else said


def _retry_after(text: str | None) -> float | None:
    """Seconds to wait (RFC 9110, section 10.2.3): a number, or a date."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _slashed(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
