"""Prose to train on: the documentation strings of Python's own library and of installed packages.

Nothing is fetched: what is read belongs to the environment that the proof runs in, whose versions
are locked. The order is that of the paths, and a document, which is one source file, belongs to one
part only, by a digest of its path: the teacher, its student and the test never share a document.
"""

from __future__ import annotations

import ast
import re
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

__all__ = ["PACKAGES", "Document", "Part", "documents", "part_of"]

Part = Literal["teacher", "base", "prompts", "fresh"]

PACKAGES: Final = ("torch", "scipy", "sympy", "pandas", "networkx", "numpy", "sqlalchemy", "numba")
"""The packages whose documentation is read, beside Python's own library."""

#: sixteenths of the documents
_PARTS: Final[tuple[tuple[int, Part], ...]] = (
    (8, "teacher"),
    (11, "base"),
    (13, "prompts"),
    (16, "fresh"),
)
_SHORTEST: Final = 160
_BLOCKS: Final = re.compile(r"\n[ \t]*\n")
_DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Document:
    """The documentation strings of one source file, in its order, without their examples."""

    path: str
    text: str


def part_of(path: str) -> Part:
    """Which part the document with this path belongs to."""
    sixteenth = blake2b(path.encode(), digest_size=1).digest()[0] % 16
    return next(part for end, part in _PARTS if sixteenth < end)


def documents(packages: Sequence[str] = PACKAGES, *, library: bool = True) -> Iterator[Document]:
    """The documents of these packages, and of Python's own library before them.

    A string that an earlier document has is left out, for much documentation is inherited.

    Raises:
        FileNotFoundError: a package that is not installed.
    """
    met: set[str] = set()
    if library:
        root = Path(sysconfig.get_path("stdlib"))
        yield from _of(root, root, met, skip="site-packages")
    root = Path(sysconfig.get_path("purelib"))
    for package in packages:
        if not (root / package).is_dir():
            raise FileNotFoundError(f"the package {package} is not installed")
        yield from _of(root / package, root, met)


def _of(folder: Path, root: Path, met: set[str], skip: str | None = None) -> Iterator[Document]:
    """The documents below a folder; `met` gathers the strings that were there already."""
    for path in sorted(folder.rglob("*.py")):
        if skip in path.parts:
            continue
        fresh = []
        for text in _strings(path):
            if len(text) >= _SHORTEST and text not in met:
                met.add(text)
                fresh.append(text)
        if fresh:
            yield Document(path.relative_to(root).as_posix(), "\n\n".join(fresh))


def _strings(path: Path) -> Iterator[str]:
    """The documentation strings of a source file, without blocks that hold an example."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sources that are not ours
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, _DESCRIBED):
            said = ast.get_docstring(node) or ""
            blocks = (block.rstrip() for block in _BLOCKS.split(said))
            yield "\n\n".join(block for block in blocks if block and ">>>" not in block)
