"""The files of a bundle: what is there, and nothing that leads elsewhere."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from stillwatch.errors import InputError, TamperedError

__all__ = ["digest_file", "is_plain", "listed", "write_file"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def listed(bundle: Path) -> set[str]:
    """The names of all files of a bundle, folders by slashes.

    Raises:
        TamperedError: something that is no file and no folder: a link may lead out of the bundle,
            and shows another file tomorrow.
        InputError: it cannot be read, or is no folder.
    """
    found: set[str] = set()

    def failed(error: OSError) -> None:
        raise InputError(f"cannot be read: {error.strerror}", path=error.filename) from error

    for folder, folders, files in os.walk(bundle, onerror=failed):
        for name in (*folders, *files):
            path = Path(folder) / name
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise TamperedError("is no plain file: it may lead out of the bundle", path=path)
        found |= {str((Path(folder) / name).relative_to(bundle)) for name in files}
    return found


def is_plain(name: str) -> bool:
    """Whether a name that a statement gives stays within the bundle."""
    return _NAME.fullmatch(name) is not None


def digest_file(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error


def write_file(path: Path, data: bytes) -> None:
    """A new file, on the disk when this returns; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
