"""Licences: nothing in the core, and no data that ships, binds whoever uses Stillwatch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "src" / "stillwatch"
DATA = PACKAGE / "lab" / "data"
DATA_SUFFIXES = (
    ".arrow", ".bin", ".csv", ".gz", ".json", ".jsonl", ".npy", ".npz", ".parquet", ".toml",
    ".tsv", ".txt", ".xz", ".zst",
)  # fmt: skip
DATA_LIMIT = 10_000_000  # bytes, in all

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT",
    "MIT-0", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
    "Apache-2.0 WITH LLVM-exception",
    # libgfortran, linked into numpy and scipy: the exception lets programs that use it be anything
    "GPL-3.0-or-later WITH GCC-exception-3.1",
}  # fmt: skip
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD-3-Clause",
}
GRANT = re.compile(r"under\s+the\s+terms\s+of\s+the\s+GNU\s+(?:\w+\s+){0,2}Public\s+License")
EXCEPTION = re.compile(r"GCC\s+Runtime\s+Library\s+Exception")
NON_COMMERCIAL = re.compile(
    r"Commons Clause|Server Side Public License|Business Source License|"
    r"Attribution-NonCommercial|non-?commercial (?:use|purposes) only",
    re.IGNORECASE,
)
LICENCE_FILE = re.compile(r"licen[sc]e|copying", re.IGNORECASE)


def allows(expression: str) -> bool:
    """Whether an SPDX expression leaves us a choice that is allowed (OR binds weaker than AND)."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)

    def either() -> bool:
        result = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            result = both() or result
        return result

    def both() -> bool:
        result = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            result = one() and result
        return result

    def one() -> bool:
        name = tokens.pop(0)
        if name == "(":
            result = either()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            name = f"{name} {tokens.pop(0)} {tokens.pop(0)}"
        return name in ALLOWED

    return either() and not tokens


def stated(package: Distribution) -> str | None:
    """The licence that the metadata names, as an SPDX expression, or None."""
    fields = package.metadata
    if expression := fields.get("License-Expression"):
        return str(expression)
    classifiers = [
        c.rpartition(" :: ")[2]
        for c in fields.get_all("Classifier") or []
        if c.startswith("License :: ") and c != "License :: OSI Approved"
    ]
    if classifiers:
        return " AND ".join(CLASSIFIERS.get(c, re.sub(r"\W+", "-", c)) for c in classifiers)
    name = (fields.get("License") or "").strip()
    return NAMES.get(name.lower(), name if name in ALLOWED else None)


def texts(package: Distribution) -> Iterator[tuple[str, str]]:
    for file in package.files or []:
        if LICENCE_FILE.search(file.name) and file.suffix in ("", ".txt", ".md", ".rst"):
            yield str(file), Path(str(file.locate())).read_text(errors="replace")


def complaints(package: Distribution) -> list[str]:
    """What forbids `package` in the core; empty when nothing does."""
    licence = stated(package)
    found = []
    if licence is None:
        found.append(f"{package.name}: states no licence that we know")
    elif not allows(licence):
        found.append(f"{package.name}: {licence} is not on the list of permissive licences")
    for name, text in texts(package):
        found += [f"{package.name}: {why} in {name}" for why in bindings(text)]
    return found


def bindings(text: str) -> list[str]:
    """What binds in a licence text: copyleft without an exception, or no commercial use."""
    found = []
    if GRANT.search(text) and not EXCEPTION.search(text):
        found.append("a GNU licence without an exception for linking")
    if match := NON_COMMERCIAL.search(text):
        found.append(match.group())
    return found


def needed_by(name: str, seen: set[str]) -> set[str]:
    """The names of `name`'s installed dependencies, and theirs; extras that are asked for too."""
    todo = [(name, "")]
    done = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in done:
            continue
        done.add((name, extra))
        for line in distribution(name).requires or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                child = canonicalize_name(need.name)
                seen.add(child)
                todo += [(child, ""), *((child, e) for e in need.extras)]
    return seen


def locked() -> set[str]:
    """The names that requirements/core.txt pins for this platform."""
    lines = (PROJECT / "requirements" / "core.txt").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    return {canonicalize_name(p.name) for p in pins if p.marker is None or p.marker.evaluate()}


CORE = sorted(needed_by("stillwatch", set()) | locked())
INSTALLED = {canonicalize_name(d.name): d for d in distributions()}


def test_the_lock_pins_everything_that_the_core_needs() -> None:
    assert needed_by("stillwatch", set()) - locked() == set()


