"""Our objects as events of MISP, for communities that use it (MISP core format, one JSON file).

One event a campaign, with what is related to it; what is related to none stands in an event of its
own. MISP has no place for a seal: whoever needs to know that nothing was changed asks for the STIX
objects, whose ids the attributes keep. Source: the MISP core format
(draft-dulaunoy-misp-core-format), types and categories of MISP's ``describeTypes``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stillwatch.intel.profile import Tlp, extension_of, moment, tlp_of

__all__ = ["misp_export"]

_Object = Mapping[str, Any]
#: how far MISP passes an event on: nobody, this community, connected communities, everybody
_DISTRIBUTION = {
    Tlp.CLEAR: "3", Tlp.GREEN: "2", Tlp.AMBER: "1", Tlp.AMBER_STRICT: "0", Tlp.RED: "0",
}  # fmt: skip
_INHERIT = "5"
#: of ATLAS and the like, which everybody knows
_PUBLIC = frozenset({"attack-pattern", "course-of-action", "relationship", "identity"})
_UNDEFINED, _COMPLETED = "4", "2"
#: of our extension, what MISP takes as it is or what says nothing there
_LEFT_OUT = frozenset({"extension_type", "profile", "seal", "digest", "template"})
#: who says something; one event has one, and MISP has a field for it
_NOBODY = {"name": "unknown", "uuid": str(uuid.UUID(int=0))}


def misp_export(objects: Sequence[_Object]) -> dict[str, Any]:
    """What MISP imports as "MISP export result": ``{"response": [{"Event": …}, …]}``.

    Of an object in several versions the last one counts; what is revoked is there as deleted.

    Raises:
        IndicatorError: a time of an object is none.
    """
    last: dict[str, _Object] = {}
    for each in objects:
        known = last.get(each["id"])
        if known is None or _modified(known) <= _modified(each):
            last[each["id"]] = each
    related = _related(last.values())
    told: set[str] = set()
    events = []
    for campaign in (each for each in last.values() if each["type"] == "campaign"):
        beside = [last[name] for name in _reached(campaign["id"], related, last)]
        told |= {campaign["id"], *(each["id"] for each in beside)}
        events.append(_event(campaign, [campaign, *beside], last))
    rest = [each for each in last.values() if each["id"] not in told]
    if any(each["type"] == "indicator" for each in rest):
        events.append(_event(None, rest, last))
    return {"response": events}


def _related(objects: Iterable[_Object]) -> dict[str, set[str]]:
    """What leads to what: both ends of relationships, notes and what they are about."""
    found: dict[str, set[str]] = {}
    for each in objects:
        ends: list[str] = [*each.get("object_refs", ()), each["id"]]
        if each["type"] == "relationship":
            ends = [each["source_ref"], each["target_ref"]]
        for end in ends if len(ends) > 1 else ():
            found.setdefault(end, set()).update(other for other in ends if other != end)
    return found


def _reached(
    campaign: str, related: Mapping[str, set[str]], every: Mapping[str, _Object]
) -> list[str]:
    """What a campaign leads to, but not through a technique or another campaign: those are shared
    by campaigns that have nothing else in common."""
    found: set[str] = set()
    ways = [campaign]
    while ways:
        for name in related.get(ways.pop(), set()) - found - {campaign}:
            if name in every and every[name]["type"] != "campaign":
                found.add(name)
                if every[name]["type"] not in _PUBLIC:
                    ways.append(name)
    return sorted(found)


def _event(
    campaign: _Object | None, objects: Sequence[_Object], every: Mapping[str, _Object]
) -> dict[str, Any]:
    first = campaign or objects[0]
    author = every.get(str(first.get("created_by_ref")), {})
    organisation = dict(_NOBODY)
    if author:
        organisation = {"name": str(author.get("name", "unknown")), "uuid": _uuid(author)}
    strictest = _strictest(objects)
    name = campaign.get("name", "unnamed") if campaign else "indicators without a campaign"
    own = _uuid(campaign) if campaign else _derived(objects[0]["id"], "event")
    event = {
        "uuid": own,
        "info": f"Distillation: {name}",
        "date": str(first["created"])[:10],
        "timestamp": str(max(_modified(each) for each in objects)),
        "threat_level_id": _UNDEFINED,
        "analysis": _COMPLETED,
        "distribution": "0" if strictest is None else _DISTRIBUTION[strictest],
        "published": False,
        "Orgc": organisation,
        "Attribute": [each for thing in objects for each in _attributes(own, thing)],
        "Tag": [{"name": f"tlp:{strictest}"}] if strictest is not None else [],
    }
    return {"Event": event}


def _strictest(objects: Sequence[_Object]) -> Tlp | None:
    """The strictest marking; None, which is for nobody else, where anything of ours has none."""
    ours = [each for each in objects if each["type"] not in _PUBLIC]
    markings = [tlp_of(dict(each)) for each in ours]
    known = [each for each in markings if each is not None]
    # the widest of the enumeration stands first
    return max(known, key=list(Tlp).index) if known and len(known) == len(ours) else None


def _attributes(event: str, thing: _Object) -> list[dict[str, Any]]:
    """What MISP is told of an object; nothing of relationships, markings and identities."""
    kind = thing["type"]
    if kind == "campaign":
        told = [("campaign-name", "Attribution", str(thing.get("name", "unnamed")),
                 str(thing.get("description", "")))]  # fmt: skip
    elif kind == "indicator":
        # other languages of patterns are text: MISP would try to parse them as STIX
        ours = "stix2-pattern" if thing.get("pattern_type") == "stix" else "text"
        category = "Payload installation" if ours == "stix2-pattern" else "Other"
        about = f"{thing.get('name', '')}; until {thing.get('valid_until', 'revoked')}"
        told = [(ours, category, str(thing["pattern"]), about)]
    elif kind == "attack-pattern":
        told = [
            ("link", "External analysis", str(each["url"]),
             f"{each.get('external_id', '')} {thing.get('name', '')}".strip())
            for each in thing.get("external_references", ()) if "url" in each
        ]  # fmt: skip
    elif kind == "note":
        labels = ", ".join(thing.get("labels", ()))
        told = [("comment", "Other", str(thing.get("content", "")), labels)]
    elif kind in ("infrastructure", "course-of-action"):
        told = [("text", "Other", str(thing.get("name", "")), kind)]
    else:
        return []
    told += [
        ("text", "Other", f"{name}: {_flat(value)}", f"of {kind} {thing['id']}")
        for name, value in sorted(extension_of(dict(thing)).items())
        if name not in _LEFT_OUT
    ]
    return [_attribute(event, thing, number, *each) for number, each in enumerate(told) if each[2]]


def _attribute(
    event: str, thing: _Object, number: int, kind: str, category: str, value: str, comment: str
) -> dict[str, Any]:
    return {
        # one object may stand in several events, and a UUID in MISP only once
        "uuid": _derived(thing["id"], f"{event}/{number}"),
        "type": kind,
        "category": category,
        "value": value,
        "comment": comment if number else f"{comment} ({thing['id']})",
        "to_ids": kind == "stix2-pattern" and not thing.get("revoked", False),
        "distribution": _INHERIT,
        "timestamp": str(_modified(thing)),
        "deleted": bool(thing.get("revoked", False)),
    }


def _flat(value: Any) -> str:
    """A field of our extension, in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_flat(each)}" for name, each in sorted(value.items()))
    if isinstance(value, list):
        return "; ".join(map(_flat, value))
    return "unknown" if value is None else str(value)


def _modified(thing: _Object) -> int:
    """Seconds since 1970."""
    said = thing.get("modified", thing.get("created"))
    return 0 if said is None else int(moment(said).timestamp())


def _uuid(thing: _Object) -> str:
    return str(thing["id"]).partition("--")[2]


def _derived(name: str, part: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}#{part}"))
