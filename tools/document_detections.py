"""Prints ``docs/detections/index.md`` from the metadata of detections and of group tests.

``make format`` writes the page again; a test fails when it is stale.
"""

from __future__ import annotations

import sys

from stillwatch.campaigns.group_tests import GROUP_TESTS
from stillwatch.detections import Detection, Metadata, load_detections

HEAD = """# The detections
<!-- printed by tools/document_detections.py from the metadata of each detection; do not edit -->
Each detection sees one thing. It links accounts that share something rare, and gives its opinion of
a group of accounts: evidence or counter-evidence, in nats. None names a campaign alone. That
takes two independent **families** (a link is not a verdict), and what a shared template explains is
no second family. The *null* is what holds when nothing is going on; the *base rate* says how often
honest accounts look like that, and where the figure comes from; *look-alikes* are honest traffic
that triggers the detection.

| detection | family | sees | null | base rate | look-alikes |
|---|---|---|---|---|---|
"""

GROUP = """
## Tests of a group
Some properties only a group has. These tests link nobody; they are put to groups that detections
have joined. Their evidence counts like that of a detection, in the family beside their name.

| test | family | sees | null | base rate | look-alikes |
|---|---|---|---|---|---|
"""

NEEDS = """
## What they need, and what they speak to
A detection or test whose columns a log does not have abstains, and the report says so. Techniques
are those of [MITRE ATLAS](https://atlas.mitre.org).

| detection | needs | techniques |
|---|---|---|
"""

TAIL = """
Others add detections of their own through the entry point group `stillwatch.detections`: a class
with `metadata`, `stages`, `find` and `judge`, see `src/stillwatch/detections/detection.py`.
"""


def page() -> str:
    """The whole page, ending with a line break."""
    ours = [each.metadata for each in load_detections() if _ships(each)]
    tables = [HEAD, *map(_row, ours), GROUP, *map(_row, GROUP_TESTS)]
    return "".join([*tables, NEEDS, *map(_needs, [*ours, *GROUP_TESTS]), TAIL])


def _ships(detection: Detection) -> bool:
    return type(detection).__module__.startswith("stillwatch.")


def _row(metadata: Metadata) -> str:
    return (
        f"| [{metadata.name}]({metadata.name}.md): {metadata.title.lower()} | {metadata.family} "
        f"| {metadata.sees} | {metadata.null} | {metadata.base_rate} "
        f"| {'; '.join(metadata.look_alikes)} |\n"
    )


def _needs(metadata: Metadata) -> str:
    needs = ", ".join(each if " " in each else f"`{each}`" for each in metadata.needs)
    needs = needs or "nothing beyond the text"
    return f"| {metadata.name} | {needs} | {', '.join(metadata.atlas)} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
