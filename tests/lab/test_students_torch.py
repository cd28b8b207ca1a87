"""Torch is an extra: whoever does not train students never meets it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import stillwatch

SOURCE = Path(stillwatch.__file__).parent


def imported(path: Path) -> set[str]:
    """The packages that a module imports when it is loaded."""
    found = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_only_students_and_hooks_of_engines_import_torch() -> None:
    those = {p for p in SOURCE.rglob("*.py") if imported(p) & {"torch", "tokenizers"}}
    rooms = {p.parent.relative_to(SOURCE).as_posix() for p in those}
    assert rooms == {"lab/students", "watermark/hooks"}
    assert SOURCE / "lab" / "students" / "transformer.py" in those


def test_count_models_load_without_it() -> None:
    script = "import sys, stillwatch.lab.students; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert said.stdout == b"False\n"
