"""Source files → functions with the comment that documents them, in fifteen languages."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

__all__ = ["LANGUAGES", "functions"]

_SHORTEST, _LONGEST, _LINES = 220, 1800, 55  # characters and lines of a snippet

#: suffix → language
LANGUAGES = {
    ".py": "Python", ".js": "JavaScript", ".mjs": "JavaScript", ".ts": "TypeScript",
    ".go": "Go", ".rs": "Rust", ".rb": "Ruby", ".php": "PHP", ".java": "Java", ".kt": "Kotlin",
    ".swift": "Swift", ".c": "C", ".h": "C++", ".hpp": "C++", ".cpp": "C++", ".lua": "Lua",
    ".sql": "SQL", ".sh": "shell", ".bash": "shell", "": "shell",
}  # fmt: skip

_COMMENT = re.compile(r"^\s*(///?|\*|/\*|#(?!!)|--)")
_ATTRIBUTE = re.compile(r"^\s*(@\w|#\[|\[)")
_BRACE_HEAD = re.compile(r"\)[^;{}()]*\{\s*$|^\s*(impl|struct|enum|trait|class)\b.*\{\s*$")
_NO_HEAD = re.compile(r"^\s*(if|for|while|switch|else|catch|return|describe|it|test)\b")
_END_HEADS = {"Ruby": re.compile(r"^\s*def "), "Lua": re.compile(r"^\s*(local )?function\b")}
_SQL_HEAD = re.compile(
    r"^\s*(create\b.*\b(function|table|view|aggregate|type)\b|\{%-?\s*macro)", re.IGNORECASE
)


def functions(path: Path) -> Iterator[str]:
    """The documented functions of one file, each dedented and of a size that people paste."""
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return
    language = LANGUAGES.get(path.suffix)
    if language == "Python":
        found = _python(text)
    elif language == "shell" and not (path.suffix or re.match(r"#!.*\b(ba|z)?sh\b", text)):
        return
    else:
        found = _blocks(text.splitlines(), language or "")
    for snippet in found:
        if _SHORTEST <= len(snippet) <= _LONGEST and snippet.count("\n") < _LINES:
            yield snippet


def _python(text: str) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            yield textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))


def _blocks(lines: list[str], language: str) -> Iterator[str]:
    """Runs of comment lines that a definition follows, with that definition."""
    for start, line in enumerate(lines):
        if _COMMENT.match(line) and (start == 0 or not _COMMENT.match(lines[start - 1])):
            head = start
            while head < len(lines) and (
                _COMMENT.match(lines[head]) or _ATTRIBUTE.match(lines[head])
            ):
                head += 1
            end = _end(lines, head, language) if head < len(lines) else None
            if end is not None:
                yield textwrap.dedent("\n".join(lines[start : end + 1]))


def _end(lines: list[str], head: int, language: str) -> int | None:
    """The last line of the definition that starts at `head`; None where none starts."""
    first = lines[head]
    if language in _END_HEADS:
        if not _END_HEADS[language].match(first):
            return None
        indent = first[: len(first) - len(first.lstrip())]
        return _find(lines, head + 1, lambda line: line.rstrip() == indent + "end")
    if language == "SQL":
        if not _SQL_HEAD.match(first):
            return None
        macro = "macro" in first.split("(")[0]
        stop = re.compile(r"\{%-?\s*endmacro" if macro else r";\s*$")
        return _find(lines, head, lambda line: stop.search(line) is not None)
    opening = next((i for i in range(head, min(head + 6, len(lines))) if "{" in lines[i]), None)
    if opening is None or not _BRACE_HEAD.search(lines[opening]) or _NO_HEAD.match(first):
        return None
    depth = 0
    for at in range(head, min(head + _LINES, len(lines))):
        depth += lines[at].count("{") - lines[at].count("}")
        if at >= opening and depth <= 0:
            return at
    return None


def _find(lines: list[str], start: int, stops: object) -> int | None:
    assert callable(stops)
    return next((i for i in range(start, min(start + _LINES, len(lines))) if stops(lines[i])), None)
