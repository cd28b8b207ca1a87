"""Servers, and members of servers, that mean harm: one odd object keeps no other away."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.intel.received import read_objects
from stillwatch.intel.taxii.bodies import lenient
from stillwatch.intel.taxii.files import into_folder
from stillwatch.intel.taxii.guards import Bounds
from stillwatch.intel.taxii.polling import Batch
from tests.intel.store.conftest import OTHER, indicator
from tests.intel.taxii.conftest import Ask
from tests.intel.taxii.test_endpoints import add


@pytest.mark.parametrize(
    "odd", ["9" * 5_000, "1e999", "-1e999", "NaN", "123456789012345678901234567890", '"\\ud800"']
)
def test_one_number_that_nobody_can_read_keeps_no_other_object_away(
    tmp_path: Path, odd: str
) -> None:
    answer = f'{{"objects": [{{"id": "a", "x": {odd}}}, {{"id": "b"}}]}}'
    found = lenient(answer.encode())
    batch = Batch(collection="https://a/", number=1, objects=found["objects"])
    written = into_folder(tmp_path)(batch)
    assert read_objects(written.read_bytes())[1] == {"id": "b"}


@pytest.mark.parametrize("bounds", [Bounds(bytes_per_day=4_000)])
def test_who_adds_too_many_bytes_in_a_day_adds_nothing_more(
    ask: Ask, at: str, bounds: Bounds
) -> None:
    large = indicator(1) | {"description": "x" * 3_000}
    assert add(ask, at, large).status == 202
    refused = add(ask, at, indicator(2) | {"description": "x" * 3_000})
    assert (refused.status, "taxii-bytes" in refused.json["description"]) == (429, True)
    assert add(ask, at, indicator(3), who=OTHER).status == 202
