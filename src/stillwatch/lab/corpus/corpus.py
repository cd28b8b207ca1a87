"""All pools by name: those that ship, extended by those of the user."""

from __future__ import annotations

import difflib
from functools import partial
from pathlib import Path

from stillwatch.errors import InputError
from stillwatch.lab.corpus.composed import composed_pools
from stillwatch.lab.corpus.extra import read_extra
from stillwatch.lab.corpus.pool import Kind, Pool
from stillwatch.lab.corpus.shipped import read_files, shipped_files

__all__ = ["Corpus", "load"]


class Corpus:
    """Pools by name.

    `skipped` lists the files of the user that hold no prompts, or rows without, with the reason;
    `repeated` counts the user's texts that were left out because the pool had them already.
    """

    def __init__(
        self, pools: dict[str, Pool], skipped: tuple[tuple[Path, str], ...] = (), repeated: int = 0
    ) -> None:
        self._pools = pools
        self.skipped = skipped
        self.repeated = repeated

    def names(self) -> list[str]:
        """The names of all pools, in alphabetical order."""
        return sorted(self._pools)

    def pool(self, name: str) -> Pool:
        """The pool called `name`.

        Raises:
            InputError: there is none; the message names close matches.
        """
        if name not in self._pools:
            close = difflib.get_close_matches(name, self._pools, n=3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise InputError(f"no pool of text is called '{name}'{hint}")
        return self._pools[name]


def load(extra: Path | None = None) -> Corpus:
    """The pools that ship, those that are composed, and those in the folder `extra`.

    ``docs/corpus.md`` tells the form of `extra`. A file of the user that has the name of a pool
    extends it: its texts come last. Shipping files are opened when a pool is first read; those of
    the user are read at once, so that an error in them is reported before any work starts.

    Raises:
        InputError: `extra` is no folder, holds no prompts, or a file in it cannot be read.
    """
    pools = {
        name: Pool(name, parts[0].kind, partial(read_files, parts))
        for name, parts in shipped_files().items()
    }
    pools |= composed_pools(pools["definitions"])
    if extra is None:
        return Corpus(pools)
    given = read_extra(extra)
    repeated = given.repeated
    for name, added in given.blocks.items():
        base = pools.get(name)
        blocks = list(base.blocks()) if base else []
        known = {text for block in blocks for text in block.texts}
        for block in added:
            new = [text for text in block.texts if text not in known]
            repeated += len(block.texts) - len(new)
            blocks.append(block._replace(texts=new))
        pools[name] = Pool(name, base.kind if base else Kind.GIVEN, partial(iter, blocks))
    return Corpus(pools, given.skipped, repeated)
