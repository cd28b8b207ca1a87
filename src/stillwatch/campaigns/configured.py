"""What ``stillwatch.yaml`` may say of a scan: defaults that outlive one command.

Sections are called as the rooms that they set up, so that one file serves every command that reads
the same keys: there is one sketch key for everything that is to be linked. What a single scan reads
and where it writes is no setting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stillwatch.campaigns.promise import ALPHA
from stillwatch.engines import ENGINES
from stillwatch.errors import SettingsError
from stillwatch.settings import Section, read_settings
from stillwatch.sources import FORMATS

__all__ = [
    "FORMAT_NAMES",
    "LEAST_K",
    "LEAST_MEMORY_MB",
    "LEVELS",
    "ScanSettings",
    "read_scan_settings",
]

FORMAT_NAMES = ("auto", *sorted(each.name for each in FORMATS))
#: fewer than two accounts would let one be read alone
LEAST_K = 2
LEAST_MEMORY_MB = 500
#: sections of gateways, engines and other commands, which read the same file
_OF_OTHERS = (
    "backends", "gateway", "intel", "levels", "places", "retention", "rules", "sharing", "tiers",
    "watermark",
)  # fmt: skip
#: smallest and largest share of false campaigns that may be asked for
LEVELS = (0.0001, 0.5)


@dataclass(frozen=True)
class ScanSettings:
    """The settings of a scan, each with its default.

    Attributes:
        key_file: the secret of the sketches; None for a fresh one that is forgotten.
        format: how the logs are written; see ``--format``.
        engine: what runs the detections; one of :data:`stillwatch.engines.ENGINES`.
        memory_mb: what the engine may hold before it spills to disk.
        k: fewest accounts from which on masked words may be read.
        pseudonymous: digests in place of account names in everything that is written.
        fdr: the expected share of false campaigns among those reported, at most.
        cases: where cases are kept, a folder or an address; None for nowhere.
    """

    key_file: Path | None = None
    format: str = "auto"
    engine: str = "duckdb"
    memory_mb: int = 5_000
    k: int = 5
    pseudonymous: bool = False
    fdr: float = ALPHA
    cases: str | None = None

    def but(self, given: Mapping[str, Any]) -> ScanSettings:
        """These settings, with those of `given` that are not None in their place."""
        return replace(self, **{name: it for name, it in given.items() if it is not None})


def read_scan_settings(path: Path | None) -> ScanSettings:
    """The settings in the file at `path`; the defaults where there is none.

    A relative ``key_file`` is looked for beside the settings, wherever the command runs.

    Raises:
        SettingsError: no such file, not YAML, a section, key or value that nobody understands.
    """
    file, usual = read_settings(path), ScanSettings()
    campaigns, engines = file.section("campaigns"), file.section("engines")
    sketches, sources = file.section("sketches"), file.section("sources")
    for other in _OF_OTHERS:
        file.take(other, object, None)
    file.finish()
    found = ScanSettings(
        key_file=_key_file(sketches, path),
        format=_one_of(sources, "format", FORMAT_NAMES, usual.format),
        engine=_one_of(engines, "engine", ENGINES, usual.engine),
        memory_mb=_at_least(engines, "memory_mb", LEAST_MEMORY_MB, usual.memory_mb),
        k=_at_least(campaigns, "k", LEAST_K, usual.k),
        pseudonymous=campaigns.take("pseudonymous", bool, usual.pseudonymous),
        fdr=_between(campaigns, "fdr", *LEVELS, usual.fdr),
        cases=_place(campaigns, "cases", path),
    )
    for section in (campaigns, engines, sketches, sources):
        section.finish()
    return found


def _key_file(section: Section, path: Path | None) -> Path | None:
    name = section.take("key_file", str, "")
    if "key_file" in section and not name:
        raise _refusal(section, "key_file", "must name a file")
    return path.parent / name if path is not None and name else None


def _place(section: Section, key: str, path: Path | None) -> str | None:
    """A folder beside the settings, or an address."""
    name = section.take(key, str, "")
    if key in section and not name:
        raise _refusal(section, key, "must name a folder or an address")
    if not name or path is None:
        return None
    return name if "://" in name else str(path.parent / name)


def _one_of(section: Section, key: str, known: Sequence[str], default: str) -> str:
    value = section.take(key, str, default)
    if value not in known:
        raise _refusal(section, key, f"must be one of {', '.join(known)}, not {value!r}")
    return value


def _at_least(section: Section, key: str, least: int, default: int) -> int:
    value = section.take(key, int, default)
    if value < least:
        raise _refusal(section, key, f"must be {least} or more, not {value}")
    return value


def _between(section: Section, key: str, least: float, most: float, default: float) -> float:
    value = section.take(key, float, default)
    if not least <= value <= most:
        raise _refusal(section, key, f"must be {least} to {most}, not {value}")
    return value


def _refusal(section: Section, key: str, wanted: str) -> SettingsError:
    name = f"'{section.name}.{key}' {wanted}"
    return SettingsError(name, path=section.path, line=section.line_of(key))
