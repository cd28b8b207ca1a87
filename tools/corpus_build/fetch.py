"""Packages by name and exact version, through their ordinary clients, unpacked into a cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["debian", "npm", "pypi", "pypi_source"]

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")


def pypi(cache: Path, name: str, version: str) -> Path:
    """The folder with the unpacked wheel of `name`."""

    def download(folder: Path) -> None:
        wheel = ("--no-deps", "--only-binary", ":all:", "--ignore-requires-python")
        _run([*_PIP, *wheel, "-d", ".", f"{name}=={version}"], folder)

    return _unpacked(cache / "pypi" / f"{name}-{version}", download, _unzip)


def pypi_source(cache: Path, name: str, version: str) -> Path:
    """The folder of the unpacked source archive of `name`, for what its wheel leaves out."""

    def download(folder: Path) -> None:
        source = ("--no-deps", "--no-binary", ":all:", "-d", ".", f"{name}=={version}")
        _run([*_PIP, *source], folder)

    root = _unpacked(cache / "source" / f"{name}-{version}", download, _untar)
    (inside,) = root.iterdir()
    return inside


def npm(cache: Path, name: str, version: str) -> Path:
    """The folder `package` of the unpacked tarball of `name`."""

    def download(folder: Path) -> None:
        _run(["npm", "pack", "--silent", f"{name}@{version}"], folder)

    return _unpacked(cache / "npm" / f"{name.replace('/', '-')}-{version}", download, _untar)


def debian(cache: Path, name: str, version: str) -> Path:
    """The root of the unpacked Debian package `name`. Needs a machine with Debian 12's archive."""

    def download(folder: Path) -> None:
        apt = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root"]
        _run([*apt, f"{name}={version}"], folder)

    def unpack(archive: Path, folder: Path) -> None:
        _run(["dpkg-deb", "-x", archive, folder], folder)

    return _unpacked(cache / "debian" / f"{name}_{version.replace(':', '.')}", download, unpack)


def _unpacked(
    target: Path, download: Callable[[Path], None], unpack: Callable[[Path, Path], None]
) -> Path:
    if target.is_dir():
        return target
    half = target.with_name(target.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    (half / "archive").mkdir(parents=True)
    (half / "tree").mkdir()
    download(half / "archive")
    (archive,) = (half / "archive").iterdir()
    unpack(archive, half / "tree")
    (half / "tree").rename(target)
    shutil.rmtree(half)
    return target


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(folder)


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tarball:
        tarball.extractall(folder, filter="data")


def _run(command: list[str | Path], folder: Path) -> None:
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
