"""The section `watermark` of ``stillwatch.yaml``: which marks there are, and where their key is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from stillwatch.errors import SettingsError
from stillwatch.settings import Section, read_settings
from stillwatch.watermark.hooks.lookup import Marks, MarkSettings, Profile, Scheme
from stillwatch.watermark.keys import KeyRing
from stillwatch.watermark.prf import DEFAULT

__all__ = ["CONFIG", "marks_from_environment", "read_marks", "read_ring"]

#: The variable of the environment that names the settings file, as for the gateway.
CONFIG = "STILLWATCH_CONFIG"


def marks_from_environment() -> Marks:
    """The marks in the settings file that the variable :data:`CONFIG` names.

    Raises:
        SettingsError: no such variable, or the file is not as it should be.
        KeyFileError: the master key cannot be had.
    """
    path = os.environ.get(CONFIG)
    if not path:
        raise SettingsError(f"name the settings file in the variable {CONFIG} of the environment")
    return read_marks(Path(path))


def read_marks(path: Path) -> Marks:
    """The marks in the settings file at `path`.

    Raises:
        SettingsError: with the line; also if there are none.
        KeyFileError: the master key cannot be had.
    """
    section = read_settings(path).section("watermark")
    ring, marks = _ring(section), section.section("marks")
    settings = {name: _settings(marks.section(name)) for name in marks}
    section.finish()
    if not settings:
        raise SettingsError(
            "name at least one mark under 'watermark: marks'", path=path, line=section.line
        )
    try:
        return Marks(ring, settings)
    except ValueError as error:
        raise SettingsError(str(error), path=path, line=marks.line) from error


def read_ring(path: Path) -> KeyRing:
    """The keys alone; raises as :func:`read_marks`."""
    return _ring(read_settings(path).section("watermark"))


def _ring(section: Section) -> KeyRing:
    """A relative `key_file` is looked for beside the settings."""
    epoch = section.take("epoch", str)
    tenant = section.take("tenant", str, "")
    file = section.take("key_file", str, "")
    if not epoch:
        raise SettingsError(
            "'watermark.epoch' needs a name, such as 2026-11",
            path=section.path,
            line=section.line_of("epoch"),
        )
    if not file:
        return KeyRing.from_environment(epoch, tenant=tenant)
    return KeyRing.from_file(Path(section.path).parent / file, epoch, tenant=tenant)


def _settings(section: Section) -> MarkSettings:
    profile = section.take("profile", str)
    context = section.take("context", int, 0) if "context" in section else None
    wide = section.take("global_context", int, 4)
    share = section.take("share", float, 0.5)
    prf = section.take("prf", str, DEFAULT)
    scheme = section.take("scheme", str, "gumbel")
    floor = section.take("entropy_floor", float, 0.0)
    strong = section.take("strong", str, "")
    section.finish()
    try:
        return MarkSettings(
            profile=cast(Profile, profile), context=context, global_context=wide, share=share,
            prf=prf, scheme=cast(Scheme, scheme), entropy_floor=floor, strong=strong or None,
        )  # fmt: skip
    except ValueError as error:
        raise SettingsError(str(error), path=section.path, line=section.line) from error
