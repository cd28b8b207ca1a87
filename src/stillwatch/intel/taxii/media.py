"""Media types: which ones a request takes, and whether a body is TAXII (TAXII 2.1, section 1.6.8).

Content negotiation is RFC 9110's (section 12.5.1): of the ranges that match, the most specific one
counts, and a quality of 0 refuses.
"""

from __future__ import annotations

__all__ = ["STIX", "TAXII", "acceptable", "is_taxii"]

TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
_KIND, _SUBKIND = "application", "taxii+json"


def acceptable(accept: str | None) -> bool:
    """Whether an answer in TAXII 2.1 may be sent; a request that does not say takes anything."""
    if accept is None or not accept.strip():
        return True
    best, quality = -1, 0.0
    for part in accept.split(","):
        found = _parsed(part)
        if found is None:
            continue
        kind, parameters = found
        weight = _quality(parameters.pop("q", "1"))
        specific = _matches(kind, parameters)
        if specific > best or (specific == best and weight > quality):
            best, quality = specific, weight
    return best >= 0 and quality > 0


def is_taxii(content_type: str | None) -> bool:
    """Whether a body says that it is TAXII 2.1, or TAXII of whatever version the server knows."""
    found = _parsed(content_type or "")
    if found is None or found[0] != f"{_KIND}/{_SUBKIND}":
        return False
    parameters = found[1]
    if parameters.pop("charset", "utf-8").lower() != "utf-8":
        return False
    return parameters.get("version", "2.1") == "2.1"


def _matches(kind: str, parameters: dict[str, str]) -> int:
    """How specifically a range means TAXII 2.1; -1 where it does not."""
    if kind == "*/*":
        return 0
    if kind == f"{_KIND}/*":
        return 1
    if kind != f"{_KIND}/{_SUBKIND}":
        return -1
    version = parameters.get("version")
    return 2 if version is None else 3 if version == "2.1" else -1


def _parsed(text: str) -> tuple[str, dict[str, str]] | None:
    """A type and its parameters; None where there is none."""
    kind, *rest = text.split(";")
    kind = kind.strip().lower()
    if "/" not in kind:
        return None
    parameters = {}
    for each in rest:
        name, _, value = each.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return kind, parameters


def _quality(text: str) -> float:
    """A weight as RFC 9110 writes it; what is none counts in full."""
    try:
        return min(1.0, max(0.0, float(text))) if len(text) <= 5 else 1.0
    except ValueError:
        return 1.0
