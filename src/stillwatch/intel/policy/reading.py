"""A sharing policy out of a YAML file, each mistake with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast, get_args

from stillwatch.errors import SettingsError
from stillwatch.intel.identifiers import REFUSED
from stillwatch.intel.policy.policy import FIELDS, Asks, Minimum, Needed, Overlap, Policy
from stillwatch.intel.profile.markings import Tlp
from stillwatch.settings import Section, read_settings

__all__ = ["read_policy"]

_BUCKETED: Final = ("accounts", "exchanges", "tokens")
_LONGEST: Final = 250
_MOST_DAYS: Final = 366


def read_policy(path: Path) -> Policy:
    """Read the section ``sharing`` of a YAML file.

    Raises:
        SettingsError: a field that never leaves, an unknown word, a number out of range.
    """
    file = read_settings(path)
    section = file.section("sharing")
    file.finish()
    buckets = section.section("buckets")
    policy = Policy(
        name=_line(section, "name"),
        tlp=Tlp(_one_of(section, "tlp", [str(tlp) for tlp in Tlp])),
        recipients=_texts(section, "recipients"),
        purpose=_line(section, "purpose"),
        legal_basis=_line(section, "legal_basis"),
        fields=_fields(section),
        valid_days=_number(section, "valid_days", 1, _MOST_DAYS),
        retention_days=_number(section, "retention_days", 1, 10 * _MOST_DAYS),
        k=_number(section, "k", 2, 10_000, 5),
        sharers=_number(section, "sharers", 1, 10_000, 2),
        decades={name: _number(buckets, name, 1, 6) for name in _BUCKETED if name in buckets},
        responses=_texts(section, "responses", ()),
        minimum=_minimum(section.section("minimum")),
        overlap=_overlap(section.section("overlap")) if "overlap" in section else None,
    )
    buckets.finish()
    section.finish()
    if policy.retention_days < policy.valid_days:
        raise _wrong(section, "retention_days", "what is valid may not have been deleted already")
    return policy


def _minimum(section: Section) -> Minimum:
    unset = Minimum()
    level: float | None = unset.level
    if "level" in section:
        level = _share(section, "level", 1.0)
    minimum = Minimum(
        families=_number(section, "families", 1, 6, unset.families),
        level=level,
        verdict=_one_of(section, "verdict", get_args(Needed), unset.verdict),
        measured=section.take("measured", bool, unset.measured),
        false_positives=_share(section, "false_positives", unset.false_positives),
    )
    section.finish()
    return minimum


def _overlap(section: Section) -> Overlap:
    unset = Overlap(asks=())
    asks = _texts(section, "asks")
    for each in asks:
        if each not in get_args(Asks):
            raise _wrong(section, "asks", f"'{each}' is none of: {', '.join(get_args(Asks))}")
    overlap = Overlap(
        asks=cast("tuple[Asks, ...]", asks),
        most=_number(section, "most", 64, 1 << 20, unset.most),
        times=_number(section, "times", 1, 1 << 20, unset.times),
        questions=_number(section, "questions", 1, 10_000, unset.questions),
        days=_number(section, "days", 1, _MOST_DAYS, unset.days),
        purposes=_texts(section, "purposes", ()),
    )
    section.finish()
    return overlap


def _fields(section: Section) -> frozenset[str]:
    names = _texts(section, "fields")
    for name in names:
        if name in REFUSED:
            raise _wrong(section, "fields", f"'{name}' never leaves: {REFUSED[name]}")
        if name not in FIELDS:
            raise _wrong(section, "fields", f"'{name}' is none of: {', '.join(FIELDS)}")
    return frozenset(names)


def _line(section: Section, key: str) -> str:
    text = section.take(key, str).strip()
    if not 0 < len(text) <= _LONGEST:
        raise _wrong(section, key, f"give 1 to {_LONGEST} characters")
    return text


def _texts(section: Section, key: str, unset: Any = None) -> tuple[str, ...]:
    if unset is not None and key not in section:
        section.take(key, list, [])
        return tuple(unset)
    found = section.take(key, list)
    if not found or not all(isinstance(each, str) and 0 < len(each) <= _LONGEST for each in found):
        raise _wrong(section, key, "give a list of texts that is not empty")
    if len(set(found)) < len(found):
        raise _wrong(section, key, "it names one of them twice")
    return tuple(found)


def _number(section: Section, key: str, least: int, most: int, unset: int | None = None) -> int:
    number = section.take(key, int) if unset is None else section.take(key, int, unset)
    if not least <= number <= most:
        raise _wrong(section, key, f"{number:,} is not between {least:,} and {most:,}")
    return number


def _share(section: Section, key: str, unset: float) -> float:
    share = section.take(key, float, unset)
    if not 0 < share <= 1:
        raise _wrong(section, key, f"{share} is no share above 0 and up to 1")
    return share


def _one_of(section: Section, key: str, names: Any, unset: str | None = None) -> Any:
    found = section.take(key, str) if unset is None else section.take(key, str, unset)
    if found not in names:
        raise _wrong(section, key, f"'{found}' is none of: {', '.join(names)}")
    return found


def _wrong(section: Section, key: str, what: str) -> SettingsError:
    return SettingsError(
        f"'{section.name}.{key}': {what}", path=section.path, line=section.line_of(key)
    )
