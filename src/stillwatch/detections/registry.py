"""Finds the detections: our own and those that other packages registered."""

from __future__ import annotations

from importlib.metadata import entry_points

from stillwatch.detections.detection import Detection
from stillwatch.errors import SettingsError

__all__ = ["ENTRY_POINT", "load_detections"]

ENTRY_POINT = "stillwatch.detections"


def load_detections() -> list[Detection]:
    """One instance of every registered detection, by name.

    Raises:
        SettingsError: a registration cannot be imported, is no detection, or takes a name twice.
    """
    found: dict[str, Detection] = {}
    for entry in sorted(entry_points(group=ENTRY_POINT), key=lambda entry: entry.name):
        try:
            detection = entry.load()()
        except Exception as error:
            raise SettingsError(
                f"the detection '{entry.name}' ({entry.value}) cannot be loaded: {error}"
            ) from error
        if not isinstance(detection, Detection) or detection.metadata.name != entry.name:
            raise SettingsError(
                f"'{entry.value}' is no detection called '{entry.name}': it needs metadata with "
                "that name, stages, find and judge"
            )
        if entry.name in found:
            raise SettingsError(f"two packages register a detection called '{entry.name}'")
        found[entry.name] = detection
    return list(found.values())
