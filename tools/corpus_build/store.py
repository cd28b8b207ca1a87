"""Writing a set: its pools, SOURCE.txt, LICENSES.txt, and its lines of the index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

__all__ = ["Draft", "SetDraft", "write_index", "write_set"]


@dataclass
class Draft:
    """A pool in the making: group → texts, in the order in which they are to ship."""

    pool: str
    kind: str = "natural"
    blocks: dict[tuple[str, str | None], list[str]] = field(default_factory=dict)

    def add(self, text: str, source: str, group: str | None) -> None:
        """Append one text, already clean and new."""
        self.blocks.setdefault((source, group), []).append(text)


@dataclass
class SetDraft:
    """A set in the making. `source` is the text of SOURCE.txt, `licences` title → full text."""

    name: str
    source: str
    licences: dict[str, str]
    pools: list[Draft]


def write_set(data: Path, draft: SetDraft) -> list[dict[str, object]]:
    """Write the folder of one set; returns its lines of the index."""
    folder = data / draft.name
    folder.mkdir(parents=True)
    (folder / "SOURCE.txt").write_text(draft.source.strip() + "\n", encoding="utf-8")
    rule = "=" * 78
    licences = "\n".join(f"{rule}\n{t}\n{rule}\n\n{b.strip()}\n" for t, b in draft.licences.items())
    (folder / "LICENSES.txt").write_text(licences, encoding="utf-8")
    return [_write_pool(folder, draft.name, pool) for pool in draft.pools]


def _write_pool(folder: Path, set_name: str, draft: Draft) -> dict[str, object]:
    lines = [
        {"source": source, "group": group, "texts": texts}
        for (source, group), texts in draft.blocks.items()
    ]
    raw = b"".join(
        json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for line in lines
    )
    packed = pa.Codec("zstd", 22).compress(raw, asbytes=True)
    (folder / f"{draft.pool}.jsonl.zst").write_bytes(packed)
    return {
        "set": set_name,
        "pool": draft.pool,
        "kind": draft.kind,
        "texts": sum(len(texts) for texts in draft.blocks.values()),
        "groups": len({group for _, group in draft.blocks if group is not None}),
        "size": len(raw),
        "sha256": hashlib.sha256(packed).hexdigest(),
    }


def write_index(data: Path, lines: Iterable[dict[str, object]]) -> None:
    """Write ``index.json``, one file a line, so that a change reads well in a diff."""
    body = ",\n".join(json.dumps(line) for line in lines)
    (data / "index.json").write_text(f"[\n{body}\n]\n", encoding="utf-8")
