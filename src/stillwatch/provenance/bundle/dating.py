"""Whether a plan was there before the first recorded answer: what each of the clocks says."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["dated", "spoken"]


def dated(
    entry_at: str | None,
    stamped: datetime | None,
    first_at: datetime | None,
    *,
    checked: bool = True,
) -> str:
    """One sentence.

    Args:
        entry_at: when the plan was put on the ledger, by the ledger's own clock; None for no
            ledger.
        stamped: when an authority saw a head over it.
        first_at: when the first recorded answer of a suspect came, by the clock of whoever asked.
        checked: whether the time stamp was held against the authority's certificates.
    """
    if entry_at is None:
        return "the plan stands on no ledger: its date rests on the word of whoever sealed this"
    if first_at is None:
        return (
            "the answers do not all bear times, so that nothing here says whether the plan was "
            "there before the first of them"
        )
    first = spoken(first_at)
    if stamped is None:
        return (
            f"the first recorded answer came at {first}, after the plan was put on the ledger; "
            "both times are by clocks of the parties, and no independent authority has stamped "
            "the plan's"
        )
    if stamped <= first_at:
        if_so = "" if checked else ", if the time stamp holds"
        return (
            f"the first recorded answer came at {first}, after the time stamp: the plan was there "
            f"before it{if_so}"
        )
    return (
        f"the first recorded answer came at {first}, before the time stamp: that the plan was "
        "there before it rests on the clock of whoever wrote the ledger"
    )


def spoken(at: datetime) -> str:
    """``2026-11-22T10:00:00.000Z``, in UTC, as entries of a ledger have it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
