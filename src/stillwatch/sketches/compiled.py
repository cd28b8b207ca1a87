"""How the functions that the entry points call are compiled.

Without numba's reference counting: they allocate nothing, their arrays belong to the caller, and
the atomic counters around every call took half of the time of a scan (measured).
"""

from __future__ import annotations

from numba import njit

__all__ = ["compiled", "inlined"]

compiled = njit(_nrt=False)
inlined = njit(_nrt=False, forceinline=True)
