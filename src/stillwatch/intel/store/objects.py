"""One object as a member sends it: checked for what STIX 2.1 asks of every object, else opaque.

STIX 2.1, section 3: every object has a `type` and an `id`; domain and relationship objects have
`spec_version`, `created` and `modified`, markings no `modified`, and cyber-observables none of the
three. Types that STIX does not know are taken as they come (section 11).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from stillwatch.errors import IndicatorError
from stillwatch.intel.store.times import micros, version_key
from stillwatch.ledger.canonical import canonical

__all__ = ["LARGEST_OBJECT", "Incoming", "check_object", "is_object_id", "is_type"]

#: bytes of one object, canonical
LARGEST_OBJECT = 10 * 2**20
_TYPE = re.compile(r"[a-z0-9](?:-?[a-z0-9])+")
_LONGEST_TYPE = 250
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_SPEC = "2.1"
_VERSIONED = frozenset({
    "attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident",
    "indicator", "infrastructure", "intrusion-set", "location", "malware", "malware-analysis",
    "note", "observed-data", "opinion", "report", "threat-actor", "tool", "vulnerability",
    "relationship", "sighting", "language-content", "extension-definition",
})  # fmt: skip
_OBSERVABLES = frozenset({
    "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message",
    "file", "ipv4-addr", "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process",
    "software", "url", "user-account", "windows-registry-key", "x509-certificate",
})  # fmt: skip


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """An object that may be kept. `version` is None for one that has no time of its own; `ends` is
    in microseconds since 1970."""

    id: str
    type: str
    version: str | None
    shown: str | None
    versioned: bool
    author: str | None
    ends: int | None
    digest: bytes
    body: bytes


def check_object(value: Any) -> Incoming:
    """See whether a JSON value is an object of STIX 2.1.

    Raises:
        IndicatorError: it is not; the message names the property.
    """
    if not isinstance(value, dict):
        raise IndicatorError("this is no object of STIX")
    kind, name = value.get("type"), value.get("id")
    if not isinstance(kind, str) or not is_type(kind):
        raise IndicatorError("type: give a name of 3 to 250 of a to z, 0 to 9 and single hyphens")
    if kind == "bundle":
        raise IndicatorError("type: a bundle is no object; send what is in it")
    if not isinstance(name, str) or not is_object_id(name) or name.partition("--")[0] != kind:
        raise IndicatorError(f"id: it must be {kind}-- and a UUID")
    shown, versioned = _version(kind, value)
    author = value.get("created_by_ref")
    if author is not None and not (
        isinstance(author, str) and is_object_id(author) and author.startswith("identity--")
    ):
        raise IndicatorError("created_by_ref: it must be identity-- and a UUID")
    if not isinstance(value.get("revoked", False), bool):
        raise IndicatorError("revoked: it must be true or false")
    ends = micros(_time(value, "valid_until")) if "valid_until" in value else None
    try:
        body = canonical(value)
    except ValueError as error:
        raise IndicatorError(str(error)) from error
    if len(body) > LARGEST_OBJECT:
        raise IndicatorError(f"the object has more than {LARGEST_OBJECT:,} bytes")
    return Incoming(
        id=name,
        type=kind,
        version=None if shown is None else version_key(shown),
        shown=shown,
        versioned=versioned,
        author=author,
        ends=ends,
        digest=hashlib.sha256(body).digest(),
        body=body,
    )


def is_object_id(text: str) -> bool:
    """Whether it is a type, two hyphens and a UUID."""
    kind, _, rest = text.partition("--")
    return is_type(kind) and _UUID.fullmatch(rest) is not None


def is_type(text: str) -> bool:
    """Whether a type of STIX may be called so."""
    return 3 <= len(text) <= _LONGEST_TYPE and _TYPE.fullmatch(text) is not None


def _version(kind: str, value: dict[str, Any]) -> tuple[str | None, bool]:
    """The time that tells versions apart, as it is written, and whether there may be several."""
    spec = value.get("spec_version")
    if kind in _OBSERVABLES or (kind not in _VERSIONED and not _timed(value)):
        if spec not in (None, _SPEC):
            raise IndicatorError(f"spec_version: it must be {_SPEC}")
        return None, False
    if spec != _SPEC:  # objects of STIX 2.0 have none
        raise IndicatorError(f"spec_version: it must be {_SPEC}")
    created = _time(value, "created")
    if kind == "marking-definition":
        return created, False
    modified = _time(value, "modified")
    if version_key(modified) < version_key(created):
        raise IndicatorError("modified: it is before created")
    return modified, True


def _timed(value: dict[str, Any]) -> bool:
    return value.get("type") == "marking-definition" or "created" in value or "modified" in value


def _time(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise IndicatorError(f"{name}: a time such as 2026-11-22T12:00:00.000Z is missing")
    try:
        micros(text)
    except ValueError as error:
        raise IndicatorError(f"{name}: {_visible(error)}") from error
    return text


def _visible(error: ValueError) -> str:
    return str(error).encode("ascii", "backslashreplace").decode()
