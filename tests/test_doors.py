"""The doors between rooms: imports go down, and light rooms stay light."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LIGHT_ROOMS = ("access", "watermark")
HEAVY_MODULES = ("duckdb", "ibis", "pyarrow", "starlette")


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    """Run the contract of `project`/pyproject.toml on `project`/src."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=project,
        env={"PYTHONPATH": str(project / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(project: Path, tmp_path: Path) -> Path:
    """A copy of the contract, over a house whose rooms hold nothing yet."""
    shutil.copy(project / "pyproject.toml", tmp_path)
    for room in (
        "events",
        "ledger",
        "sketches",
        "engines",
        "sources",
        "detections",
        "campaigns",
        "cases",
        "cli",
    ):
        folder = tmp_path / "src" / "stillwatch" / room
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    for file in ("__init__", "__main__", "exchange", "errors", "durable", "key_files", "settings"):
        (tmp_path / "src" / "stillwatch" / f"{file}.py").touch()
    return tmp_path


def test_an_empty_house_keeps_the_doors(house: Path) -> None:
    result = lint(house)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("room", "imports"),
    [
        ("events/__init__.py", "engines"),
        ("engines/__init__.py", "sources"),
        ("sketches/__init__.py", "events"),
        ("ledger/__init__.py", "events"),
        ("campaigns/__init__.py", "cli"),
        ("campaigns/__init__.py", "cases"),
        ("errors.py", "events"),
        ("durable.py", "ledger"),
    ],
)
def test_an_import_upwards_or_sideways_breaks_them(house: Path, room: str, imports: str) -> None:
    planted = house / "src" / "stillwatch" / room
    planted.write_text(f"import stillwatch.{imports}\n")
    result = lint(house)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"-> stillwatch.{imports}" in result.stdout


def test_a_room_that_the_contract_does_not_know_breaks_them(house: Path) -> None:
    (house / "src" / "stillwatch" / "attic.py").touch()
    result = lint(house)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "attic" in result.stdout


@pytest.mark.parametrize("room", ["cli", *LIGHT_ROOMS])
def test_importing_a_light_room_alone_loads_nothing_heavy(project: Path, room: str) -> None:
    if not (project / "src" / "stillwatch" / room).exists():
        assert room in LIGHT_ROOMS, "planned: the rule waits for the room"
        return
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, stillwatch.{room}; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert [name for name in HEAVY_MODULES if name in loaded] == []
