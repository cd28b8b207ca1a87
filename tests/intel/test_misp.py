"""Events of MISP: what its core format asks for, and what becomes of our objects in them.

Types and categories are those of MISP's ``describeTypes``; the form is that of
draft-dulaunoy-misp-core-format, section 2: numbers and enumerations are strings.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stillwatch.intel.misp import misp_export
from stillwatch.intel.profile import Author, Detector, Tlp, attack_pattern
from stillwatch.ledger import SigningKey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

#: of the types that are used, the categories that MISP allows
CATEGORIES = {
    "campaign-name": {"Attribution"},
    "comment": {"Internal reference", "Other", "External analysis", "Attribution"},
    "link": {"Internal reference", "External analysis", "Support Tool"},
    "stix2-pattern": {
        "Payload delivery", "Artifacts dropped", "Payload installation", "Network activity",
    },
    "text": {"Internal reference", "Other", "External analysis", "Attribution"},
}  # fmt: skip
TEXT = re.compile(r".+", re.DOTALL)
NUMBER = re.compile(r"\d+")
EVENT = {
    "info": TEXT, "date": re.compile(r"\d{4}-\d\d-\d\d"), "timestamp": NUMBER,
    "threat_level_id": re.compile("[1-4]"), "analysis": re.compile("[0-2]"),
    "distribution": re.compile("[0-3]"),
}  # fmt: skip
ATTRIBUTE = {
    "type": TEXT, "category": TEXT, "value": TEXT, "timestamp": NUMBER,
    "distribution": re.compile("[0-35]"), "comment": TEXT,
}  # fmt: skip


def check(export: dict[str, Any]) -> list[dict[str, Any]]:
    """The events, each of the form that MISP asks for."""
    assert export.keys() == {"response"}
    export = json.loads(json.dumps(export))
    names: list[str] = []
    for each in export["response"]:
        event = each["Event"]
        assert event.keys() == EVENT.keys() | {"uuid", "published", "Orgc", "Attribute", "Tag"}
        assert event["published"] is False
        assert event["Orgc"].keys() == {"name", "uuid"}
        uuid.UUID(event["Orgc"]["uuid"])
        assert all(form.fullmatch(event[name]) for name, form in EVENT.items())
        for attribute in event["Attribute"]:
            assert attribute.keys() == ATTRIBUTE.keys() | {"uuid", "to_ids", "deleted"}
            assert all(form.fullmatch(attribute[name]) for name, form in ATTRIBUTE.items())
            assert attribute["category"] in CATEGORIES[attribute["type"]]
            assert {type(attribute["to_ids"]), type(attribute["deleted"])} == {bool}
        names += [event["uuid"], *(attribute["uuid"] for attribute in event["Attribute"])]
    assert len({uuid.UUID(name) for name in names}) == len(names)
    return [each["Event"] for each in export["response"]]


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    """What a provider shares of a campaign, as the profile writes it."""
    me = f"identity--{uuid.UUID(int=7)}"
    author = Author(me, SigningKey(b"s" * 32), Tlp.AMBER)
    detector = Detector("stillwatch", "0.1")
    campaign = author.make("campaign", NOW, {"name": "Harvest", "description": "one template"},
                           {"accounts": "10-99", "window": {"from": "a", "to": "b"}})  # fmt: skip
    times = {"valid_from": NOW, "valid_until": NOW + timedelta(days=30), "now": NOW}
    digest = author.digest(
        "scheme", "payment", "0" * 32, accounts="10-99", detector=detector, **times
    )
    template = author.template(
        "scheme", 2, [1, 2, 3], accounts="10-99", k=5, detector=detector, **times
    )
    proxies = author.make("infrastructure", NOW, {"name": "a pool of proxies"})
    technique, other = attack_pattern("AML.T0024.002"), attack_pattern("AML.T0040")
    links = [
        author.related(digest["id"], "indicates", campaign["id"], NOW),
        author.related(template["id"], "indicates", campaign["id"], NOW),
        author.related(campaign["id"], "uses", technique["id"], NOW),
        author.related(campaign["id"], "uses", proxies["id"], NOW),
        author.related(proxies["id"], "uses", other["id"], NOW),
    ]
    note = author.note("fact", "seen", "twelve accounts share a template", [campaign["id"]], NOW)
    named = author.described("provider-a", NOW)
    return [named, campaign, digest, template, proxies, technique, other, *links, note]


def of(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in objects if each["type"] == kind]


def test_a_shared_campaign_is_one_event_of_the_core_format(objects: list[dict[str, Any]]) -> None:
    [event] = check(misp_export(objects))
    [campaign] = of(objects, "campaign")
    assert event["uuid"] == campaign["id"].removeprefix("campaign--")
    assert event["Orgc"]["name"] == "provider-a"
    assert (event["distribution"], event["Tag"]) == ("1", [{"name": "tlp:amber"}])
    values = {each["value"] for each in event["Attribute"]}
    assert {each["pattern"] for each in of(objects, "indicator")} <= values
    links = {each["value"] for each in event["Attribute"] if each["type"] == "link"}
    assert len(links) == len(of(objects, "attack-pattern")) > 0
    assert any(value.startswith("accounts: ") for value in values)
    assert not any("signature" in value for value in values)


def test_only_patterns_that_misp_can_read_are_for_detection(objects: list[dict[str, Any]]) -> None:
    [event] = check(misp_export(objects))
    kinds = {each["pattern"]: each["pattern_type"] for each in of(objects, "indicator")}
    assert set(kinds.values()) == {"stix", "stillwatch-template"}
    for each in event["Attribute"]:
        if each["value"] in kinds:
            assert each["to_ids"] == (kinds[each["value"]] == "stix")


def test_what_is_revoked_is_there_as_deleted(objects: list[dict[str, Any]]) -> None:
    first = of(objects, "indicator")[0]
    gone = {**first, "modified": "2027-01-01T00:00:00.000Z", "revoked": True}
    [event] = check(misp_export([gone, *objects]))
    [attribute] = [each for each in event["Attribute"] if each["value"] == first["pattern"]]
    assert (attribute["deleted"], attribute["to_ids"]) == (True, False)
    assert attribute["timestamp"] == "1798761600"


def test_the_strictest_marking_says_how_far_an_event_goes(objects: list[dict[str, Any]]) -> None:
    def marked(*refs: str) -> str:
        first, *rest = of(objects, "indicator")
        changed = [{**first, "object_marking_refs": list(refs)}, *rest]
        [event] = check(misp_export([*of(objects, "campaign"), *changed,
                                     *of(objects, "relationship")]))  # fmt: skip
        return str(event["distribution"])

    assert marked(Tlp.AMBER.id) == "1"
    assert marked(Tlp.RED.id) == "0"
    assert marked(Tlp.CLEAR.id) == "1"
    assert marked() == "0"


def test_indicators_without_a_campaign_have_an_event_of_their_own(
    objects: list[dict[str, Any]],
) -> None:
    [event] = check(misp_export(of(objects, "indicator")))
    assert event["info"] == "Distillation: indicators without a campaign"
    assert len(event["Attribute"]) >= len(of(objects, "indicator"))
    assert check(misp_export([])) == []
    assert check(misp_export(of(objects, "identity"))) == []


def test_one_object_may_stand_in_two_events(objects: list[dict[str, Any]]) -> None:
    other = json.loads(
        json.dumps([*of(objects, "campaign"), *of(objects, "relationship")]).replace(
            of(objects, "campaign")[0]["id"], f"campaign--{uuid.UUID(int=1)}"
        )
    )
    assert len(check(misp_export([*objects, *other]))) == 2
