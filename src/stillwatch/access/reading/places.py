"""The section `places`: which files tell where an address is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stillwatch.access.checking import ASN_CLASSES
from stillwatch.access.reading.values import texts, wrong
from stillwatch.settings import Section

__all__ = ["PlaceSettings", "read_places"]


class PlaceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Files of :class:`~stillwatch.access.places.Places`; without any, every place is unknown.

    `lists` maps a class of networks to files of the operator's own, one network a line.
    """

    country_mmdb: Path | None = None
    asn_mmdb: Path | None = None
    lists: dict[str, tuple[Path, ...]] = {}


def read_places(places: Section) -> PlaceSettings:
    """Relative names are looked for beside the settings file.

    Raises:
        SettingsError: also for a file that does not exist.
    """
    lists = places.section("lists")
    named = {each: texts(lists, each) for each in ASN_CLASSES}
    lists.finish()
    settings = PlaceSettings(
        country_mmdb=_file(places, "country_mmdb"),
        asn_mmdb=_file(places, "asn_mmdb"),
        lists={
            each: tuple(_existing(lists, each, name) for name in sorted(files))
            for each, files in named.items()
            if files
        },
    )
    places.finish()
    return settings


def _file(section: Section, key: str) -> Path | None:
    name = section.take(key, str, "")
    return _existing(section, key, name) if name else None


def _existing(section: Section, key: str, name: str) -> Path:
    path = Path(section.path).parent / name
    if not path.is_file():
        raise wrong(section, key, f"there is no file {path}")
    return path
