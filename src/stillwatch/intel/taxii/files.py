"""Objects in files: read from a bundle, an envelope, a list or lines; written as bundles."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stillwatch.errors import InputError
from stillwatch.ledger.canonical import parsed

if TYPE_CHECKING:
    from stillwatch.intel.taxii.polling import Batch

__all__ = ["POLLED", "into_folder", "pages", "read_objects"]

#: folder of what was fetched, in a state folder
POLLED = "polled"
_PAGE = re.compile(r"[0-9a-f]{12}-[0-9]{8,}\.json")


def read_objects(path: Path) -> list[Any]:
    """The objects of a file: a STIX bundle, a TAXII envelope, a list, one object, or one a line.

    Raises:
        InputError: it cannot be read, or holds no JSON.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    try:
        return _objects(parsed(data))
    except ValueError as error:
        whole = error
    found = []
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            try:
                found += _objects(parsed(line))
            except ValueError as error:
                if number == 1:
                    raise InputError(str(whole), path=path) from whole
                raise InputError(str(error), path=path, line=number) from error
    return found


def into_folder(folder: Path) -> Callable[[Batch], Path]:
    """A receiver that writes each batch as a bundle ``<collection>-<number>.json``: whole or not at
    all, and on the disk when it returns where. A batch that comes again replaces its file.

    Raises:
        OSError: by the receiver, it cannot be written.
    """

    def receive(batch: Batch) -> Path:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        slug = hashlib.sha256(batch.collection.encode()).hexdigest()[:12]
        file = folder / f"{slug}-{batch.number:08}.json"
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{batch.collection}#{batch.number}")
        bundle = {"type": "bundle", "id": f"bundle--{name}", "objects": batch.objects}
        aside = file.with_suffix(".part")
        with aside.open("wb") as stream:
            stream.write(_encoded(bundle))
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(file)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return file

    return receive


def pages(folder: Path) -> list[Path]:
    """The files that :func:`into_folder` wrote, and no others."""
    return sorted(each for each in folder.iterdir() if _PAGE.fullmatch(each.name))


def _objects(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and isinstance(value.get("objects"), list):
        return list(value["objects"])
    return [value]


def _encoded(bundle: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(bundle)
    except UnicodeEncodeError:  # halves of surrogates are no text: that object's seal will not hold
        return json.dumps(bundle, ensure_ascii=False).encode("utf-8", "replace")
