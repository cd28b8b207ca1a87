"""A decided case → sealed objects, under a policy: previewed, recorded, and able to be taken back.

In: a case, the log it was found in, a policy, a community key. Out: a :class:`Draft` that shows
every object and everything that was dropped and why; :func:`release` writes it to a file and
records it, :func:`take_back` makes the revoked versions of all that left for a case.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.exporting.describing import Choice
    from stillwatch.intel.exporting.draft import Draft, Dropped, make_draft
    from stillwatch.intel.exporting.known import Known, known_of
    from stillwatch.intel.exporting.observed import Observed, observe
    from stillwatch.intel.exporting.own import Own, read_own
    from stillwatch.intel.exporting.preparing import prepare
    from stillwatch.intel.exporting.register import Register
    from stillwatch.intel.exporting.releasing import release, take_back

__all__ = [
    "Choice",
    "Draft",
    "Dropped",
    "Known",
    "Observed",
    "Own",
    "Register",
    "known_of",
    "make_draft",
    "observe",
    "prepare",
    "read_own",
    "release",
    "take_back",
]

_AT = {
    "Choice": "describing",
    "Draft": "draft",
    "Dropped": "draft",
    "Known": "known",
    "Observed": "observed",
    "Own": "own",
    "Register": "register",
    "known_of": "known",
    "make_draft": "draft",
    "observe": "observed",
    "prepare": "preparing",
    "read_own": "own",
    "release": "releasing",
    "take_back": "releasing",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: taking back needs no log and no kernels."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
