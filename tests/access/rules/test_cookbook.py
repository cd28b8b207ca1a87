"""The rules of the documentation are rules, and do what the pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stillwatch.access.casebook import read_cases, run, unmatched
from stillwatch.access.reading import read_access_file
from stillwatch.access.trying import trial_view

DOCS = Path(__file__).parents[3] / "docs"
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    return YAML.findall((DOCS / page).read_text())


def as_they_say(tmp_path: Path, text: str) -> list[str]:
    """Run the cases of a text on its rules, and list what differs."""
    before, mark, after = text.partition("cases:\n")
    rules, cases = tmp_path / "rules.yaml", tmp_path / "cases.yaml"
    rules.write_text(before)
    cases.write_text(mark + after)
    access = read_access_file(rules)
    read, view = access.rules, trial_view(access)
    outcomes = run(read_cases(cases, read, view), read, view)
    assert unmatched(outcomes, read) == ()
    return [difference for each in outcomes for difference in each.differences]


def test_there_are_ten_rules() -> None:
    assert len(blocks("access-cookbook.md")) == 10


@pytest.mark.parametrize("number", range(10))
def test_a_rule_of_the_cookbook_does_what_its_cases_say(tmp_path: Path, number: int) -> None:
    assert as_they_say(tmp_path, blocks("access-cookbook.md")[number]) == []


def test_the_cases_of_the_page_on_rules_hold(tmp_path: Path) -> None:
    rules, cases, rest = blocks("rules.md")
    assert as_they_say(tmp_path, rules + cases) == []
    (tmp_path / "rest.yaml").write_text(rest + rules)
    assert "research" in read_access_file(tmp_path / "rest.yaml").levels


def test_the_settings_of_the_page_on_places_are_read(tmp_path: Path) -> None:
    (text,) = blocks("places.md")
    for name in ("country.mmdb", "tor-exits.txt"):
        (tmp_path / name).touch()
    (tmp_path / "rules.yaml").write_text(text)
    places = read_access_file(tmp_path / "rules.yaml").places
    assert places.country_mmdb == tmp_path / "country.mmdb"
    assert places.lists == {"vpn": (tmp_path / "tor-exits.txt",)}


def test_the_rules_of_the_page_on_replays_are_read(tmp_path: Path) -> None:
    (text,) = blocks("replay.md")
    (tmp_path / "rules.yaml").write_text(text)
    assert len(read_access_file(tmp_path / "rules.yaml").rules.rules) == 3
