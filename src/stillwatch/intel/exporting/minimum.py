"""What a case lacks before anything of it may leave."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.intel.exporting.known import Known
from stillwatch.intel.policy import Minimum

__all__ = ["unmet"]


def unmet(known: Known, least: Minimum) -> Iterator[str]:
    """Which minimum is not reached: each of them, so that nobody has to ask twice."""
    if len(known.families) < least.families:
        yield (
            f"families: {len(known.families)} independent families of evidence; "
            f"{least.families} are needed"
        )
    if least.level is not None and (known.level is None or known.level > least.level):
        told = "none" if known.level is None else f"{known.level:g}"
        yield f"level: it was reported at an error rate of {told}; at most {least.level:g}"
    if least.verdict == "upheld" and known.verdict != "upheld":
        yield f"verdict: the case is {known.verdict or 'not decided'}; it has to be upheld"
    if known.verdict == "dismissed":
        yield "verdict: people decided that the terms were not broken"
    if known.withdrawn:
        yield "withdrawn: a later look no longer supports the campaign"
    if least.measured and not any(each.base_rate for each in known.scored):
        yield "measured: no detection measured how often honest accounts look like this"
