"""What was decided about one request."""

from __future__ import annotations

from typing import Literal

import msgspec

from stillwatch.access.facts import Asked
from stillwatch.access.limits.charges import Charge
from stillwatch.access.surface import Surface

__all__ = ["Decision", "Refusal"]


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is not served. `rule` names the rule, level, action or limit that says so.

    `code` is stable and for machines; `message` is for the caller, and says what to do.
    """

    status: int
    code: str
    message: str
    rule: str
    retry_after: float | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Allow or refuse, and everything that follows from allowing.

    `granted` is what the request may ask the upstream for (`changed` names what differs from what
    was asked, in the words of :class:`~stillwatch.access.Asked`); `surface` bounds the response;
    `backends` are the names of those that may serve it, in the operator's order; `mark` is the name
    of the mark to ask the engine for; `tier` is the one whose limits are charged; `delay` is in
    seconds. `matched` and `shadow` are the ids of the rules that matched and of those that would
    have. `notices` are for the owner of the account, to be sent with the answer.
    """

    refusal: Refusal | None = None
    granted: Asked | None = None
    changed: tuple[str, ...] = ()
    surface: Surface = Surface()
    backends: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    tier: str | None = None
    delay: float = 0.0
    mark: str | None = None
    mark_strength: Literal["normal", "strong"] = "normal"
    matched: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.refusal is None
