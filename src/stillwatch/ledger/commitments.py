"""Salted commitments stand where a name would: bound to it, silent about it, erased with the salt.

A commitment is HMAC-SHA-256 of the name under a random salt of 32 bytes (hiding and binding as in
Halevi & Micali 1996, with the keyed hash as a random oracle). Who has name and salt can check it;
without the salt nobody can, not even by trying every name, and that is what erasure rests on.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any, Final

__all__ = ["SALT_BYTES", "commit", "first_name", "is_commitment", "new_salt", "with_commitments"]

SALT_BYTES: Final = 32
_COMMITMENT = re.compile(r"c1-[0-9a-f]{64}")
_OF = re.compile(r"[a-z][a-z_]{0,31}")
#: fields of a body that would name somebody
_NAMING = frozenset(
    ["account", "accounts", "conversation", "conversations", "email", "emails", "end_user",
     "end_users", "ip", "ips", "org", "orgs"]
)  # fmt: skip
_NESTED = (dict, list, tuple)
#: in a body that is about to be appended: {"$commit": "acme"} or {"$commit": "x", "of": "org"}
_ASKED, _ASKED_OF = "$commit", "of"


def new_salt() -> bytes:
    """A salt, from the operating system's source of randomness."""
    return secrets.token_bytes(SALT_BYTES)


def commit(identifier: str, salt: bytes, *, of: str = "account") -> str:
    """The commitment to `identifier`, such as ``c1-5f3a…`` (67 characters).

    Args:
        of: what it identifies, in lower-case letters; a name means another under another word.

    Raises:
        ValueError: the salt has not 32 bytes, or `of` is no such word.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if not _OF.fullmatch(of):
        raise ValueError(f"'{of}' is no word such as account")
    message = f"stillwatch commitment 1\0{of}\0{identifier}".encode()
    return "c1-" + hmac.digest(salt, message, hashlib.sha256).hex()


def is_commitment(text: str) -> bool:
    """Whether `text` has the form of a commitment."""
    return _COMMITMENT.fullmatch(text) is not None


def with_commitments(body: Any, commitment: Callable[[str, str], str], where: str = "body") -> Any:
    """`body` with a commitment in place of every ``{"$commit": NAME, "of": WORD}``.

    Args:
        commitment: gives the commitment to (name, word); the word is ``account`` if none is given.

    Raises:
        ValueError: such an object has other fields, or no text in them.
    """
    if isinstance(body, dict):
        if _ASKED in body:
            return _replaced(body, commitment, where)
        return {k: with_commitments(v, commitment, f"{where}.{k}") for k, v in body.items()}
    if isinstance(body, list):
        return [with_commitments(v, commitment, f"{where}[{i}]") for i, v in enumerate(body)]
    return body


def _replaced(asked: dict[str, Any], commitment: Callable[[str, str], str], where: str) -> str:
    name, of = asked[_ASKED], asked.get(_ASKED_OF, "account")
    if asked.keys() - {_ASKED, _ASKED_OF} or not (isinstance(name, str) and isinstance(of, str)):
        raise ValueError(f'{where}: write {{"{_ASKED}": NAME, "{_ASKED_OF}": "account"}}')
    return commitment(name, of)


def first_name(body: Any, where: str = "body") -> str | None:
    """Where `body` first names somebody in the clear, such as ``body.account``; None if nowhere."""
    if type(body) is dict:
        if _ASKED in body:  # what was asked for was not done
            return where
        for name, value in body.items():
            if name in _NAMING and not _silent(value):
                return f"{where}.{name}"
            if type(value) in _NESTED and (found := first_name(value, f"{where}.{name}")):
                return found
    elif type(body) in (list, tuple):
        for number, value in enumerate(body):
            if type(value) in _NESTED and (found := first_name(value, f"{where}[{number}]")):
                return found
    return None


def _silent(value: Any) -> bool:
    if isinstance(value, str):
        return is_commitment(value)
    if isinstance(value, list | tuple):
        return all(_silent(each) for each in value)
    return True
