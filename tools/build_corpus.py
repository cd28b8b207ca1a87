#!/usr/bin/env python3
"""Rebuild the text that ships with the lab: src/stillwatch/lab/data.

    python tools/build_corpus.py CACHE

Packages are downloaded once, by name and exact version, into the folder CACHE. Sets are built in
a fixed order; a text that opens like one of an earlier set is left out, so the order matters.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from corpus_build import conversation
from corpus_build.clean import Seen
from corpus_build.code import code
from corpus_build.dictionary import dictionary
from corpus_build.documentation import documentation
from corpus_build.languages import languages
from corpus_build.mathematics import mathematics
from corpus_build.store import write_index, write_set

DATA = Path(__file__).parents[1] / "src/stillwatch/lab/data"
SETS = (
    conversation.humaneval,
    conversation.bfcl,
    conversation.tau2,
    conversation.chitchat,
    mathematics,
    dictionary,
    documentation,
    code,
    languages,
)


def main() -> None:
    """Build every set aside, put them in place together, and say how large everything became."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cache = Path(sys.argv[1]).absolute()
    aside = cache / "data"
    shutil.rmtree(aside, ignore_errors=True)
    seen, index = Seen(), []
    for build in SETS:
        lines = write_set(aside, build(cache, seen))
        for line in lines:
            print(f"{line['set']:>14} {line['pool']:<14} {line['texts']:>7} texts", flush=True)
        index += lines
    write_index(aside, index)
    shutil.rmtree(DATA, ignore_errors=True)
    shutil.copytree(aside, DATA)
    size = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    print(f"{size / 1e6:.2f} MB; {seen.dropped} texts left out that open like another")


if __name__ == "__main__":
    main()
