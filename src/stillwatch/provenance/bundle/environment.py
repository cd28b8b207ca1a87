"""The environment lock: with which program, on what, the results were computed."""

from __future__ import annotations

import hashlib
import platform
import re
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from stillwatch.provenance.code import code_digest

__all__ = ["environment"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@cache
def environment() -> dict[str, Any]:
    """Python, platform, the digest of our code, and each package that it needs.

    A package is named with its version and the SHA-256 of its list of files and their digests
    (RECORD), as it is installed; None where it has none.
    """
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "code": code_digest(),
        "packages": [
            {"name": name, "version": found.version, "record": _record(found)}
            for name, found in sorted(_needed("stillwatch", {}).items())
        ],
    }


def _needed(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    plain = re.sub(r"[-_.]+", "-", name).lower()
    if plain in found:
        return found
    try:
        found[plain] = here = distribution(name)
    except PackageNotFoundError:  # for another platform or Python
        return found
    for each in here.requires or ():
        if "extra ==" not in each and (wanted := _NAME.match(each)):
            _needed(wanted[0], found)
    return found


def _record(found: Distribution) -> str | None:
    text = found.read_text("RECORD")
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
