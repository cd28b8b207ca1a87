"""Whether a body may pass as it stands, where a proxy forwards what the client sent.

The gateway encodes requests anew from what it has checked. A proxy that only asks for a decision
forwards the client's own bytes, so these must mean what was checked: no name twice in an object
(of which readers take different ones), and nothing that the gateway would have taken out.
"""

from __future__ import annotations

import json
from typing import Any

from stillwatch.gateway.dialects.dialect import UnreadableError

__all__ = ["differing"]

#: What the gateway adds to streams so that they end with their usage. It shows nothing of a model.
_OURS = "stream_options"


def differing(sent: bytes, checked: bytes) -> tuple[str, ...]:
    """The fields, at the top of the body, in which `checked` is not what was `sent`.

    Raises:
        UnreadableError: a name stands twice in one object, or the body cannot be read.
    """
    try:
        theirs, ours = (json.loads(body, object_pairs_hook=_once) for body in (sent, checked))
    except RecursionError as error:
        raise UnreadableError("the body is nested too deeply") from error
    except _TwiceError as error:
        raise UnreadableError(
            f"the field {str(error)[:80]!a} stands twice; send it once"
        ) from error
    except ValueError as error:
        raise UnreadableError("the body is not JSON") from error
    names = sorted({*theirs, *ours} - {_OURS})
    return tuple(name for name in names if theirs.get(name) != ours.get(name))


class _TwiceError(ValueError):
    """A name that stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object without fields that are null, which are the same as fields that are left out."""
    found: dict[str, Any] = {}
    seen = set()
    for name, value in pairs:
        if name in seen:
            raise _TwiceError(name)
        seen.add(name)
        if value is not None:
            found[name] = value
    return found
