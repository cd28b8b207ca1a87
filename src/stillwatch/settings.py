"""``stillwatch.yaml`` → sections that know their line numbers.

This file does not know what a section means: the room of that name checks it with
:meth:`Section.take`, so that a wrong key is reported by the one who would have read it, with the
line it stands on. Scalars follow YAML 1.1 as PyYAML's safe loader resolves them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from stillwatch.errors import SettingsError

__all__ = ["Section", "read_settings"]

T = TypeVar("T")
_REQUIRED: Any = object()


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
        value, line = self._entries[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return cast(T, float(value))
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise SettingsError(
                f"'{self.name}.{key}' must be {_named(kind)}, not {value!r}",
                path=self.path,
                line=line,
            )
        return value

    def section(self, key: str) -> Section:
        """The mapping under `key`; an empty section where the file has none."""
        self._known.add(key)
        value, line = self._entries.get(key, (None, self.line))
        if value is None:
            return Section(self.path, f"{self.name}.{key}".lstrip("."), line, {})
        if not isinstance(value, Section):
            raise SettingsError(
                f"'{key}' must be a mapping, not {value!r}", path=self.path, line=line
            )
        return value

    def line_of(self, key: str) -> int:
        """The line on which `key` stands, or that of the section."""
        return self._entries[key][1] if key in self._entries else self.line

    def finish(self) -> None:
        """Refuse every key that no :meth:`take` or :meth:`section` asked for."""
        for key in self._entries.keys() - self._known:
            close = difflib.get_close_matches(key, self._known, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            known = ", ".join(sorted(self._known)) or "nothing"
            where = f"section '{self.name}'" if self.name else "the file"
            raise SettingsError(
                f"{where} has no setting '{key}'{hint} (it knows: {known})",
                path=self.path,
                line=self._entries[key][1],
            )


def read_settings(path: Path | None) -> Section:
    """Read the file at `path`; without one, every section is empty.

    Raises:
        SettingsError: missing, not YAML, not UTF-8, a key twice, or no mapping at the top.
    """
    if path is None:
        return Section("stillwatch.yaml", "", 0, {})
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot read the settings: {error.strerror}; name a file with --settings", path=path
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError("the settings are not UTF-8", path=path) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SettingsError(f"not YAML: {error.problem}", path=path, line=line) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"not YAML: {error}", path=path) from error
    if node is None:
        return Section(str(path), "", 1, {})
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError("the top of the file must be a mapping of sections", path=path, line=1)
    return _section(str(path), "", node)


def _section(path: str, name: str, node: yaml.MappingNode) -> Section:
    entries: dict[str, tuple[Any, int]] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str):
            raise SettingsError("a key must be a plain word", path=path, line=line)
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
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(
            f"'{name}' has a value that YAML cannot read: {error}",
            path=path,
            line=node.start_mark.line + 1,
        ) from error


def _named(kind: type[object]) -> str:
    names: dict[type[object], str] = {
        int: "a whole number",
        float: "a number",
        str: "a text",
        bool: "true or false",
        list: "a list",
    }
    return names.get(kind, kind.__name__)
