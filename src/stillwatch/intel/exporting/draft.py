"""The exact objects that would leave, and everything that would not, each with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from stillwatch.errors import IntelError
from stillwatch.intel.exporting.describing import Choice, describe
from stillwatch.intel.exporting.indicators import Dropped, indicators
from stillwatch.intel.exporting.known import Known
from stillwatch.intel.exporting.making import Maker
from stillwatch.intel.exporting.minimum import unmet
from stillwatch.intel.exporting.observed import Observed
from stillwatch.intel.exporting.own import Own
from stillwatch.intel.identifiers import FIELDS as DIGESTED
from stillwatch.intel.policy import Policy
from stillwatch.intel.profile.atlas import attack_pattern
from stillwatch.intel.profile.authoring import Author, definition, profile_identity
from stillwatch.intel.profile.checking import validate
from stillwatch.intel.profile.markings import marking
from stillwatch.intel.profile.names import DISTILLATION, extension_of
from stillwatch.intel.profile.seals import Seal
from stillwatch.intel.profile.times import to_the_second
from stillwatch.ledger import canonical

__all__ = ["Choice", "Draft", "Dropped", "contents_of", "make_draft"]

_TIMES: Final = ("created", "modified", "valid_from", "valid_until")
_OWN_TIMES: Final = ("seal", "valid_until", "retain_until")


@dataclass(frozen=True)
class Draft:
    """What would leave.

    Attributes:
        objects: in the order of the bundle; `authored` of them are the provider's own.
        dropped: what would not, and why.
        refused: why nothing may leave; empty where it may.
        contents: SHA-256 of the provider's own objects without their times and seals; what was
            previewed has left if, and only if, it is the same.
        after: the last export for the case that this one knows of.
    """

    subject: str
    objects: tuple[dict[str, Any], ...]
    authored: tuple[dict[str, Any], ...]
    dropped: tuple[Dropped, ...]
    refused: tuple[str, ...]
    contents: str
    policy: Policy
    scheme: str | None
    valid_until: str
    retain_until: str
    after: int


def make_draft(
    known: Known, seen: Observed | None, policy: Policy, own: Own, now: datetime, *,
    choice: Choice, earlier: Mapping[str, dict[str, Any]], generation: int, after: int,
) -> Draft:  # fmt: skip
    """The draft of an export, which changes nothing.

    Args:
        seen: what the raw log shows; None where none was read.
        choice: what an analyst says of the campaign, and the head of the ledger.
        earlier, generation, after: of :class:`~stillwatch.intel.exporting.Register`.

    Raises:
        IntelError: digests or templates are to leave, and there is no community key.
    """
    valid_until = now + timedelta(days=policy.valid_days)
    retain_until = to_the_second(now + timedelta(days=policy.retention_days))
    author = Author(own.identity, own.key, policy.tlp)
    maker = Maker(author, known.case, now, earlier=earlier, generation=generation)
    dropped: list[Dropped] = []
    described = describe(
        known, seen, policy, maker, choice=choice, valid_until=valid_until, dropped=dropped
    )
    made: list[dict[str, Any]] = []
    if seen is None:
        _without_log(policy, dropped)
    elif own.community is None:
        raise IntelError(
            "indicators are digests under a community key; name one with --community FILE "
            "(`stillwatch intel keygen` makes one)"
        )
    else:
        made += indicators(
            seen, policy, own.community, maker, told=known.told, valid_until=valid_until,
            dropped=dropped,
        )  # fmt: skip
    taken_back = frozenset(name for name, each in earlier.items() if each.get("revoked"))
    made = list(_standing(made, taken_back, dropped))
    around = list(_standing(described.around, taken_back, dropped))
    links = [
        maker.version(
            author.related(
                each["id"], "indicates", described.campaign["id"], now,
                named=maker.id("relationship", each["id"]),
            )
        )
        for each in made
    ]  # fmt: skip
    identity = _identity(own, maker, earlier)
    authored = [
        identity,
        *(
            _kept_until(each, retain_until, author)
            for each in (described.campaign, *around, *made, *_standing(links, taken_back, dropped))
        ),
    ]
    fixed = [
        profile_identity(), definition(), marking(policy.tlp),
        *map(attack_pattern, described.techniques),
    ]  # fmt: skip
    for each in (*fixed, *authored):
        validate(each)
    return Draft(
        subject=known.case,
        objects=(*fixed, *authored),
        authored=tuple(authored),
        dropped=tuple(dropped),
        refused=(*unmet(known, policy.minimum), *_unsaid(known, described.campaign, taken_back)),
        contents=contents_of(authored),
        policy=policy,
        scheme=own.community.scheme if own.community is not None and seen is not None else None,
        valid_until=to_the_second(valid_until),
        retain_until=retain_until,
        after=after,
    )


def contents_of(objects: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of objects without their times and seals, in the order of their ids."""
    bare = []
    for each in objects:
        kept = {name: value for name, value in each.items() if name not in _TIMES}
        own = {n: v for n, v in extension_of(dict(each)).items() if n not in _OWN_TIMES}
        kept["extensions"] = {**each.get("extensions", {}), DISTILLATION: own}
        bare.append(kept)
    bare.sort(key=lambda thing: str(thing["id"]))
    return hashlib.sha256(canonical(bare)).hexdigest()


def _standing(
    things: Iterable[dict[str, Any]], taken_back: frozenset[str], dropped: list[Dropped]
) -> Iterable[dict[str, Any]]:
    """What was not taken back alone, and points to nothing that was; the rest is `dropped`."""
    for each in things:
        ends = {each["id"], each.get("source_ref"), each.get("target_ref")}
        if ends.isdisjoint(taken_back):
            yield each
        else:
            dropped.append(Dropped(each["type"], "it was taken back, and stays so"))


def _unsaid(known: Known, campaign: Mapping[str, Any], taken_back: frozenset[str]) -> Iterable[str]:
    """That the campaign itself was taken back, and what to do."""
    if campaign["id"] in taken_back:
        yield (
            f"its campaign was taken back; take back the rest (`stillwatch intel revoke "
            f"{known.case}`), and what is exported then has new ids"
        )


def _identity(own: Own, maker: Maker, earlier: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Who we are: what was said before, as long as it is still so."""
    now = maker.author.described(own.name, maker.now)
    before = earlier.get(own.identity)
    return before if before and contents_of([before]) == contents_of([now]) else maker.version(now)


def _without_log(policy: Policy, dropped: list[Dropped]) -> None:
    dropped += [
        Dropped(field, "no log was given")
        for field in (*DIGESTED, "template")
        if field in policy.fields
    ]


def _kept_until(thing: dict[str, Any], until: str, author: Author) -> dict[str, Any]:
    """With the day until which a recipient may keep it."""
    own = {**extension_of(thing), "retain_until": until}
    extensions = {**thing["extensions"], DISTILLATION: own}
    return Seal.sign({**thing, "extensions": extensions}, author.key)
