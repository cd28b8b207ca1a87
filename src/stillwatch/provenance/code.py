"""The digest of the program that tests: of every file of the installed package."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

__all__ = ["code_digest"]


@cache
def code_digest() -> str:
    """SHA-256, 64 hexadecimal digits, over paths and contents of all files of `stillwatch`.

    What Python compiles by itself does not count. Two installations of the same release have the
    same digest, wherever they are; a changed line has another.
    """
    whole = hashlib.sha256(b"stillwatch-code-v1")
    for path, digest in sorted(_digests(files("stillwatch"), "")):
        whole.update(len(path).to_bytes(4, "big") + path + digest)
    return whole.hexdigest()


def _digests(folder: Traversable, before: str) -> list[tuple[bytes, bytes]]:
    found = []
    for each in folder.iterdir():
        path = before + each.name
        if each.is_dir():
            if each.name != "__pycache__":
                found += _digests(each, path + "/")
        elif not each.name.endswith((".pyc", ".nbi", ".nbc")):
            found.append((path.encode(), hashlib.sha256(each.read_bytes()).digest()))
    return found
