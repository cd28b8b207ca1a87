"""Where a request goes: what of a URL a connection and a request line need."""

from __future__ import annotations

import functools
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Address", "address_of"]

_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """A server, and what stands at the head of each request for one of its pages."""

    host: str
    port: int
    encrypted: bool
    head: str  # the target of the request line, and the line `host`

    @property
    def server(self) -> tuple[str, int, bool]:
        """What connections are shared by."""
        return self.host, self.port, self.encrypted


@functools.lru_cache(maxsize=1024)
def address_of(url: str) -> Address:
    """Read `url`.

    Raises:
        ValueError: it is none of http or https, or has characters that end a line.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is no address such as http://127.0.0.1:8000")
    if any(each <= " " or each == "\x7f" for each in url):
        raise ValueError(f"{url!r} has a space or an unprintable character")
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port is not None:
        name += f":{parts.port}"
    return Address(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        encrypted=parts.scheme == "https",
        head=f"{target} HTTP/1.1\r\nhost: {name}\r\n",
    )
