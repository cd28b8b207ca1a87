"""The campaign itself, what surrounds it, and two notes: facts, apart from inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from stillwatch import __version__
from stillwatch.intel.exporting.indicators import Dropped, rounded_up
from stillwatch.intel.exporting.known import Known
from stillwatch.intel.exporting.making import Maker
from stillwatch.intel.exporting.observed import Observed, Used
from stillwatch.intel.policy import FIELDS, Policy
from stillwatch.intel.profile.atlas import technique_id
from stillwatch.intel.profile.authoring import Detector
from stillwatch.intel.profile.buckets import bucket
from stillwatch.intel.profile.times import to_the_second

__all__ = ["Choice", "Described", "describe"]

#: STIX confidence, appendix A (None/Low/Med/High): nobody decided, one person did, two did
_CONFIDENCE: Final = (15, 50, 85)
#: a link counts when so many accounts of the case share one value
_LINKED: Final = 2
_LINKS: Final = {"payment": "payment", "device": "device", "ip": "network"}
#: a parameter is the campaign's when so large a share of the accounts that gave it gave this value
_COMMON: Final = 0.5
_INDICATORS: Final = frozenset({"payment", "device", "toolset", "system", "template"})


@dataclass(frozen=True)
class Choice:
    """What only a person can say of a campaign, and the head that fixes when it was known."""

    extraction_family: str | None = None
    capabilities: tuple[str, ...] = ()
    evidence_head: str | None = None


@dataclass(frozen=True)
class Described:
    """A campaign, the objects around it, and the techniques of ATLAS that it is said to use."""

    campaign: dict[str, Any]
    around: tuple[dict[str, Any], ...]
    techniques: tuple[str, ...]


def describe(
    known: Known, seen: Observed | None, policy: Policy, maker: Maker, *, choice: Choice,
    valid_until: datetime, dropped: list[Dropped],
) -> Described:  # fmt: skip
    """Objects of the profile for a case; what does not leave is added to `dropped`."""
    linkage = _linkage(seen)
    told = _allowed(_fields(known, seen, policy, choice, linkage), policy, dropped)
    window = told.get("window")
    confidence = told.pop("confidence", None)
    detector = _detector(known)
    campaign = maker.version(
        maker.author.make(
            "campaign",
            maker.now,
            {
                "name": f"Distillation campaign {maker.id('campaign', '')[10:18]}",
                **({"first_seen": window["from"], "last_seen": window["to"]} if window else {}),
                **({"confidence": confidence} if confidence is not None else {}),
                "objective": "training data from a language model, against its terms",
            },
            {
                **told,
                "detector": detector.fields(),
                "evidence_families": list(known.families),
                "legal_basis": policy.legal_basis,
                "purpose": policy.purpose,
                "valid_until": to_the_second(valid_until),
            },
            named=maker.id("campaign", ""),
        )
    )
    around = []
    techniques = _techniques(known, linkage)
    around += [_uses(maker, campaign, technique_id(each)) for each in techniques]
    around += _infrastructure(maker, campaign, policy, linkage, dropped)
    around += _responses(maker, told.get("response", ()))
    around += _notes(maker, campaign, policy, known, told, dropped)
    return Described(campaign, tuple(around), techniques)


def _fields(
    known: Known, seen: Observed | None, policy: Policy, choice: Choice, linkage: dict[str, int]
) -> dict[str, Any]:
    """Every field of the campaign that the policy may allow; None where it is not known."""
    decades = policy.decades
    response = [each for each in known.response if each in policy.responses]
    return {
        "window": {
            "from": to_the_second(known.first_seen.replace(minute=0, second=0, microsecond=0)),
            "to": to_the_second(known.last_seen.replace(minute=59, second=59, microsecond=0)),
        },
        "accounts": bucket(len(known.accounts), decades.get("accounts", 1)),
        "exchanges": bucket(known.exchanges, decades.get("exchanges", 1)),
        "tokens": None
        if known.tokens is None
        else bucket(known.tokens, decades.get("tokens", 1)),
        "extraction_family": choice.extraction_family,
        "capabilities": list(choice.capabilities) or None,
        "parameters": _parameters(seen, policy) or None,
        "linkage": [
            {"type": kind, "accounts": bucket(number, decades.get("accounts", 1))}
            for kind, number in sorted(linkage.items())
        ]
        or None,
        "response": response or None,
        "confidence": _CONFIDENCE[min(known.people, 2)],
        "evidence_head": choice.evidence_head,
    }  # fmt: skip


def _allowed(fields: Mapping[str, Any], policy: Policy, dropped: list[Dropped]) -> dict[str, Any]:
    dropped += [
        Dropped(name, "the policy does not allow it")
        for name in FIELDS
        if name not in policy.fields
    ]
    unknown = {
        "response": "nothing is in force that the policy lets be told",
        "parameters": "the accounts share none, or no log was given",
        "linkage": "nothing links the accounts, or no log was given",
    }
    for name, value in fields.items():
        if name in policy.fields and value is None:
            dropped.append(Dropped(name, unknown.get(name, "it is not known")))
    return {n: v for n, v in fields.items() if n in policy.fields and v is not None}


def _detector(known: Known) -> Detector:
    """With a bound of how often honest accounts would be named: all of the evidence is needed, and
    no conjunction is met more often than the rarest of its parts."""
    # none in a sample of unknown size is no rate
    rates = [(each.base_rate, each.detection) for each in known.scored if each.base_rate]
    if not rates:
        return Detector("stillwatch", __version__)
    rate, detection = min(rates)
    return Detector(
        "stillwatch",
        __version__,
        rounded_up(rate),
        f"base rate of '{detection}' among comparable honest accounts or groups of the sender's "
        "log: an upper bound for all of the evidence together",
    )


def _linkage(seen: Observed | None) -> dict[str, int]:
    """Type → accounts of the case that share a value with another one, and with few others."""
    linked: dict[str, set[str]] = {}
    for field, kind in _LINKS.items():
        for used in (seen.values.get(field, {}) if seen is not None else {}).values():
            if _links(used):
                linked.setdefault(kind, set()).update(used.members)
    return {kind: len(accounts) for kind, accounts in linked.items()}


def _links(used: Used) -> bool:
    return len(used.members) >= _LINKED and len(used.others) < len(used.members)


def _parameters(seen: Observed | None, policy: Policy) -> dict[str, Any]:
    """Parameters that most accounts of the case gave alike, k of them at least."""
    found: dict[str, Any] = {}
    for name, values in sorted(seen.parameters.items() if seen is not None else ()):
        everybody = set().union(*values.values())
        value, accounts = max(values.items(), key=lambda each: (len(each[1]), str(each[0])))
        if len(accounts) >= policy.k and len(accounts) >= _COMMON * len(everybody):
            found[name] = value
    return found


def _techniques(known: Known, linkage: Mapping[str, int]) -> tuple[str, ...]:
    """What the evidence shows, and nothing that is only likely."""
    found = ["AML.T0024.002", "AML.T0040"]
    if "payment" in linkage or "device" in linkage:
        found.append("AML.T0021")
    if any(each.detection == "multiplexing" for each in known.scored):
        found.append("AML.T0008.005")
    return tuple(found)


def _uses(maker: Maker, campaign: Mapping[str, Any], target: str) -> dict[str, Any]:
    named = maker.id("relationship", f"uses {target}")
    return maker.version(
        maker.author.related(campaign["id"], "uses", target, maker.now, named=named)
    )


def _infrastructure(
    maker: Maker, campaign: Mapping[str, Any], policy: Policy, linkage: Mapping[str, int],
    dropped: list[Dropped],
) -> list[dict[str, Any]]:  # fmt: skip
    if "infrastructure" not in policy.fields:
        return []
    if "network" not in linkage:
        dropped.append(Dropped("infrastructure", "no shared access links the accounts"))
        return []
    pool = maker.version(
        maker.author.make(
            "infrastructure",
            maker.now,
            {
                "name": "Shared access of a pool of accounts",
                "infrastructure_types": ["anonymization"],
            },
            named=maker.id("infrastructure", ""),
        )
    )
    return [pool, _uses(maker, campaign, pool["id"])]


def _responses(maker: Maker, kinds: list[str] | tuple[str, ...]) -> list[dict[str, Any]]:
    """What the sender did, as courses of action against the extraction of a model."""
    made = []
    for kind in kinds:
        course = maker.version(
            maker.author.make(
                "course-of-action",
                maker.now,
                {"name": kind, "description": f"The sender did this to accounts: {kind}."},
                named=maker.id("course-of-action", kind),
            )
        )
        named = maker.id("relationship", f"mitigates {kind}")
        target = technique_id("AML.T0024.002")
        made += [
            course,
            maker.version(
                maker.author.related(course["id"], "mitigates", target, maker.now, named=named)
            ),
        ]
    return made


def _notes(
    maker: Maker, campaign: Mapping[str, Any], policy: Policy, known: Known,
    told: Mapping[str, Any], dropped: list[Dropped],
) -> list[dict[str, Any]]:  # fmt: skip
    """Only of what leaves anyway: a note never tells more than the fields."""
    made = []
    if "facts" in policy.fields:
        facts = _facts(told)
        if facts:
            made.append(_note(maker, campaign, "fact", "What was observed", facts))
        else:
            dropped.append(Dropped("facts", "no field that was observed may leave"))
    if "inference" in policy.fields:
        if known.scored:
            lines = [
                f"{each.family}: {each.detection}, base rate " + (_rate(each.base_rate))
                for each in known.scored
            ]
            text = "\n".join(lines) + "\nA link is not a verdict: none of this decides alone."
            made.append(_note(maker, campaign, "inference", "What was scored", text))
        else:
            dropped.append(Dropped("inference", "no detection scored it"))
    return made


def _rate(base_rate: float | None) -> str:
    if base_rate is None:
        return "not measured"
    return f"{rounded_up(base_rate):g}" if base_rate else "none seen"


def _facts(told: Mapping[str, Any]) -> str:
    lines = []
    if "window" in told:
        lines.append(f"Seen from {told['window']['from']} to {told['window']['to']}.")
    lines += [
        f"{name}: {told[name]}" for name in ("accounts", "exchanges", "tokens") if name in told
    ]
    lines += [
        f"shared {each['type']}: {each['accounts']} accounts" for each in told.get("linkage", ())
    ]
    lines += [f"{name}: {value}" for name, value in told.get("parameters", {}).items()]
    return "\n".join(lines)


def _note(
    maker: Maker, campaign: Mapping[str, Any], label: str, abstract: str, text: str
) -> dict[str, Any]:
    return maker.version(
        maker.author.note(
            label, abstract, text, [campaign["id"]], maker.now, named=maker.id("note", label)
        )
    )
