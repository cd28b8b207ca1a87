"""The page about the simulator names every kind, family and preset, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stillwatch.lab.traffic import FAMILIES, KINDS, PRESETS, Scenario

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_kind_is_in_the_table_with_its_share() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| ([\d.]+) % \|", section("Innocent kinds"), re.MULTILINE)
    )
    total = sum(kind.share for kind in KINDS.values())
    assert rows.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        assert float(rows[name]) == pytest.approx(100 * kind.share / total, abs=1.0)


def test_every_family_is_in_the_table_with_its_tiers() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", section("Attacks"), re.MULTILINE))
    assert rows.keys() == FAMILIES.keys()
    for name, family in FAMILIES.items():
        assert tuple(re.findall(r"\b(T\d): ", rows[name])) == family.tiers


def test_every_preset_is_in_the_table() -> None:
    first_cells = re.findall(r"^\| (`.*?) \|", section("Presets"), re.MULTILINE)
    assert set(re.findall(r"`([\w-]+)`", " ".join(first_cells))) == set(PRESETS)


def test_the_example_of_a_scenario_is_one() -> None:
    example = section("Your own scenario").partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {}
    exec(example.partition("for batch in")[0], names)
    assert isinstance(names["scenario"], Scenario)


def test_kinds_that_share_texts_say_so_on_the_page() -> None:
    said = section("Innocent kinds").partition("Kinds that share on purpose:")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", said)) == {n for n, k in KINDS.items() if k.repeats}
