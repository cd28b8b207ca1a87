"""``stillwatch.yaml`` → sections that know their line numbers.

This file does not know what a section means: the room of that name checks it with
:meth:`Section.take`, so that a wrong key is reported by the one who would have read it, with the
line it stands on. Plain scalars follow the core schema of YAML 1.2: ``NO`` is a text (and may be a
country), ``1:30`` is a text, ``010`` is ten. Tags, anchors and aliases are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from stillwatch.errors import SettingsError

__all__ = ["Section", "read_settings"]

T = TypeVar("T")
_REQUIRED: Any = object()
_TEXT_TAG = "tag:yaml.org,2002:str"
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_KINDS: dict[type[object], str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    list: "a list",
}


class Section:
    """A mapping of the file. Every value is taken once; what nobody took is an error."""

    def __init__(
        self, path: str, name: str, line: int, entries: dict[str, tuple[Any, int]]
    ) -> None:
        self.path, self.name, self.line = path, name, line
        self._entries = entries
        self._known: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __repr__(self) -> str:
        return f"a mapping of {', '.join(self._entries) or 'nothing'}"

    def take(self, key: str, kind: type[T], default: T = _REQUIRED) -> T:
        """The value of `key`, checked to be of `kind` (an int passes for a float).

        Raises:
            SettingsError: it is missing without a default, or of another type.
        """
        self._known.add(key)
        if key not in self._entries:
            if default is _REQUIRED:
                raise SettingsError(
                    f"section '{self.name}' needs '{key}'", path=self.path, line=self.line
                )
            return default
        value, _ = self._entries[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return cast(T, float(value))
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self._mismatch(key, _KINDS.get(kind, kind.__name__))
        return value

    def section(self, key: str) -> Section:
        """The mapping under `key`; an empty section where the file has none.

        Raises:
            SettingsError: there is something else under `key`.
        """
        self._known.add(key)
        value, line = self._entries.get(key, (None, self.line))
        if value is None:
            return Section(self.path, self._full(key), line, {})
        if not isinstance(value, Section):
            raise self._mismatch(key, "a mapping")
        return value

    def line_of(self, key: str) -> int:
        """The line on which `key` stands, or that of the section."""
        return self._entries[key][1] if key in self._entries else self.line

    def finish(self) -> None:
        """Refuse the first key that no :meth:`take` or :meth:`section` asked for.

        Raises:
            SettingsError: with the line of the key, and the known key that looks most like it.
        """
        for key, (_, line) in self._entries.items():
            if key in self._known:
                continue
            close = difflib.get_close_matches(key, self._known, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            known = ", ".join(sorted(self._known)) or "nothing"
            where = f"section '{self.name}'" if self.name else "the file"
            raise SettingsError(
                f"{where} has no setting '{key}'{hint} (it knows: {known})",
                path=self.path,
                line=line,
            )

    def _full(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def _mismatch(self, key: str, wanted: str) -> SettingsError:
        value, line = self._entries[key]
        found = "but nothing follows it" if value is None else f"not {value!r}"
        message = f"'{self._full(key)}' must be {wanted}, {found}"
        return SettingsError(message, path=self.path, line=line)


def read_settings(path: Path | None) -> Section:
    """Read the file at `path`; without one, every section is empty.

    Raises:
        SettingsError: missing, not YAML, not UTF-8, a key twice, or no mapping at the top.
    """
    if path is None:
        return Section("stillwatch.yaml", "", 0, {})
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(
            f"cannot read the settings: {error.strerror}; name a file with --settings", path=path
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError("the settings are not UTF-8", path=path) from error
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None or _is_nothing(node):
            return Section(str(path), "", 1, {})
        if not isinstance(node, yaml.MappingNode):
            raise SettingsError(
                "the top of the file must be a mapping of sections", path=path, line=1
            )
        return _section(str(path), "", node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SettingsError(f"not YAML: {error.problem}", path=path, line=line) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"not YAML: {error}", path=path) from error
    except RecursionError as error:
        raise SettingsError("the settings are nested too deeply", path=path) from error


class _Loader(yaml.BaseLoader):
    """Leaves every scalar a text, so that :func:`_scalar` alone decides what it means."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            raise yaml.composer.ComposerError(
                None, None, f"anchors and aliases ('{anchor}') are not supported", event.start_mark
            )
        return super().compose_node(parent, index)


def _is_nothing(node: yaml.Node) -> bool:
    return (
        isinstance(node, yaml.ScalarNode)
        and (node.tag, node.style) == (_TEXT_TAG, None)
        and node.value in _WORDS
        and _WORDS[node.value] is None
    )


def _section(path: str, name: str, node: yaml.MappingNode) -> Section:
    entries: dict[str, tuple[Any, int]] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise SettingsError("a key must be a plain word", path=path, line=line)
        key = key_node.value
        if key in entries:
            raise SettingsError(
                f"'{key}' is set twice, first on line {entries[key][1]}", path=path, line=line
            )
        entries[key] = (_value(path, f"{name}.{key}".lstrip("."), value_node), line)
    return Section(path, name, node.start_mark.line + 1, entries)


def _value(path: str, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _section(path, name, node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(path, f"{name}[{i}]", item) for i, item in enumerate(node.value)]
    try:
        return _scalar(cast(yaml.ScalarNode, node))
    except ValueError as error:
        raise SettingsError(
            f"'{name}' has a value that cannot be read: {error}",
            path=path,
            line=node.start_mark.line + 1,
        ) from error


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    if node.tag != _TEXT_TAG:
        raise ValueError(f"tags such as '{node.tag}' are not supported")
    text: str = node.value
    if node.style is not None:  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text
