"""The writer process of a gateway that keeps what members of communities can compare.

    python -m stillwatch.intel.recording STATE SOURCE --compare FILE… [as the gateway's own writer]

It is that writer, and knows how to read the keys: the gateway, far below, is told its name.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stillwatch.gateway.recording import Comparing

__all__ = ["comparing"]

_MODULE: Final = "stillwatch.intel.recording"


def comparing(files: Sequence[Path]) -> Comparing | None:
    """What a gateway is told of some files of keys; nothing where there are none."""
    return Comparing(_MODULE, tuple(files)) if files else None


if __name__ == "__main__":
    from stillwatch.gateway.recording.writer import leave, main
    from stillwatch.intel.compared import open_keys

    leave(main(sys.argv[1:], open_keys))
