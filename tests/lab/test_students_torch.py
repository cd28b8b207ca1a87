"""Torch is an extra: whoever does not train students never meets it."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import stillwatch
import stillwatch.lab.students  # loads without torch, which this environment has not

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


def test_only_students_import_torch() -> None:
    assert find_spec("torch") is None
    those = {p for p in SOURCE.rglob("*.py") if imported(p) & {"torch", "tokenizers"}}
    assert {p.parent.relative_to(SOURCE).as_posix() for p in those} == {"lab/students"}
    assert SOURCE / "lab" / "students" / "transformer.py" in those
