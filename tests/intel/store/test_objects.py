"""What is an object of STIX 2.1, and in which order times stand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import IndicatorError
from stillwatch.intel.store import check_object
from stillwatch.intel.store.objects import LARGEST_OBJECT
from stillwatch.intel.store.times import micros, version_key, written
from stillwatch.ledger.canonical import parsed
from tests.intel.store.conftest import indicator

UUID = indicator(1)["id"][11:]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4)
)
FIELDS = st.sampled_from(
    ["type", "id", "spec_version", "created", "modified", "created_by_ref", "revoked",
     "valid_until", "name", "labels"]
)  # fmt: skip


@settings(max_examples=40)
@given(changes=st.dictionaries(FIELDS, VALUES, max_size=3), gone=st.sets(FIELDS, max_size=2))
def test_whatever_its_fields_hold_an_object_is_kept_or_refused_with_a_reason(
    changes: dict[str, Any], gone: set[str]
) -> None:
    value = {k: v for k, v in (indicator(1) | changes).items() if k not in gone}
    try:
        kept = check_object(value)
    except IndicatorError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, but for a silent one
    else:
        assert parsed(kept.body) == value


@given(value=VALUES)
def test_what_is_no_object_at_all_is_refused(value: Any) -> None:
    with pytest.raises(IndicatorError):
        check_object(value)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"type": "Indicator"}, "type"),
        ({"type": "in--dicator"}, "type"),
        ({"type": "x" * 251}, "type"),
        ({"type": "bundle", "id": f"bundle--{UUID}"}, "bundle"),
        ({"id": f"malware--{UUID}"}, "id"),
        ({"id": "indicator--1"}, "id"),
        ({"id": f"indicator--{UUID}\n"}, "id"),
        ({"spec_version": "2.0"}, "spec_version"),
        ({"spec_version": None}, "spec_version"),
        ({"created": "2026-01-01"}, "created"),
        ({"modified": "2026-01-01T00:00:00+00:00"}, "modified"),
        ({"modified": "2026-02-30T00:00:00Z"}, "modified"),
        ({"modified": "2025-12-31T23:59:59.999Z"}, "before created"),
        ({"modified": "２026-01-01T00:00:00Z"}, "modified"),
        ({"created_by_ref": UUID}, "created_by_ref"),
        ({"revoked": "yes"}, "revoked"),
        ({"valid_until": 5}, "valid_until"),
        ({"name": "half \ud800"}, "surrogate"),
        ({"confidence": 2**53}, "2\\^53"),
        ({"confidence": float("nan")}, "nan"),
        ({"name": "x" * LARGEST_OBJECT}, "bytes"),
        ({"labels": json.loads("[" * 80 + "]" * 80)}, "deeper"),
    ],
)
def test_what_stix_does_not_allow_is_named(changes: dict[str, Any], names: str) -> None:
    with pytest.raises(IndicatorError, match=names):
        check_object(indicator(1) | changes)


@pytest.mark.parametrize("kind", ["x-unknown", "x-stillwatch-verdict", "a1b"])
def test_types_that_stix_does_not_know_are_taken_with_and_without_times(kind: str) -> None:
    timed = check_object(indicator(1) | {"type": kind, "id": f"{kind}--{UUID}"})
    bare = check_object({"type": kind, "id": f"{kind}--{UUID}", "any": [{"thing": None}]})
    assert (timed.versioned, bare.versioned, bare.version) == (True, False, None)


@pytest.mark.parametrize("kind", sorted(stix2.registry.STIX2_OBJ_MAPS["2.1"]["observables"]))
def test_every_observable_is_taken_without_times(kind: str) -> None:
    assert not check_object({"type": kind, "id": f"{kind}--{UUID}", "modified": "x"}).versioned


@pytest.mark.parametrize(
    "kind", sorted(set(stix2.registry.STIX2_OBJ_MAPS["2.1"]["objects"]) - {"bundle"})
)
def test_every_other_object_needs_its_times(kind: str) -> None:
    value = indicator(1) | {"type": kind, "id": f"{kind}--{UUID}"}
    assert check_object(value).versioned == (kind != "marking-definition")
    with pytest.raises(IndicatorError, match="created"):
        check_object({name: each for name, each in value.items() if name != "created"})


MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))


@given(one=MOMENTS, digits=st.integers(0, 6), two=MOMENTS)
def test_versions_stand_in_the_order_of_time_however_they_are_written(
    one: datetime, digits: int, two: datetime
) -> None:
    def said(at: datetime, digits: int) -> str:
        whole = f"{at.isoformat()[:19]}"
        fraction = f"{at.microsecond:06}"[:digits]
        return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"

    first, second = said(one, digits), said(two, 6)
    assert (micros(first) < micros(second)) == (version_key(first) < version_key(second))
    assert version_key(second) == version_key(second[:-1] + "000Z")
    near = said(one + timedelta(microseconds=1), 6)
    assert version_key(first) < version_key(near)


@given(at=MOMENTS)
def test_what_is_written_is_read_as_the_same_time(at: datetime) -> None:
    time = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert micros(written(time)) == time
    assert len(written(time)) == len("2026-11-22T12:00:00.000000Z")


def test_a_leap_second_comes_before_the_minute_that_follows() -> None:
    assert version_key("2016-12-31T23:59:60.5Z") < version_key("2017-01-01T00:00:00Z")
    assert micros("2016-12-31T23:59:60Z") == micros("2017-01-01T00:00:00Z")


@given(text=st.text())
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        micros(text)
