"""Objects of the profile pass through the reference library unchanged, and what is none is told."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stillwatch.errors import IndicatorError, SealError
from stillwatch.intel import CommunityKey
from stillwatch.intel.profile import (
    DISTILLATION,
    TECHNIQUES,
    Author,
    Detector,
    Seal,
    Tlp,
    attack_pattern,
    bundle,
    check_seal,
    definition,
    extension_of,
    marking,
    new_id,
    new_version,
    profile_identity,
    revoked,
    schema,
    tlp_of,
    to_the_second,
    validate,
    written,
)
from stillwatch.ledger import SigningKey
from tests.intel.conftest import NOW, random_token

PAGE = Path(__file__).parents[2] / "docs" / "intel-profile.md"
KEY = SigningKey(b"s" * 32)
COMMUNITY = CommunityKey("fmf", "2026-q4", bytes(range(32)))
UNTIL = NOW + timedelta(days=30)
ME = Author("identity--11111111-1111-4111-8111-111111111111", KEY, Tlp.AMBER)
DETECTOR = Detector("stillwatch", "0.1", 0.0012, "its own log")


def objects(now: datetime = NOW) -> list[dict[str, Any]]:
    """One of each."""
    until = now + timedelta(days=30)
    digest = COMMUNITY.digest("payment", random_token("card"))
    indicator = ME.digest(
        COMMUNITY.scheme, "payment", digest, accounts="10-99", detector=DETECTOR,
        valid_from=now, valid_until=until, now=now,
    )  # fmt: skip
    template = ME.template(
        COMMUNITY.scheme, 2, [5, -7, 9, 2**62], accounts="10-99", k=5, detector=DETECTOR,
        valid_from=now, valid_until=until, now=now,
    )  # fmt: skip
    campaign = ME.make(
        "campaign",
        now,
        {"name": "Distillation campaign 1"},
        {
            "window": {"from": to_the_second(now), "to": to_the_second(until)},
            "accounts": "10-99", "exchanges": "1000-9999", "tokens": None,
            "extraction_family": "reasoning-harvest", "capabilities": ["mathematics"],
            "parameters": {"temperature": 0.6, "stream": False},
            "linkage": [{"type": "payment", "accounts": "1-9"}], "response": ["slow"],
            "detector": DETECTOR.fields(), "evidence_families": ["content", "time"],
            "evidence_head": "0" * 64, "legal_basis": "legitimate interests",
            "purpose": "preventing distillation", "valid_until": written(until),
        },
    )  # fmt: skip
    return [
        profile_identity(), definition(), *map(marking, Tlp), *map(attack_pattern, TECHNIQUES),
        ME.described("provider-a", now), indicator, template, campaign,
        ME.related(indicator["id"], "indicates", campaign["id"], now),
        ME.note("fact", "What was observed", "accounts: 10-99", [campaign["id"]], now),
        ME.sighting(indicator["id"], "confirmed", exchanges=12, first_seen=now, last_seen=until,
                    now=now),
        ME.make("infrastructure", now, {"name": "pool", "infrastructure_types": ["anonymization"]}),
        ME.make("course-of-action", now, {"name": "slow"}),
    ]  # fmt: skip


def of(kind: str) -> dict[str, Any]:
    return copy.deepcopy(next(each for each in reversed(objects()) if each["type"] == kind))


def digest_indicator() -> dict[str, Any]:
    return next(each for each in objects() if each.get("pattern_type") == "stix")


@pytest.mark.parametrize("microseconds", [0, 120_000, 123_456])
def test_the_reference_library_gives_back_every_object_as_it_was(microseconds: int) -> None:
    made = objects(NOW.replace(microsecond=microseconds))
    read = stix2.parse(json.dumps(bundle(made)), allow_custom=False)
    back = json.loads(read.serialize())["objects"]
    assert back == made
    for each in back:
        validate(each)
        if "seal" in extension_of(each):
            check_seal(each, KEY.public)


def test_the_schema_is_one_and_the_definition_carries_it() -> None:
    Draft202012Validator.check_schema(schema())
    assert json.loads(definition()["schema"]) == schema()
    for each in objects():
        Draft202012Validator(schema()).validate(each)


def without(*path: str) -> Any:
    def change(thing: dict[str, Any]) -> None:
        for part in path[:-1]:
            thing = thing[part]
        del thing[path[-1]]

    return change


def with_(value: Any, *path: str) -> Any:
    def change(thing: dict[str, Any]) -> None:
        for part in path[:-1]:
            thing = thing[part]
        thing[path[-1]] = value

    return change


OWN = ("extensions", DISTILLATION)


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("campaign", without(*OWN, "purpose"), "purpose"),
        ("campaign", without(*OWN, "legal_basis"), "legal_basis"),
        ("campaign", without(*OWN, "valid_until"), "valid_until"),
        ("campaign", without("object_marking_refs"), "object_marking_refs"),
        ("campaign", without("created_by_ref"), "created_by_ref"),
        ("campaign", with_("150", *OWN, "accounts"), "accounts"),
        ("campaign", with_("100-99", *OWN, "accounts"), "accounts"),
        ("campaign", with_(150, *OWN, "exchanges"), "exchanges"),
        ("campaign", with_("1-9\n", *OWN, "accounts"), "accounts"),
        ("campaign", with_(to_the_second(NOW - timedelta(1)), *OWN, "window", "to"), "window"),
        ("campaign", with_({"from": written(NOW)}, *OWN, "window"), "window"),
        ("campaign", with_(None, *OWN, "detector", "measured_on"), "measured_on"),
        ("campaign", with_(1.5, *OWN, "detector", "false_positive_rate"), "false_positive_rate"),
        ("campaign", with_("2026-13-01T00:00:00.000Z", *OWN, "valid_until"), "valid_until"),
        ("indicator", without("valid_until"), "valid_until"),
        ("indicator", without("extensions"), "extensions"),
        ("indicator", without(*OWN, "detector"), "detector"),
        ("indicator", with_("1-9", *OWN, "template", "accounts"), None),
        ("indicator", with_(10, *OWN, "template", "k"), None),
        ("indicator", with_(1_000, *OWN, "template", "k"), "accounts"),
        ("indicator", with_(3, *OWN, "template", "least"), "pattern"),
        ("indicator", with_(written(NOW), "valid_until"), "valid_until"),
        ("sighting", with_("guessed", *OWN, "outcome"), "outcome"),
        ("sighting", with_(written(UNTIL + timedelta(1)), "first_seen"), "last_seen"),
        ("note", with_([], "object_refs"), "object_refs"),
        ("relationship", with_("x", "target_ref"), "target_ref"),
        ("identity", with_("identity--1", "id"), "id"),
        ("identity", with_("campaign--11111111-1111-4111-8111-111111111111", "id"), "id"),
        ("identity", with_("2.0", "spec_version"), "spec_version"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_profile_is_told(kind: str, change: Any, told: str | None) -> None:
    thing = of(kind)
    validate(thing)
    change(thing)
    if told is None:
        validate(thing)
        return
    with pytest.raises(IndicatorError) as raised:
        validate(thing)
    assert told in str(raised.value)


def test_a_pattern_that_says_something_else_than_the_extension_is_refused() -> None:
    thing = copy.deepcopy(digest_indicator())
    thing["pattern"] = thing["pattern"].replace("payment", "device")
    with pytest.raises(IndicatorError, match="pattern"):
        validate(thing)


def test_objects_of_other_types_need_only_what_all_objects_need() -> None:
    other = {
        "type": "threat-actor", "spec_version": "2.1", "id": new_id("threat-actor"),
        "created": written(NOW), "modified": written(NOW), "name": "somebody", "x_more": [1, {}],
    }  # fmt: skip
    validate(other)
    with pytest.raises(IndicatorError, match="spec_version"):
        validate({**other, "spec_version": None})


def test_a_field_of_a_later_version_is_ignored() -> None:
    thing = of("campaign")
    thing["extensions"][DISTILLATION] |= {"profile": "1.7", "something_new": {"a": 1}}
    validate(thing)
    thing["extensions"][DISTILLATION]["profile"] = "2.0"
    with pytest.raises(IndicatorError, match="profile"):
        validate(thing)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_anything_at_all_is_of_the_profile_or_refused(thing: Any) -> None:
    try:
        validate(thing)
    except IndicatorError:
        return
    assert isinstance(thing, dict)


@given(st.sampled_from(["campaign", "indicator", "sighting", "note"]), st.data(), JSON)
def test_an_object_with_one_value_replaced_is_of_the_profile_or_refused(
    kind: str, data: st.DataObject, value: Any
) -> None:
    thing = of(kind)
    where = data.draw(st.sampled_from([thing, thing["extensions"][DISTILLATION]]))
    where[data.draw(st.sampled_from(sorted(where)))] = value
    try:
        validate(thing)
        check_seal(thing, KEY.public)
    except (IndicatorError, SealError):
        pass


def test_a_deep_object_is_refused_and_breaks_nothing() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    thing = of("campaign")
    thing["x_deep"] = deep
    validate(thing)
    with pytest.raises(SealError, match="deeper"):
        check_seal(thing, KEY.public)
    del deep, thing


def test_a_seal_holds_until_a_byte_changes() -> None:
    for thing in objects():
        if "seal" not in extension_of(thing):
            continue
        check_seal(thing, KEY.public)
        changed = {**thing, "modified": "2027-01-01T00:00:00.000Z"}
        with pytest.raises(SealError, match="changed"):
            check_seal(changed, KEY.public)
        with pytest.raises(SealError, match="not with"):
            check_seal(thing, SigningKey(b"t" * 32).public)
        bare = copy.deepcopy(thing)
        del bare["extensions"][DISTILLATION]["seal"]
        with pytest.raises(SealError, match="no seal"):
            check_seal(bare, KEY.public)


def test_the_seal_of_one_object_is_no_seal_of_another() -> None:
    one, other = of("note"), ME.note("fact", "another", "text", [of("campaign")["id"]], NOW)
    other["extensions"][DISTILLATION]["seal"] = one["extensions"][DISTILLATION]["seal"]
    with pytest.raises(SealError):
        check_seal(other, KEY.public)


def test_a_new_version_keeps_what_never_changes_and_is_later() -> None:
    first = of("campaign")
    second = new_version(first, {"name": "another", "confidence": 15}, NOW)
    assert second["modified"] > first["modified"]
    assert {n: first[n] for n in ("id", "created", "created_by_ref")} == {
        n: second[n] for n in ("id", "created", "created_by_ref")
    }
    assert "seal" not in extension_of(second)
    with pytest.raises(SealError):
        check_seal(second, KEY.public)
    check_seal(Seal.sign(second, KEY), KEY.public)
    with pytest.raises(IndicatorError, match="never changes"):
        new_version(first, {"created": written(UNTIL)}, UNTIL)
    taken = revoked(second, UNTIL)
    assert taken["revoked"] is True
    with pytest.raises(IndicatorError, match="revoked"):
        new_version(taken, {}, UNTIL)
    with pytest.raises(IndicatorError, match="no versions"):
        revoked(marking(Tlp.RED), NOW)


def test_the_strictest_marking_counts() -> None:
    thing = {"object_marking_refs": [Tlp.RED.id, Tlp.GREEN.id]}
    assert tlp_of(thing) is Tlp.RED
    assert tlp_of({}) is None


def test_the_techniques_are_those_of_atlas_and_the_same_for_everybody() -> None:
    assert TECHNIQUES["AML.T0024.002"] == "Extract AI Model"
    assert TECHNIQUES["AML.T0008.005"] == "AI Service Proxies"
    made = [attack_pattern(each) for each in TECHNIQUES]
    assert made == [attack_pattern(each) for each in TECHNIQUES]
    assert len({each["id"] for each in made}) == len(TECHNIQUES)
    with pytest.raises(IndicatorError):
        attack_pattern("AML.T0030")


def fenced(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_example_of_the_page_is_of_the_profile_and_sealed() -> None:
    (text,) = (each for each in fenced("json") if '"bundle"' in each)
    example = json.loads(text)
    sealed = 0
    for each in example["objects"]:
        validate(each)
        if "seal" in extension_of(each):
            check_seal(each, KEY.public)
            sealed += 1
    assert sealed >= 4
    assert {"campaign", "indicator", "note"} <= {each["type"] for each in example["objects"]}
    stix2.parse(text, allow_custom=False)


def test_every_field_of_the_schema_is_on_the_page() -> None:
    own: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, value in node.get("properties", {}).items():
                own.add(name)
                walk(value)
            for key, value in node.items():
                if key != "properties":
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(schema())
    page = PAGE.read_text()
    missing = {n for n in own if f"`{n}`" not in page and not n.startswith("extension-definition")}
    assert missing == set()


def test_times_are_written_in_utc() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    assert written(at) == "2026-01-02T03:04:05.678Z"
    assert to_the_second(at) == "2026-01-02T03:04:05Z"


def test_an_object_that_is_wrong_in_a_million_places_is_refused_after_some() -> None:
    """Looked at whole, 16 MiB of them would keep an import busy for minutes."""
    looked: list[int] = []

    class Counted(int):
        def __repr__(self) -> str:
            looked.append(int(self))
            return "a number"

    with pytest.raises(IndicatorError, match="object_refs"):
        validate(of("note") | {"object_refs": [Counted(n) for n in range(9_000)]})
    assert len(looked) < 9_000
