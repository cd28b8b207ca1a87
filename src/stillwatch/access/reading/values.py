"""Values of a section, checked one by one: lists, words from a closed set, numbers in a range."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stillwatch.access.checking import nearest
from stillwatch.errors import SettingsError
from stillwatch.settings import Section

__all__ = ["items", "number", "one_of", "said_once", "texts", "wrong"]


def wrong(section: Section, key: str, message: str) -> SettingsError:
    """A mistake on the line of `key`."""
    return SettingsError(message, path=section.path, line=section.line_of(key))


def items(section: Section, key: str) -> list[Section]:
    """The mappings of a list; an empty list where the file has none.

    Raises:
        SettingsError: it is no list of mappings.
    """
    found: list[Section] = []
    for item in section.take(key, list, []):
        if not isinstance(item, Section):
            raise wrong(section, key, f"'{key}' must be a list of mappings, but holds {item!r}")
        found.append(item)
    return found


def texts(section: Section, key: str, default: Iterable[str] = ()) -> frozenset[str]:
    """A list of texts that is not empty, or `default` where the file has none.

    Raises:
        SettingsError: it is empty, or holds something else.
    """
    if key not in section:
        section.take(key, list, [])
        return frozenset(default)
    found = section.take(key, list)
    for item in found:
        if not isinstance(item, str) or not item:
            raise wrong(
                section, key, f"'{section.name}.{key}' must be a list of texts, but holds {item!r}"
            )
    if not found:
        raise wrong(
            section, key, f"'{section.name}.{key}' is empty; leave it out, or name something"
        )
    return frozenset(found)


def one_of(section: Section, key: str, known: Iterable[str], default: Any = ...) -> str:
    """A word from a closed set; `default` where the file has none.

    Raises:
        SettingsError: it is missing without a default, or no word of the set.
    """
    words = list(known)
    value = section.take(key, str) if default is ... else section.take(key, str, default)
    if value not in words and (key in section or default is ...):
        raise wrong(
            section,
            key,
            f"'{section.name}.{key}' is {value!r}{nearest(value, words)}"
            f" (it is one of {', '.join(words)})",
        )
    return value


def number(section: Section, key: str, least: float, most: float | None = None) -> Any:
    """A number within its range (a whole one when `least` is).

    Raises:
        SettingsError: it is missing, of another type, or out of range.
    """
    value = section.take(key, type(least))
    if not value >= least or (most is not None and value > most) or value == float("inf"):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        raise wrong(section, key, f"'{section.name}.{key}' must be {bounds}, not {value}")
    return value


def said_once(section: Section, name: str, before: dict[str, int], what: str) -> str:
    """`name`, noted with its line in `before`.

    Raises:
        SettingsError: it was noted already; both lines are named.
    """
    if not name:
        raise SettingsError(f"{what} needs a name", path=section.path, line=section.line)
    if name in before:
        raise SettingsError(
            f"{what} {name!r} stands here again, first on line {before[name]}",
            path=section.path,
            line=section.line,
        )
    before[name] = section.line
    return name
