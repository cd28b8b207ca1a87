"""The section ``gateway: binding`` of the settings."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stillwatch.errors import SettingsError
from stillwatch.settings import Section

__all__ = ["BindingSettings", "read_binding"]


class BindingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`key_file` makes wrappers (``None``: the state folder's own), `old_key_files` only open them;
    a wrapper is good for `days`. Without `issue` none are made."""

    key_file: Path | None = None
    old_key_files: tuple[Path, ...] = ()
    days: float = 30.0
    issue: bool = True


def read_binding(section: Section) -> BindingSettings:
    """Read the section; files are named from where the settings stand.

    Raises:
        SettingsError: with the line, what is wrong there.
    """
    folder = Path(section.path).parent
    name = section.take("key_file", str, "")
    old = section.take("old_key_files", list, [])
    days = section.take("days", float, 30.0)
    issue = section.take("issue", bool, True)
    section.finish()
    if not all(isinstance(each, str) and each for each in old):
        raise _wrong(section, "old_key_files", "'old_key_files' must be a list of files")
    if not days > 0:
        raise _wrong(section, "days", "'days' must be more than 0")
    return BindingSettings(
        key_file=folder / name if name else None,
        old_key_files=tuple(folder / each for each in old),
        days=days,
        issue=issue,
    )


def _wrong(section: Section, key: str, message: str) -> SettingsError:
    return SettingsError(message, path=section.path, line=section.line_of(key))
