"""Each direct dependency is declared once for pip and once for the lock, with its reason."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
BUILD = {"hatchling", "editables"}  # what the editable install needs, not what the package does


def declared(file: str) -> set[str]:
    """The requirements of a .in file, without comments and constraints."""
    lines = (PROJECT / "requirements" / file).read_text().splitlines()
    return {line for line in lines if line and line[0] not in "#-"}


def names(requirements: set[str]) -> set[str]:
    return {Requirement(line).name for line in requirements}


def reasons(heading: str) -> dict[str, str]:
    """package → why it is needed, from one table of docs/dependencies.md."""
    page = (PROJECT / "docs" / "dependencies.md").read_text()
    table = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| ([a-z0-9-]+) \| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE))


def test_the_package_and_the_lock_ask_for_the_same() -> None:
    package = set(PYPROJECT["project"]["dependencies"])
    assert {r for r in declared("core.in") if Requirement(r).name not in BUILD} == package


def test_the_development_group_asks_for_the_checks_and_the_build() -> None:
    build = {r for r in declared("core.in") if Requirement(r).name in BUILD}
    assert set(PYPROJECT["dependency-groups"]["dev"]) == declared("dev.in") | build


@pytest.mark.parametrize(
    ("heading", "file"), [("Core", "core.in"), ("Checks", "dev.in"), ("Proof", "proof.in")]
)
def test_every_direct_dependency_has_its_reason(heading: str, file: str) -> None:
    assert reasons(heading).keys() - {"package"} == names(declared(file))


def test_the_page_names_the_litellm_that_is_tested() -> None:
    (tested,) = map(Requirement, declared("litellm.in"))
    page = (PROJECT / "docs" / "litellm.md").read_text()
    assert f"LiteLLM {str(tested.specifier).removeprefix('==')};" in page


@pytest.mark.parametrize("file", ["core.txt", "dev.txt", "litellm.txt", "proof.txt"])
def test_every_locked_version_has_hashes_and_no_address(file: str) -> None:
    text = (PROJECT / "requirements" / file).read_text()
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert pins
    assert all("==" in pin.splitlines()[0] and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in text
