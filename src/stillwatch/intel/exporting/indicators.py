"""Indicators of a case: digests of what its accounts share, and the cells of their wordings.

What the accounts of the case use and others use too is no indicator: each carries the share of
other accounts in the log that it would match, and is dropped where that is too large.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from stillwatch import __version__
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.exporting.making import Maker
from stillwatch.intel.exporting.observed import Observed, Used
from stillwatch.intel.exporting.wording import wordings
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.policy import Policy
from stillwatch.intel.profile.authoring import Detector
from stillwatch.intel.profile.buckets import bucket
from stillwatch.intel.profile.patterns import DigestPattern, cell_text
from stillwatch.statistics import share_interval

__all__ = ["Dropped", "indicators", "rounded_up", "withheld"]

_CONFIDENCE: Final = 0.95
_ECHO: Final = "others told us of it; a sighting says what became of it (`intel sightings`)"
#: fields that the floor of k accounts holds for, as it does for templates
_WORDED: Final = frozenset({"toolset", "system"})


@dataclass(frozen=True)
class Dropped:
    """Something that does not leave, and why. `field` is a name of the policy."""

    field: str
    why: str


def indicators(
    seen: Observed, policy: Policy, community: CommunityKey, maker: Maker, *,
    told: frozenset[str], valid_until: datetime, dropped: list[Dropped],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Sealed indicators, digests first; what is left out is added to `dropped`. Those with patterns
    of `told` are others'."""
    for field in FIELDS:
        if field in policy.fields:
            yield from _digests(field, seen, policy, community, maker, told, valid_until, dropped)
    if "template" in policy.fields:
        yield from _templates(seen, policy, community, maker, valid_until, dropped)


def _digests(
    field: str, seen: Observed, policy: Policy, community: CommunityKey, maker: Maker,
    told: frozenset[str], valid_until: datetime, dropped: list[Dropped],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    why: Counter[str] = Counter()
    for digest, used in sorted(seen.values.get(field, {}).items()):
        reason = withheld(field, used, len(used.members), len(seen.others), policy)
        if reason is None and f"{community.scheme} {DigestPattern(field, digest)}" in told:
            reason = _ECHO
        if reason is not None:
            why[reason] += 1
            continue
        share = _share(used, len(seen.others))
        yield maker.version(
            maker.author.digest(
                community.scheme,
                field,
                digest,
                accounts=bucket(len(used.members), policy.decades.get("accounts", 1)),
                detector=Detector(
                    "stillwatch.intel.digest",
                    __version__,
                    rounded_up(share),
                    _measured(seen, policy),
                ),
                valid_from=maker.now,
                valid_until=valid_until,
                now=maker.now,
                named=maker.id("indicator", f"{community.scheme} {field} {digest}"),
            )
        )
    dropped += [Dropped(field, f"{_values(n)}: {text}") for text, n in sorted(why.items())]
    if not seen.values.get(field):
        dropped.append(Dropped(field, "the log does not hold it"))


def _templates(
    seen: Observed, policy: Policy, community: CommunityKey, maker: Maker,
    valid_until: datetime, dropped: list[Dropped],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    found, why = wordings(seen, policy.k, policy.minimum.false_positives)
    for wording in found:
        cells = " ".join(map(cell_text, wording.cells))
        yield maker.version(
            maker.author.template(
                community.scheme,
                wording.least,
                wording.cells,
                accounts=bucket(wording.members, policy.decades.get("accounts", 1)),
                k=policy.k,
                detector=Detector(
                    "stillwatch.intel.template",
                    __version__,
                    rounded_up(wording.share),
                    _measured(seen, policy),
                ),
                valid_from=maker.now,
                valid_until=valid_until,
                now=maker.now,
                named=maker.id("indicator", f"{community.scheme} {cells}"),
            )
        )
    dropped += [Dropped("template", text) for text in why]


def withheld(field: str, used: Used, members: int, others: int, policy: Policy) -> str | None:
    """Why a value of a field does not leave; None where it may.

    Args:
        members: accounts of the case that share it.
        others: accounts in the log that are not of a case, whether they use it or not.
    """
    # what software brings along is wording as much as it is a link
    sharers = max(policy.sharers, policy.k) if field in _WORDED else policy.sharers
    if members < sharers:
        return f"fewer than {sharers} accounts of the case share it"
    if len(used.others) >= members:
        return "as many other accounts in the log use it"
    if _share(used, others) > policy.minimum.false_positives:
        return (
            f"it may match more than {policy.minimum.false_positives:g} of other accounts "
            "(upper end of the interval)"
        )
    return used.refusal


def _share(used: Used, others: int) -> float:
    """The upper end of the interval of the share of other accounts that use a value."""
    _, share = share_interval(len(used.others), others, confidence=_CONFIDENCE)
    return share


def _values(number: int) -> str:
    return "1 value" if number == 1 else f"{number:,} values"


def _measured(seen: Observed, policy: Policy) -> str:
    others = bucket(len(seen.others), policy.decades.get("accounts", 1))
    return (
        f"share of other accounts in the sender's log that match ({others} accounts), upper end of "
        f"the {_CONFIDENCE:.0%} interval of Clopper and Pearson"
    )


def rounded_up(share: float) -> float:
    """To a power of ten, upwards, as everything is told: where nobody else matches, the exact upper
    end is 3.7 divided by the number of accounts that a provider has."""
    if share <= 0:
        return 0.0
    return min(1.0, float(f"1e{math.ceil(math.log10(share) - 1e-9)}"))
