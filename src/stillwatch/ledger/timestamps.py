"""RFC 3161 time stamps on heads: a third party says that a head was there at a moment.

Without one, whoever holds the signing key can sign today what claims to be of last year. The
authority sees a hash, and nothing of the ledger.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from rfc3161_client import (
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from stillwatch.errors import InputError, TamperedError, TimestampError
from stillwatch.ledger.head import Head

__all__ = ["LARGEST_ANSWER", "claimed_at", "read_roots", "stamp", "stamped_at"]

#: bytes of an answer; a token with a chain of certificates has about five thousand
LARGEST_ANSWER: Final = 100_000
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def stamp(head: Head, address: str, *, timeout: float = 10.0) -> Head:
    """`head` with a time stamp from the authority at `address` (http or https), seconds to wait.

    What the answer is worth is not judged here, but that it is for this head and this request; hold
    it against the authority's certificates with :func:`stamped_at`.

    Raises:
        TimestampError: no answer, a refusal, or an answer to something else.
    """
    asked = TimestampRequestBuilder().data(head.stamped()).nonce(nonce=True).build()
    if not address.startswith(("http://", "https://")):
        raise TimestampError(
            f"{address} is no address of a time-stamping authority (http or https)"
        )
    request = urllib.request.Request(
        address, data=asked.as_bytes(), headers=_HEADERS, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            data = answer.read(LARGEST_ANSWER + 1)
    except (OSError, ValueError, HTTPException) as error:  # URLError is an OSError
        raise TimestampError(f"{address} gave no time stamp: {_why(error)}") from error
    try:
        token = decode_timestamp_response(data[: LARGEST_ANSWER + 1])
        if token.status != 0:
            raise ValueError(f"it refused ({', '.join(token.status_string) or token.status})")  # noqa: TRY301
        if token.tst_info.nonce != asked.nonce or (
            token.tst_info.message_imprint.message != asked.message_imprint.message
        ):
            raise ValueError("the answer is to another request")  # noqa: TRY301
    except ValueError as error:
        raise TimestampError(f"{address} gave no time stamp: {error}") from error
    return msgspec.structs.replace(head, timestamp=data.hex())


def stamped_at(head: Head, roots: list[x509.Certificate]) -> datetime:
    """When the authority saw `head`, held against its root certificates.

    Raises:
        InputError: the head carries no time stamp.
        TamperedError: the time stamp is not of this head, or none of these authorities gave it.
    """
    if head.timestamp is None:
        raise InputError("the head carries no time stamp")
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        token: TimeStampResponse = decode_timestamp_response(bytes.fromhex(head.timestamp))
        builder.build().verify_message(token, head.stamped())
    except (VerificationError, ValueError) as error:
        raise TamperedError(f"the time stamp of the head does not hold: {error}") from error
    return token.tst_info.gen_time


def claimed_at(head: Head) -> datetime | None:
    """When the time stamp of `head` says that it was given; None where there is none, or no time
    stamp stands there. Nothing is held against an authority: that is :func:`stamped_at`'s."""
    if head.timestamp is None:
        return None
    try:
        return decode_timestamp_response(bytes.fromhex(head.timestamp)).tst_info.gen_time
    except ValueError:
        return None


def read_roots(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file.

    Raises:
        InputError: it cannot be read, or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    except ValueError as error:
        raise InputError("holds no certificate in PEM form", path=path) from error


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error)
