"""Set-up: what is missing is named in one line, and nothing half-made passes for whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


def sh(script: str, *arguments: object, cwd: Path | None = None) -> tuple[int, str]:
    """Exit status and standard error of a script in tools/."""
    done = subprocess.run(
        ["sh", str(TOOLS / script), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def fake_python(tmp_path: Path) -> Path:
    """An executable that answers as the body tells it."""
    path = tmp_path / "fake-python"
    path.touch(mode=0o755)
    return path


def test_a_python_with_everything_is_welcome() -> None:
    assert sh("prerequisites.sh", sys.executable) == (0, "")


def test_a_missing_python_is_named_in_one_line_with_the_remedy() -> None:
    status, said = sh("prerequisites.sh", "python9")
    assert status == 2
    assert said.count("\n") == 1
    assert "'python9' is missing" in said
    assert "apt-get install python3 python3-venv make" in said


@pytest.mark.parametrize(
    ("lacks", "message"),
    [("version_info", "Python 3.9.2 is too old"), ("venv", "the venv module is missing")],
)
def test_a_python_that_will_not_do_is_named_in_one_line(
    fake_python: Path, lacks: str, message: str
) -> None:
    fake_python.write_text(
        f'#!/bin/sh\ncase "$*" in --version) echo Python 3.9.2;; *{lacks}*) exit 1;; esac\n'
    )
    status, said = sh("prerequisites.sh", fake_python)
    assert status == 2
    assert said.count("\n") == 1
    assert message in said


def test_an_environment_that_could_not_be_made_leaves_nothing(
    fake_python: Path, tmp_path: Path
) -> None:
    fake_python.write_text(
        '#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p "$3/bin"; touch "$3/bin/python"; exit 1; fi\n'
    )
    status, said = sh("setup.sh", fake_python, tmp_path / "venv", "none.txt")
    assert status == 2
    assert "could not be made" in said
    assert not (tmp_path / "venv").exists()


def test_a_half_made_environment_is_made_again_and_a_failed_install_is_named(
    tmp_path: Path,
) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch(mode=0o755)
    (tmp_path / "requirements.txt").touch()
    assert sh("setup.sh", sys.executable, venv, tmp_path / "requirements.txt") == (0, "")
    assert (venv / "bin" / "pip").exists()
    (tmp_path / "requirements.txt").write_text("no-hash==1\n")
    status, said = sh("setup.sh", sys.executable, venv, tmp_path / "requirements.txt")
    assert status == 2
    assert "not every package could be installed" in said.splitlines()[-1]
