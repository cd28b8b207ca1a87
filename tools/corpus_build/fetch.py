"""Packages by name and exact version, through their ordinary clients, unpacked into a cache."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

__all__ = ["pypi"]


def pypi(cache: Path, name: str, version: str) -> Path:
    """The folder with the unpacked wheel of `name`, downloaded once."""
    target = cache / "pypi" / f"{name}-{version}"
    if target.is_dir():
        return target
    wheels = cache / "wheels" / f"{name}-{version}"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary", ":all:", "-d", str(wheels), f"{name}=={version}"]
    subprocess.run(command, check=True)
    (wheel,) = wheels.glob("*.whl")
    half = target.with_suffix(".part")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(half)
    half.rename(target)
    return target
