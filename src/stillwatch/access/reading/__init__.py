"""YAML → rules, levels, tiers, backends and places, every mistake with its file and line.

The sections are those of ``stillwatch.yaml``; a file of rules is a settings file that holds only
these. What refers to something else (a rule to a tier, a level to another) is checked when the file
says what there is.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from stillwatch.access.backends import Backend
from stillwatch.access.limits.charges import Limit
from stillwatch.access.reading.backends import read_backends
from stillwatch.access.reading.levels import Level, read_levels
from stillwatch.access.reading.places import PlaceSettings, read_places
from stillwatch.access.reading.purposes import purpose_rules
from stillwatch.access.reading.rules import read_rules
from stillwatch.access.reading.tiers import read_tiers
from stillwatch.access.rules import RuleSet
from stillwatch.access.surface import Surface
from stillwatch.settings import Section, read_settings

__all__ = ["AccessSettings", "Level", "PlaceSettings", "read_access", "read_access_file"]


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that the sections of this room say.

    `levels` always holds ``default``. `rules` begins with those that keep levels for their
    registered purposes. `said` are the names of the sections that the file has.
    """

    levels: dict[str, Level]
    tiers: dict[str, tuple[Limit, ...]]
    backends: tuple[Backend, ...]
    rules: RuleSet
    places: PlaceSettings
    said: frozenset[str] = frozenset()

    @property
    def surfaces(self) -> dict[str, Surface]:
        """What each level allows."""
        return {name: level.surface for name, level in self.levels.items()}


def read_access(settings: Section) -> AccessSettings:
    """Read the sections `levels`, `tiers`, `backends`, `rules` and `places`.

    Raises:
        SettingsError: with the line, what is wrong there, and what to write instead.
    """
    levels = read_levels(settings.section("levels"))
    tiers = read_tiers(settings.section("tiers"))
    backends = read_backends(settings)
    rules = read_rules(
        settings,
        levels=levels if "levels" in settings else None,
        tiers=tiers if "tiers" in settings else None,
        backends=backends if "backends" in settings else None,
    )
    return AccessSettings(
        levels=levels,
        tiers=tiers,
        backends=backends,
        rules=RuleSet([*purpose_rules(levels), *rules]),
        places=read_places(settings.section("places")),
        said=frozenset(settings),
    )


def read_access_file(path: Path) -> AccessSettings:
    """Read a file that holds nothing but sections of this room.

    Raises:
        SettingsError: as :func:`read_access`, and for a section of another room.
    """
    settings = read_settings(path)
    access = read_access(settings)
    settings.finish()
    return access
