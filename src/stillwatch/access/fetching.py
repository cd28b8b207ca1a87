"""Fetches a file of countries that anybody may use, through the npm client of the user.

`@ip-location-db/geo-whois-asn-country-mmdb` is in the public domain (CC0), made from the lists of
the regional registries. The client checks the package's checksum; here it is checked that the
package still says CC0, and that the file opens and places an address.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import msgspec

from stillwatch.access.facts import UNKNOWN
from stillwatch.access.places import Places
from stillwatch.errors import InputError, SettingsError

__all__ = ["PACKAGE", "Fetched", "fetch_countries"]

PACKAGE = "@ip-location-db/geo-whois-asn-country-mmdb"
_LICENCE = "CC0-1.0"
_MEMBER = "package/geo-whois-asn-country.mmdb"
_FILE = "country.mmdb"
#: An address whose registration is older than these files: the file must place it somewhere.
_KNOWN = "8.8.8.8"
_PATIENCE = 300  # seconds


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What was fetched: where it is, of which version, under which licence."""

    path: Path
    version: str
    licence: str


def fetch_countries(out: Path, *, version: str = "latest", npm: str = "npm") -> Fetched:
    """Put ``country.mmdb`` into the folder `out`, in the place of an older one.

    Raises:
        InputError: the client is missing or fails, or the package is not what it was.
    """
    if shutil.which(npm) is None:
        raise InputError(f"there is no '{npm}' here; install Node.js, or get {PACKAGE} another way")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".fetch-") as folder:
        archive = _packed(Path(folder), npm, version)
        about, aside = _unpacked(archive, Path(folder))
        licence = str(about.get("license"))
        if licence != _LICENCE:
            raise InputError(f"{PACKAGE} is now under {licence}, no longer {_LICENCE}")
        try:
            placed = Places(aside).look_up(_KNOWN).country
        except SettingsError as error:
            raise InputError(f"the file of {PACKAGE} cannot be opened: {error}") from error
        if placed == UNKNOWN:
            raise InputError(f"the file of {PACKAGE} does not place {_KNOWN}")
        os.replace(aside, out / _FILE)  # noqa: PTH105 - a rename, so that readers keep theirs
    return Fetched(path=out / _FILE, version=str(about.get("version")), licence=licence)


def _packed(folder: Path, npm: str, version: str) -> Path:
    try:
        subprocess.run(
            [npm, "pack", f"{PACKAGE}@{version}", "--silent", "--ignore-scripts"],
            cwd=folder, check=True, capture_output=True, text=True, timeout=_PATIENCE,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise InputError(f"'{npm} pack {PACKAGE}' failed: {' '.join(last)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"'{npm} pack {PACKAGE}' did not end well: {error}") from error
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise InputError(f"'{npm} pack {PACKAGE}' left {len(archives)} archives, not one")
    return archives[0]


def _unpacked(archive: Path, folder: Path) -> tuple[dict[str, object], Path]:
    aside = folder / _FILE
    try:
        with tarfile.open(archive) as members:
            described, content = members.extractfile("package/package.json"), None
            about = json.load(described) if described else {}
            content = members.extractfile(_MEMBER)
            if content is None:
                raise InputError(f"{PACKAGE} holds no {_MEMBER}")
            with aside.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (tarfile.TarError, KeyError, ValueError, EOFError) as error:
        raise InputError(f"the archive of {PACKAGE} is not what it was: {error}") from error
    return about, aside
