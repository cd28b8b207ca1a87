"""Which fields of a log may be told to others as keyed digests, and what of an exchange they are.

Only what nobody can enumerate: a digest under a key that a whole community holds is as readable to
each member as the list of everything that it could have been made of is long. A field that is in
no list of guesses is shared as a digest; every other one is refused with the reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from stillwatch.exchange import RawExchange

__all__ = ["FIELDS", "REFUSED", "identifiers", "normalised"]

#: field → why it is never shared, not even as a keyed digest
REFUSED: Final[Mapping[str, str]] = {
    "account": "a name that one provider gave means nothing to another, and names somebody",
    "org": "a name that one provider gave means nothing to another, and names somebody",
    "key": "a credential is never shared",
    "end_user": "it names a person",
    "ip": "there are 2^32 addresses of IPv4: who holds the key tries them all within the hour",
    "asn": "there are some 80,000 networks: who holds the key tries them all within a second",
    "country": "there are some 250: who holds the key tries them all; and place is no evidence",
    "email_domain": "registered domains are listed: who holds the key tries them all",
    "email": "addresses are listed and guessed: who holds the key tries them",
    "phone": "there are too few numbers: who holds the key tries them all",
    "ja4": "there are a few thousand: who holds the key tries them all, and crowds share one",
    "user_agent": "they are listed: who holds the key tries them all, and crowds share one",
    "accept_language": "there are a few thousand in use: who holds the key tries them all",
}
_SPACE = re.compile(r"\s+")


def _token(value: str) -> str:
    """Without blanks around it; upper and lower case are told apart."""
    return unicodedata.normalize("NFC", value).strip()


def _names(value: str) -> str:
    """One name a line, without blanks around it, in the order given."""
    lines = (unicodedata.normalize("NFC", line).strip() for line in value.split("\n"))
    return "\n".join(line for line in lines if line)


def _prose(value: str) -> str:
    """Compatibility forms (NFKC) in lower case, with one space for every run of blanks."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", value).casefold()).strip()


#: field that may be shared → how its values are written before they are digested
FIELDS: Final[Mapping[str, Callable[[str], str]]] = {
    "payment": _token,
    "device": _token,
    "toolset": _names,
    "system": _prose,
}


def normalised(field: str, value: str) -> str:
    """`value` as it is digested, so that two providers write it alike.

    Raises:
        KeyError: `field` is none of :data:`FIELDS`.
    """
    return FIELDS[field](value)


def identifiers(row: RawExchange) -> dict[str, str]:
    """What of an exchange may match others' digests: field of :data:`FIELDS` → value, as logged.

    The tool set is the names of the offered functions, one a line, in the order of the request.
    The system prompt is ``system``, or else the first message if its role says that it is one.
    """
    found = {}
    if row.payment:
        found["payment"] = row.payment
    if row.device:
        found["device"] = row.device
    if row.tools:
        found["toolset"] = _joined(row.tools)
    if row.system:
        found["system"] = row.system
    elif row.messages and row.messages[0].role in ("system", "developer"):
        found["system"] = row.messages[0].content
    return found


def _joined(names: Sequence[str]) -> str:
    return "\n".join(name.replace("\n", " ") for name in names)
