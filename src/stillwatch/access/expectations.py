"""What a case expects of a decision, and what a decision shows of it.

Every key is optional: what is not expected is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from stillwatch.access.checking import nearest
from stillwatch.access.decision import Decision
from stillwatch.access.effects import Challenge
from stillwatch.access.facts import Asked
from stillwatch.access.reading.values import number, one_of, wrong
from stillwatch.access.rules import Match
from stillwatch.access.surface import Surface
from stillwatch.access.view import View
from stillwatch.settings import Section

__all__ = ["Expected", "Shown", "differences", "read_expected", "shown"]

_CODES = (
    "beyond_level", "denied", "expired_key", "leaks_logits", "model_not_found",
    "no_backend_allowed", "no_such_level", "no_such_tier", "revoked_key", "suspended",
    "unknown_key",
)  # fmt: skip
#: Fields of a request that a decision may change.
_CHANGED = frozenset(Asked.__struct_fields__) & frozenset(Surface.__struct_fields__) | {
    "temperature"
}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a case may expect something of. `refused` is the code of a refusal and `by` the rule,
    level or action that refuses; `changed` is sorted; `backends` are in the operator's order;
    `slow` is in seconds. Of a request that is refused the last four are empty."""

    matched: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    decision: str = "allow"
    refused: str = "none"
    status: int = 200
    by: str = "none"
    changed: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    tier: str = "none"
    slow: float = 0.0


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The same; ``None`` is not looked at."""

    matched: tuple[str, ...] | None = None
    shadow: tuple[str, ...] | None = None
    decision: str | None = None
    refused: str | None = None
    status: int | None = None
    by: str | None = None
    changed: tuple[str, ...] | None = None
    backends: tuple[str, ...] | None = None
    tier: str | None = None
    slow: float | None = None


def shown(matches: Sequence[Match], decision: Decision) -> Shown:
    """What became of a request; rules that stand behind one that refuses are listed too."""
    matched = tuple(m.rule.id for m in matches if not m.shadow)
    shadow = tuple(m.rule.id for m in matches if m.shadow)
    if (refusal := decision.refusal) is not None:
        return Shown(
            matched=matched, shadow=shadow, decision="deny",
            refused=refusal.code, status=refusal.status, by=refusal.rule,
        )  # fmt: skip
    return Shown(
        matched=matched, shadow=shadow, changed=tuple(sorted(decision.changed)),
        backends=decision.backends, tier=decision.tier or "none", slow=decision.delay,
    )  # fmt: skip


def differences(expected: Expected, got: Shown) -> tuple[str, ...]:
    """A sentence for each thing that is not as expected."""
    return tuple(
        f"{what}: expected {_listed(wanted)}, got {_listed(found)}"
        for what in Expected.__struct_fields__
        if (wanted := getattr(expected, what)) is not None
        and wanted != (found := getattr(got, what))
    )


def _listed(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_expected(expect: Section, view: View) -> Expected:
    """Read what stands under `expect`.

    Raises:
        SettingsError: nothing is expected, or something that never occurs with this view.
    """
    reads: dict[str, Callable[[str], Any]] = {
        "matched": lambda key: _names(expect, key, [rule.id for rule in view.rules.rules], "rule"),
        "shadow": lambda key: _names(expect, key, [rule.id for rule in view.rules.rules], "rule"),
        "decision": lambda key: one_of(expect, key, ("allow", "deny")),
        "refused": lambda key: one_of(expect, key, ("none", *_codes(view))),
        "status": lambda key: number(expect, key, 200, 499),
        "by": lambda key: expect.take(key, str),
        "changed": lambda key: tuple(sorted(_names(expect, key, _CHANGED, "field"))),
        "backends": lambda key: _names(expect, key, [b.name for b in view.backends], "backend"),
        "tier": lambda key: _tier(expect, key, view),
        "slow": lambda key: expect.take(key, float),
    }
    values = {key: read(key) for key, read in reads.items() if key in expect}
    for key in reads.keys() - values.keys():
        expect.take(key, object, None)
    expect.finish()
    return Expected(**values)


def _codes(view: View) -> list[str]:
    kinds = [r.effect.kind for r in view.rules.rules if isinstance(r.effect, Challenge)]
    return [*_CODES, *(f"challenge_{kind}" for kind in kinds)]


def _names(expect: Section, key: str, known: Collection[str], what: str) -> tuple[str, ...]:
    found = expect.take(key, list)
    for each in found:
        if each not in known:
            raise wrong(expect, key, f"there is no {what} {each!r}{nearest(str(each), known)}")
    return tuple(found)


def _tier(expect: Section, key: str, view: View) -> str:
    """A tier; where the file defines none, any."""
    name = expect.take(key, str)
    if view.tiers and name not in view.tiers:
        raise wrong(expect, key, f"there is no tier {name!r}{nearest(name, view.tiers)}")
    return name
