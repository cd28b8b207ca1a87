"""Which limits a request is charged to, and how much."""

from __future__ import annotations

from collections.abc import Iterable

from stillwatch.access.facts import Asked, Caller
from stillwatch.access.limits.charges import Charge, Limit

__all__ = ["ASSUMED_OUTPUT", "charges", "tokens_reserved"]

#: Output tokens a choice that are reserved where neither the request nor its level has a cap.
ASSUMED_OUTPUT = 4096


def tokens_reserved(granted: Asked) -> int:
    """The most that the request can use, in tokens; with no cap anywhere, an assumption."""
    if granted.counted_only:
        return 0
    output = ASSUMED_OUTPUT if granted.max_tokens is None else granted.max_tokens
    return granted.prompt_tokens + output * granted.n


def charges(limits: Iterable[Limit], caller: Caller, granted: Asked) -> tuple[Charge, ...]:
    """One charge for each limit that applies."""
    tokens = tokens_reserved(granted)
    found = []
    for limit in limits:
        subject = _subject(limit, caller, granted)
        if limit.unit == "tokens":
            if tokens:
                found.append(Charge(limit, subject, tokens))
        elif limit.unit != "distinct":
            found.append(Charge(limit, subject, 1))
        elif granted.bias:
            prefix = f"{subject}/{granted.prefix:x}"
            found.append(Charge(limit, prefix, len(granted.bias), granted.bias))
    return tuple(found)


def _subject(limit: Limit, caller: Caller, granted: Asked) -> str:
    """An account without a contract, or linked to nobody, stands for itself."""
    match limit.scope:
        case "key":
            return caller.key_id
        case "account":
            return caller.account
        case "org":
            return caller.org or caller.account
        case "cluster":
            return caller.cluster or caller.account
        case "model":
            return granted.model
        case "global":
            return ""
