"""What was gathered of an open suspect, as a file of arrays in a bundle."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np

from stillwatch.errors import InputError
from stillwatch.provenance.radioactivity.evidence import Evidence, View
from stillwatch.provenance.radioactivity.open_suspects import Gathered

__all__ = ["decoded", "encoded", "is_same"]

#: bytes of all arrays together; a few kilobytes on the disk may claim to be terabytes
_LARGEST: Final = 1 << 32


def encoded(gathered: Sequence[Gathered]) -> bytes:
    """What was gathered, as arrays ``TEXTS.WIDTH.SERVED.NAME``, or ``TEXTS.silence``."""
    arrays: dict[str, Any] = {}
    for number, seen in enumerate(gathered):
        if isinstance(seen, str):
            arrays[f"{number}.silence"] = np.frombuffer(seen.encode(), np.uint8)
            continue
        for view, each in seen.items():
            before = f"{number}.{view.width}.{int(view.served)}"
            arrays[f"{before}.contexts"] = each.contexts
            arrays[f"{before}.tokens"] = each.tokens
            arrays[f"{before}.weights"] = each.weights
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def decoded(path: Path) -> list[Gathered]:
    """What :func:`encoded` wrote; raises InputError where it is none."""
    found: dict[int, Gathered] = {}
    try:
        with ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size > _LARGEST:
            raise ValueError(f"it unpacks to {size:,} bytes, and {_LARGEST:,} are the most")  # noqa: TRY301
        with np.load(path, allow_pickle=False) as shard:
            for name in shard.files:
                number, *rest = name.split(".")
                if rest == ["silence"]:
                    found[int(number)] = shard[name].tobytes().decode()
                elif rest[2:] == ["contexts"]:
                    view, before = View(int(rest[0]), rest[1] == "1"), ".".join(name.split(".")[:3])
                    seen = found.setdefault(int(number), {})
                    evidence = Evidence(
                        *(shard[f"{before}.{each}"] for each in ("contexts", "tokens", "weights"))
                    )
                    if isinstance(seen, str) or not _is_whole(evidence, view):
                        raise ValueError(f"{before} is no evidence")  # noqa: TRY301
                    seen[view] = evidence
        return [found[number] for number in range(len(found))]
    except (OSError, ValueError, KeyError, EOFError, IndexError, BadZipFile, MemoryError) as error:
        raise InputError(f"holds nothing that was gathered: {error}", path=path) from error


def _is_whole(evidence: Evidence, view: View) -> bool:
    contexts, tokens, weights = evidence.contexts, evidence.tokens, evidence.weights
    return (
        contexts.dtype == tokens.dtype == np.int64
        and weights.dtype == np.float32
        and contexts.ndim == tokens.ndim == 2
        and contexts.shape == (len(tokens), view.width)
        and tokens.shape == weights.shape
        and len(np.unique(contexts, axis=0)) == len(contexts)  # a window counts once
        and bool(np.isfinite(weights).all())
    )


def is_same(a: Gathered, b: Gathered) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a.keys() == b.keys() and all(
        np.array_equal(a[view].contexts, b[view].contexts)
        and np.array_equal(a[view].tokens, b[view].tokens)
        and np.allclose(a[view].weights, b[view].weights, rtol=1e-5, atol=1e-7)
        for view in a
    )
