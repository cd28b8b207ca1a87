"""What the raw log says of a case's accounts, and of everybody else, in two passes over it.

The first reads what the accounts of the case used and wrote; the second counts who else did, so
that every indicator comes with a rate of false positives that was measured here. Values are kept as
digests, and memory is bounded by the distinct values and cells of the case, not by the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from stillwatch.exchange import RawExchange
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.exporting.senders import Ints, Senders
from stillwatch.intel.guessing import why_guessable
from stillwatch.intel.identifiers import identifiers, normalised
from stillwatch.intel.profile.patterns import FEWEST_CELLS
from stillwatch.sketches import Sketcher
from stillwatch.sources import Log

__all__ = ["CROWD", "PARAMETERS", "Hits", "Observed", "Used", "observe"]

#: parameters of requests that an export may tell; none of them is text that somebody wrote
PARAMETERS: Final = (
    "temperature", "top_p", "n", "max_tokens", "stream", "logprobs", "top_logprobs", "reasoning",
)  # fmt: skip
#: a cell that so many other accounts sent is nobody's own
CROWD: Final = 1_000
#: cells of a case that others are counted for, most used first
_MOST_CELLS: Final = 4_096
_ROWS: Final = 16_384

#: an account, and the wanted cells of one exchange
Hits = tuple[str, tuple[int, ...]]
_Sketched = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]


@dataclass
class Used:
    """Who used one value: accounts of the case, and others; `refusal` says why it cannot leave."""

    refusal: str | None = None
    members: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)


@dataclass
class Observed:
    """What a log shows.

    Attributes:
        members: accounts of the case that are in the log.
        others: accounts in it that are not of the case, those on the allow-list included.
        values: field → digest → who used it; of ``ip`` the value itself, which never leaves.
        parameters: name → value → accounts of the case that gave it.
        cells: cell under the community's key → accounts of the case that sent it, k at least.
        cell_others: the same of others, :data:`CROWD` at most.
        hits, other_hits: which of these cells stood in one exchange, each combination of an
            account once; of others only those with two and more.
    """

    members: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    values: dict[str, dict[str, Used]] = field(default_factory=dict)
    parameters: dict[str, dict[str | float | bool, set[str]]] = field(default_factory=dict)
    cells: dict[int, set[str]] = field(default_factory=dict)
    cell_others: dict[int, set[str]] = field(default_factory=dict)
    hits: set[Hits] = field(default_factory=set)
    other_hits: set[Hits] = field(default_factory=set)


def observe(
    log: Log,
    accounts: frozenset[str],
    *,
    aside: frozenset[str] = frozenset(),
    community: CommunityKey,
    k: int,
    wordings: bool = True,
) -> Observed:
    """Read `log` twice.

    Args:
        accounts: of the case.
        aside: accounts that count neither as of the case nor as others.
        k: accounts of the case that must have sent a cell for it to be looked for among others.
        wordings: whether cells are looked for too; without them nothing is sketched.

    Raises:
        InputError: a file is gone or unreadable.
    """
    seen, senders = Observed(), Senders()
    sketcher = Sketcher(community.sketch_key())
    for batch in log.batches(_ROWS):
        rows = [row for row in batch.rows if row.account in accounts]
        if rows:
            _add_members(seen, rows, community)
            if wordings:
                senders.add([row.account for row in rows], *_cells(sketcher, rows))
    wanted = senders.cells_of(k, _MOST_CELLS)
    for batch in log.batches(_ROWS):
        rows = [row for row in batch.rows if row.account not in aside]
        others = [row for row in rows if row.account not in accounts]
        _add_others(seen, others, community)
        if len(wanted) and rows:  # without a wording that k accounts sent nothing is sketched
            for row, found in _hits(rows, _cells(sketcher, rows), wanted):
                if row.account in accounts:
                    _hit(seen.cells, seen.hits, row.account, found, 1, None)
                else:
                    _hit(seen.cell_others, seen.other_hits, row.account, found, FEWEST_CELLS, CROWD)
    return seen


def _cells(sketcher: Sketcher, rows: Sequence[RawExchange]) -> _Sketched:
    cells = sketcher.sketch(rows)["cells"]
    return cells.flatten().to_numpy(), cells.offsets.to_numpy()


def _add_members(seen: Observed, rows: Sequence[RawExchange], community: CommunityKey) -> None:
    for row in rows:
        seen.members.add(row.account)
        for name in PARAMETERS:
            given = getattr(row, name)
            if given is not None:
                seen.parameters.setdefault(name, {}).setdefault(given, set()).add(row.account)
    for account, name, key, value in _values(rows, community):
        known = seen.values.setdefault(name, {})
        if key not in known:
            why = why_guessable(name, normalised(name, value)) if name != "ip" else None
            known[key] = Used(why)
        known[key].members.add(account)


def _add_others(seen: Observed, rows: Sequence[RawExchange], community: CommunityKey) -> None:
    seen.others.update(row.account for row in rows)
    for account, name, key, _ in _values(rows, community, frozenset(seen.values)):
        used = seen.values[name].get(key)
        if used is not None:
            used.others.add(account)


def _values(
    rows: Sequence[RawExchange], community: CommunityKey, fields: frozenset[str] | None = None
) -> Iterator[tuple[str, str, str, str]]:
    """(account, field, digest, value) of every value; of `fields` alone where some are given."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for row in rows:
        for name, value in identifiers(row).items():
            if fields is None or name in fields:
                accounts, values = found.setdefault(name, ([], []))
                accounts.append(row.account)
                values.append(value)
        if row.ip and (fields is None or "ip" in fields):
            yield row.account, "ip", row.ip, row.ip
    for name, (accounts, values) in found.items():
        digests = community.digests(name, values, leaving=False)
        for account, digest, value in zip(accounts, digests, values, strict=True):
            assert digest is not None
            yield account, name, digest, value


def _hits(
    rows: Sequence[RawExchange], sketched: _Sketched, wanted: Ints
) -> Iterator[tuple[RawExchange, list[int]]]:
    """Exchanges that have any of `wanted`, and which."""
    flat, offsets = sketched
    hit = np.flatnonzero(np.isin(flat, wanted))
    owners = np.searchsorted(offsets, hit, side="right") - 1
    by_row: dict[int, list[int]] = {}
    for cell, owner in zip(flat[hit].tolist(), owners.tolist(), strict=True):
        by_row.setdefault(owner, []).append(cell)
    for owner, found in by_row.items():
        yield rows[owner], found


def _hit(
    cells: dict[int, set[str]], hits: set[Hits], account: str, found: Iterable[int], least: int,
    most: int | None,
) -> None:  # fmt: skip
    kept = []
    for cell in found:
        accounts = cells.setdefault(cell, set())
        if most is None or len(accounts) < most:
            accounts.add(account)
            kept.append(cell)
    if len(kept) >= least:
        hits.add((account, tuple(kept)))
