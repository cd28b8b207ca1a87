"""The words of refusals: a stable code for machines, and for the caller what to do."""

from __future__ import annotations

from datetime import UTC, datetime

from stillwatch.access.actions import Action
from stillwatch.access.decision import Refusal
from stillwatch.access.effects import Challenge, Deny
from stillwatch.access.facts import Caller

__all__ = [
    "beyond",
    "by_rule",
    "expired",
    "leaking",
    "misconfigured",
    "no_such_model",
    "notice",
    "nowhere",
    "suspended",
    "unauthorised",
    "unchangeable",
    "undecidable",
    "unverified",
]


def unauthorised(code: str, message: str) -> Refusal:
    return Refusal(status=401, code=code, message=message, rule="keys")


def expired(caller: Caller, at: float) -> Refusal | None:
    if caller.revoked_at is not None:  # whoever revoked it may have a clock that is ahead
        return unauthorised("revoked_key", "this API key was revoked; use another")
    if caller.expires_at is not None and at >= caller.expires_at:
        return unauthorised("expired_key", "this API key has expired; use another")
    return None


def suspended(action: Action) -> Refusal:
    return Refusal(
        status=403,
        code="suspended",
        message=f"{action.message} (reference {action.id}, reason {action.reason})",
        rule=f"action {action.id}",
    )


def unverified(action: Action) -> Refusal:
    """The grace to verify is over."""
    return Refusal(
        status=403,
        code="challenge_verify",
        message=f"{action.message} (reference {action.id}, reason {action.reason})",
        rule=f"action {action.id}",
    )


def notice(action: Action) -> str:
    """That everything will be refused from a time on; ASCII, for a header."""
    at = datetime.fromtimestamp(action.created_at + (action.seconds or 0.0), UTC)
    return f"verify; before={at:%Y-%m-%dT%H:%M:%SZ}; reference={action.id}; reason={action.reason}"


def misconfigured(what: str, name: str) -> Refusal:
    return Refusal(
        status=403,
        code=f"no_such_{what}",
        message=f"the {what} '{name}' of this key is not defined here; tell your provider",
        rule=f"{what} {name}",
    )


def no_such_model(model: str, level: str) -> Refusal:
    """The same words whether it exists or not, so that nobody can list what is not theirs."""
    return Refusal(
        status=404,
        code="model_not_found",
        message=f"the model {_quoted(model)} does not exist or is not available to this key",
        rule=f"level {level}",
    )


def leaking(problem: str) -> Refusal:
    """A combination that :mod:`stillwatch.access.leaks` names."""
    return Refusal(status=400, code="leaks_logits", message=problem, rule="leaks")


def beyond(names: tuple[str, ...], level: str) -> Refusal:
    listed = ", ".join(_quoted(name) for name in names[:8])
    return Refusal(
        status=400,
        code="beyond_level",
        message=f"not available at the openness level of this key: {listed}; leave it out",
        rule=f"level {level}",
    )


def undecidable(what: str) -> Refusal:
    """Where something cannot be decided from what a proxy shows of a request."""
    return Refusal(
        status=403,
        code="undecidable",
        message=f"this cannot be decided here, and is refused ({what}); tell your provider",
        rule=what,
    )


def unchangeable(names: tuple[str, ...]) -> Refusal:
    """Where a request would be let through changed, by somebody who cannot change it."""
    listed = ", ".join(_quoted(name) for name in names[:8])
    return Refusal(
        status=400,
        code="unchangeable",
        message=f"requests cannot be changed here: bring these within what your key allows: "
        f"{listed}",
        rule="gateway",
    )


def by_rule(name: str, reason: str, effect: Deny | Challenge) -> Refusal:
    if isinstance(effect, Deny):
        message = reason or "this request is not allowed by a rule of the provider"
        return Refusal(status=effect.status, code="denied", message=message, rule=name)
    what = f"; go to {effect.url}" if effect.url else ""
    return Refusal(
        status=403,
        code=f"challenge_{effect.kind}",
        message=f"{reason or effect.kind}{what}",
        rule=name,
    )


def nowhere(rule: str | None, model: str) -> Refusal:
    """451 where a rule about places leaves no backend; 404 where nobody serves the model at all."""
    if rule is None:
        return Refusal(
            status=404,
            code="model_not_found",
            message=f"the model {_quoted(model)} does not exist or is not available to this key",
            rule="backends",
        )
    return Refusal(
        status=451,
        code="no_backend_allowed",
        message=f"no deployment of this model may serve this request (rule {rule})",
        rule=rule,
    )


def _quoted(name: str) -> str:
    """A text of the client's in a message: short, on one line, without what a terminal obeys."""
    shown = "".join(c if c.isprintable() else "?" for c in name[:80])
    return f"'{shown}{'…' if len(name) > 80 else ''}'"
