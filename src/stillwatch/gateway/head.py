"""The head of a request: whose secret it carries, and what it tells about where it comes from.

Headers in which two answers would make two requests of one (credentials, lengths) may stand once.
What only a trusted hop may say (the client's address, its TLS fingerprint, what the account pays
with, its device) is read from the hops that the operator has named, and is nobody's business
otherwise (design, law 7).
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from collections.abc import Iterable

import msgspec

from stillwatch.access import UNKNOWN, Origin

__all__ = ["Head", "HeadError", "TrustedHops", "read_head"]

_ONCE = frozenset(
    {b"authorization", b"x-api-key", b"content-length", b"content-type", b"content-encoding",
     b"host", b"transfer-encoding"}
)  # fmt: skip
_LONGEST_TEXT = 512


class HeadError(Exception):
    """A head that means two things, or nothing."""


class TrustedHops(msgspec.Struct, frozen=True, kw_only=True):
    """The reverse proxies whose word counts: their networks, and the headers that they set; an
    empty name is that of none."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    address_header: bytes = b"x-forwarded-for"
    ja4_header: bytes = b"x-ja4"
    payment_header: bytes = b""
    device_header: bytes = b""

    def trusts(self, peer: str) -> bool:
        """Whether `peer` is one of them."""
        if not self.networks:
            return False
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` is ``None`` without a credential. Digests are plain: `sketches` keys them."""

    secret: str | None
    origin: Origin
    content_type: bytes = b""
    content_encoding: bytes = b""
    accept_language: str | None = None
    anthropic: bool = False
    payment: str | None = None
    device: str | None = None


def read_head(
    headers: Iterable[tuple[bytes, bytes]], peer: str, hops: TrustedHops | None = None
) -> Head:
    """Read the headers of an ASGI scope (names in lower case, in the order they came).

    Raises:
        HeadError: a header stands twice that must not, two credentials differ, or the body is in an
            encoding of the transfer that nobody would undo.
    """
    seen: dict[bytes, bytes] = {}
    order = []
    for name, value in headers:
        order.append(name)
        if name in seen and name in _ONCE:
            raise HeadError(f"the header {name.decode('latin-1')} stands twice; send it once")
        seen[name] = value
    if seen.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise HeadError("send the body with content-length, or transfer-encoding: chunked alone")
    trusted = hops is not None and hops.trusts(peer)
    ip = peer or UNKNOWN
    ja4 = UNKNOWN
    payment = device = None
    if trusted and hops is not None:
        ip = _last(seen.get(hops.address_header, b"")) or ip
        ja4 = _text(seen.get(hops.ja4_header)) or UNKNOWN
        payment = _whole(seen.get(hops.payment_header))
        device = _whole(seen.get(hops.device_header))
    sdk = seen.get(b"x-stainless-package-version")
    return Head(
        secret=_secret(seen),
        origin=Origin(
            ip=ip,
            ja4=ja4,
            user_agent=_text(seen.get(b"user-agent")) or UNKNOWN,
            sdk=f"{_text(seen.get(b'x-stainless-lang'))}/{_text(sdk)}" if sdk else UNKNOWN,
            headers=_digest(tuple(order)),
        ),
        content_type=seen.get(b"content-type", b""),
        content_encoding=seen.get(b"content-encoding", b""),
        accept_language=_text(seen.get(b"accept-language")),
        anthropic=b"anthropic-version" in seen,
        payment=payment,
        device=device,
    )


def _secret(seen: dict[bytes, bytes]) -> str | None:
    """The credential, from either of the headers that clients use."""
    bearer = seen.get(b"authorization")
    own = seen.get(b"x-api-key")
    if bearer is not None:
        scheme, _, token = bearer.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise HeadError("the header authorization must be 'Bearer ' and an API key")
        bearer = token.strip()
    if bearer is not None and own is not None and bearer != own.strip():
        raise HeadError("authorization and x-api-key name two different keys; send one of them")
    chosen = bearer if bearer is not None else own
    return None if chosen is None else chosen.strip().decode("latin-1")


@functools.lru_cache(maxsize=256)
def _digest(order: tuple[bytes, ...]) -> int:
    """The order of the names, which a client library determines more than its user does."""
    return int.from_bytes(hashlib.blake2b(b"\n".join(order), digest_size=7).digest())


def _text(value: bytes | None) -> str | None:
    return None if value is None else value[:_LONGEST_TEXT].decode("latin-1")


def _whole(value: bytes | None) -> str | None:
    """A value that tells accounts apart, which a part of it might not."""
    return value.decode("latin-1") if value and len(value) <= _LONGEST_TEXT else None


def _last(forwarded: bytes) -> str | None:
    """The address that the trusted hop itself appended; earlier ones are the client's claims."""
    candidate = forwarded.rpartition(b",")[2].strip().decode("latin-1")
    try:
        return str(ipaddress.ip_address(candidate))
    except ValueError:
        return None