@pytest.mark.parametrize("name", CORE)
def test_a_dependency_of_the_core_is_permissive(name: str) -> None:
    assert complaints(INSTALLED[name]) == []


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True), ("GPL-3.0-or-later", False), ("Apache-2.0 OR GPL-2.0-only", True),
        ("MIT AND GPL-2.0-only", False), ("(MIT OR GPL-2.0-only) AND Zlib", True),
        ("MIT AND (LGPL-2.1-or-later OR AGPL-3.0-only)", False), ("CC-BY-NC-4.0", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True), ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False), ("LGPL-3.0-only", False),
    ],
)  # fmt: skip
def test_an_expression_is_allowed_when_it_leaves_a_permissive_choice(
    expression: str, allowed: bool
) -> None:
    assert allows(expression) is allowed


@pytest.mark.parametrize(
    ("metadata", "text", "why"),
    [
        ("Classifier: License :: OSI Approved :: MIT License", "MIT", []),
        ("License: BSD License", "BSD", []),
        ("License-Expression: AGPL-3.0-only", "", ["is not on the list"]),
        ("Classifier: License :: OSI Approved :: GNU Affero GPL v3", "", ["GNU-Affero"]),
        ("Classifier: License :: Free for non-commercial use", "", ["non-commercial"]),
        ("License: see the file", "", ["states no licence"]),
        ("Home-page: nowhere", "", ["states no licence"]),
        (
            "License: MIT",
            "you can redistribute it under the terms of the GNU Lesser\nGeneral Public License",
            ["without an exception"],
        ),
        ("License: MIT", "Creative Commons Attribution-NonCommercial 4.0", ["NonCommercial"]),
    ],
)  # fmt: skip
def test_a_planted_package_is_judged_by_its_metadata_and_its_text(
    tmp_path: Path, metadata: str, text: str, why: list[str]
) -> None:
    folder = tmp_path / "planted-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: planted\nVersion: 1\n{metadata}\n"
    )
    (folder / "LICENSE.txt").write_text(text)
    (folder / "RECORD").write_text("planted-1.dist-info/LICENSE.txt,,\n")
    found = complaints(Distribution.at(folder))
    assert len(found) == len(why)
    assert all(expected in line for expected, line in zip(why, found, strict=True))


def uncovered(data: Path) -> list[str]:
    """What in the lab's data ships without its origin and licence: a folder a set, one index."""
    found = []
    for entry in sorted(data.iterdir()) if data.exists() else []:
        if entry.is_dir() and entry.name != "__pycache__":
            if not (entry / "SOURCE.txt").is_file():
                found.append(f"{entry.name}: SOURCE.txt is missing")
            if not any(p.stat().st_size > 100 for p in entry.glob("LICENSE*")):
                found.append(f"{entry.name}: the licence text is missing")
        elif entry.suffix not in (".py", ".md") and entry.name != "index.json":
            found.append(f"{entry.name}: stands outside of a set with SOURCE.txt and LICENSE")
    return found


def unexplained(package: Path) -> list[str]:
    """Data files of other rooms that name no origin, in themselves or in a SOURCE beside them."""
    found = []
    for path in sorted(package.rglob("*")):
        if path.suffix in DATA_SUFFIXES and path.is_file() and DATA not in path.parents:
            source = path.with_name("SOURCE")
            named = source.is_file() and path.name in source.read_text()
            tells = path.suffix == ".toml" and re.search(
                r'^source = "', path.read_text(), re.MULTILINE
            )
            if not (named or tells):
                found.append(str(path.relative_to(package)))
    return found


def size(package: Path) -> int:
    """Bytes of data in the whole package."""
    return sum(
        path.stat().st_size
        for path in package.rglob("*")
        if path.is_file() and (path.suffix in DATA_SUFFIXES or DATA in path.parents)
    )


def test_data_that_ships_has_its_source_and_licence_beside_it() -> None:
    assert uncovered(DATA) == []


def test_data_that_ships_is_small() -> None:
    assert 0 < size(PACKAGE) <= DATA_LIMIT


def test_planted_data_without_source_or_licence_is_noticed(tmp_path: Path) -> None:
    covered, bare = tmp_path / "covered", tmp_path / "bare"
    covered.mkdir()
    (covered / "SOURCE.txt").write_text("from somewhere")
    (covered / "LICENSE.txt").write_text("permission is hereby granted " * 10)
    bare.mkdir()
    (bare / "LICENSE").write_text("MIT")
    (tmp_path / "stray.parquet").touch()
    assert uncovered(tmp_path) == [
        "bare: SOURCE.txt is missing",
        "bare: the licence text is missing",
        "stray.parquet: stands outside of a set with SOURCE.txt and LICENSE",
    ]


def test_data_of_other_rooms_names_its_origin() -> None:
    assert unexplained(PACKAGE) == []


def test_planted_data_of_another_room_is_noticed_until_its_source_names_it(tmp_path: Path) -> None:
    (tmp_path / "model.npz").touch()
    assert unexplained(tmp_path) == ["model.npz"]
    (tmp_path / "SOURCE").write_text("another.npz: fitted by us")
    assert unexplained(tmp_path) == ["model.npz"]
    (tmp_path / "SOURCE").write_text("model.npz: fitted by us")
    assert unexplained(tmp_path) == []
