"""The wrapper: an opaque text and whose it is, in URL-safe base64 that only the key's holder opens.

    swbound1 ‖ base64url(key id 4 ‖ tag 16 ‖ mask ⊕ (what is said 45 ‖ the text))

The last character of the prefix is the version. The tag is HMAC-SHA-256 (RFC 2104, cut to 128 bits)
over prefix, key id, what is said and the text; the mask is the output of SHAKE256 (FIPS 202) over a
key of its own and the tag. That is the SIV construction (Rogaway and Shrimpton 2006, RFC 5297) with
these two functions: nobody without the key can tell what a wrapper says or take the upstream's text
out of it, and any change is noticed. Texts that are base64 themselves, as most are, are wrapped as
the bytes that they stand for.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Mapping
from hashlib import shake_256
from struct import Struct
from typing import Final, NamedTuple

from stillwatch.gateway.binding.key import BindingKey

__all__ = ["PREFIX", "Opened", "Said", "seal", "unseal"]

PREFIX: Final = "swbound1"
_TAG: Final = 16
_SAID: Final = Struct(">BI8s8s8s8sq")
_START: Final = 4 + _TAG
_LEAST: Final = _START + _SAID.size
_URL: Final = (str.maketrans("+/", "-_"), str.maketrans("-_", "+/"))
_OF_AN_ORG: Final = 0x80
_TEXT, _BASE64, _BASE64_URL = range(3)


class Said(NamedTuple):
    """What a wrapper says of the text within: four digests (8 bytes each, of the binding key) of
    whom it was issued to and for what; when, in seconds since the epoch; and `link`, the digest
    that stands for the account in exchanges. `in_org` is false for accounts of no org."""

    account: bytes
    org: bytes
    conversation: bytes
    model: bytes
    at: int
    link: int
    in_org: bool


class Opened(NamedTuple):
    """A wrapper that was opened: the text as the upstream sent it."""

    said: Said
    text: str
    key: BindingKey


def seal(key: BindingKey, said: Said, text: str) -> str:
    """Wrap a text."""
    form, payload = _packed(text)
    flags = form | (_OF_AN_ORG if said.in_org else 0)
    inside = (
        _SAID.pack(
            flags, said.at & 0xFFFFFFFF, said.org, said.account, said.conversation, said.model,
            said.link,
        ) + payload
    )  # fmt: skip
    tag = _tag(key, inside)
    body = key.id + tag + _masked(key, tag, inside)
    return PREFIX + urlsafe_b64encode(body).rstrip(b"=").decode()


def unseal(keys: Mapping[bytes, BindingKey], text: str) -> Opened | None:
    """Open a wrapper with the key of these (by their ids) that it was made with; ``None`` for what
    is no wrapper, of another key, or changed."""
    body = _decoded(text)
    if body is None or len(body) < _LEAST:
        return None
    key = keys.get(body[:4])
    if key is None:
        return None
    tag = body[4:_START]
    inside = _masked(key, tag, body[_START:])
    if not hmac.compare_digest(tag, _tag(key, inside)):
        return None
    flags, at, org, account, conversation, model, link = _SAID.unpack_from(inside)
    said = Said(account, org, conversation, model, at, link, bool(flags & _OF_AN_ORG))
    return Opened(said, _unpacked(flags & ~_OF_AN_ORG, inside[_SAID.size :]), key)


def _tag(key: BindingKey, inside: bytes) -> bytes:
    return hmac.digest(key.mac, PREFIX.encode() + key.id + inside, "sha256")[:_TAG]


def _masked(key: BindingKey, tag: bytes, data: bytes) -> bytes:
    """`data` with the mask over it, or without it again."""
    mask = shake_256(key.mask + tag).digest(len(data))
    return (int.from_bytes(data) ^ int.from_bytes(mask)).to_bytes(len(data))


def _decoded(text: str) -> bytes | None:
    """The bytes behind the prefix; ``None`` unless :func:`seal` writes them just so: two texts of
    the same bytes would be one wrapper changed."""
    if not text.startswith(PREFIX) or not text.isascii():
        return None
    encoded = text[len(PREFIX) :]
    try:
        body = a2b_base64(encoded.translate(_URL[1]) + "=" * (-len(encoded) % 4))
    except Error:
        return None
    return body if urlsafe_b64encode(body).rstrip(b"=").decode() == encoded else None


def _packed(text: str) -> tuple[int, bytes]:
    """The form of the text, and the shortest bytes from which it can be written again exactly."""
    if text.isascii():
        for form, plain in ((_BASE64, text), (_BASE64_URL, text.translate(_URL[1]))):
            try:
                payload = a2b_base64(plain)
            except Error:
                continue
            if _unpacked(form, payload) == text:
                return form, payload
    return _TEXT, text.encode("utf-8", "surrogatepass")


def _unpacked(form: int, payload: bytes) -> str:
    if form == _TEXT:
        return payload.decode("utf-8", "surrogatepass")
    text = b2a_base64(payload, newline=False).decode()
    return text if form == _BASE64 else text.translate(_URL[0])
