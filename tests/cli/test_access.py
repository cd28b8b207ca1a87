"""`stillwatch access` checks rules, tests them against cases, and lists what they may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.access import FACTS
from tests.cli.running import run

RULES = """\
rules:
  - {id: vpn, when: "asn_class in ['vpn', 'unknown']", deny: true, reason: x}
  - {id: many, when: n > 2, slow: 1, reason: x, shadow: true}
"""
CASES = """\
cases:
  - {name: a vpn, request: {asn_class: vpn}, expect: {matched: [vpn], decision: deny}}
  - {name: at home, request: {asn_class: isp, n: 3}, expect: {matched: [], shadow: [many]}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def cases(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    return path


def test_cases_that_come_out_as_expected_end_with_0(tmp_path: Path, rules: Path) -> None:
    ended = run("access", "test", rules, cases(tmp_path, CASES))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "    case     decision  rules",
        "ok  a vpn    deny      vpn",
        "ok  at home  allow     (many)",
        "2 of 2 cases are as expected",
    ]


def test_a_case_that_differs_ends_with_2_and_is_explained(tmp_path: Path, rules: Path) -> None:
    text = CASES.replace("matched: [vpn], decision: deny", "matched: [], decision: allow")
    ended = run("access", "test", rules, cases(tmp_path, text))
    assert ended.returncode == 2
    assert "DIFFERS  a vpn" in ended.stdout
    assert "matched: expected none, got vpn; decision: expected allow, got deny" in ended.stdout
    assert "1 of 2 cases are as expected" in ended.stdout


def test_a_rule_that_no_case_makes_match_is_named(tmp_path: Path, rules: Path) -> None:
    ended = run("access", "test", rules, cases(tmp_path, CASES.replace("n: 3", "n: 2").replace(
        "[many]", "[]")))  # fmt: skip
    assert ended.returncode == 0
    assert "no case makes these rules match: many" in ended.stdout


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("rules:\n  - {id: a, when: tier == 1, deny: true, reason: x}\n",
         "rules.yaml:2: rule 'a': tier is a text"),
        ("rulse: []\n", "rules.yaml:1: the file has no setting 'rulse'; did you mean 'rules'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["test", "check"])
def test_a_mistake_in_the_rules_ends_with_2_and_its_line(
    tmp_path: Path, rules: Path, command: str, broken: str, message: str
) -> None:
    rules.write_text(broken)
    others = [cases(tmp_path, CASES)] if command == "test" else []
    ended = run("access", command, rules, *others)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "[SW200]" in ended.stderr


def test_a_mistake_in_the_cases_ends_with_2_and_its_line(tmp_path: Path, rules: Path) -> None:
    ended = run("access", "test", rules, cases(tmp_path, CASES.replace("asn_class: vpn", "vpn: 1")))
    assert ended.returncode == 2
    assert "cases.yaml:2: there is no fact 'vpn'" in ended.stderr


def test_a_file_that_is_missing_ends_with_2(tmp_path: Path, rules: Path) -> None:
    ended = run("access", "test", rules, tmp_path / "absent.yaml")
    assert ended.returncode == 2
    assert "absent.yaml" in ended.stderr


def test_check_counts_what_it_has_read(rules: Path) -> None:
    ended = run("access", "check", rules)
    assert ended.returncode == 0
    assert "2 rules (1 in shadow mode), 1 levels" in ended.stdout


def test_names_lists_every_fact_with_its_type() -> None:
    lines = run("access", "names").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[f.name, f.type] for f in FACTS.values()]
