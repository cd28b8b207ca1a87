"""Files of secrets: read only where nobody else can have read or replaced them, made only whole.

Every room that has a secret of its own keeps it in such a file: raw bytes, at least 32 of them.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from stillwatch.errors import KeyFileError

__all__ = ["MINIMUM_BYTES", "create_key_file", "read_key_file"]

MINIMUM_BYTES: Final = 32


def read_key_file(path: Path, name: str) -> bytes:
    """The secret at `path`; errors call it by `name`, such as ``the sketch key``.

    Raises:
        KeyFileError: missing, unreadable, shorter than 32 bytes, or open to other users.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{name} must be a regular file", path=path)
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise KeyFileError(
                f"every user of this machine can read or replace {name} (mode "
                f"{stat.S_IMODE(mode):04o}); run: chmod 600 {path}",
                path=path,
            )
        secret = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read {name}: {error.strerror}", path=path) from error
    if len(secret) < MINIMUM_BYTES:
        raise KeyFileError(
            f"{name} has {len(secret)} bytes, at least {MINIMUM_BYTES} are needed", path=path
        )
    return secret


def create_key_file(path: Path, secret: bytes) -> None:
    """Write `secret` to a new file for its owner only (mode 0600). It is on the disk on return; if
    that fails, no file is left.

    Raises:
        FileExistsError: there is one already; a key is never overwritten.
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
