"""Links of all detections → candidate groups of accounts.

Objects (a style, a payment instrument, a conversation prefix) are grouped first and accounts
second, so that an account whose cover traffic runs through a popular framework still meets its
campaign. Objects that link many accounts are cores; cores with much the same accounts are one
candidate (communities of the graph whose edges are similarities, not connected components, which
chain), and each is one of its own as well. Small objects join the core that holds most of their
accounts; what is left forms candidates of its own, such as accounts that share only instruments.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from stillwatch.detections import LEAST_MARKED, Findings, communities

__all__ = ["LEAST_ACCOUNTS", "Candidate", "find_candidates"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: detections that link by how things are said: many share a wording who share nothing else
WORDINGS = ("echo", "rewording")
#: detections that link by what others say, which nothing in this log need bear out
HEARSAY = ("indicators",)
#: fewer accounts are an account finding, never a campaign
LEAST_ACCOUNTS = 3
#: an object with this many accounts is a core
CORE = 5
#: cores whose accounts are this similar (cosine), and overlap so many times more than chance
#: would have it, are one candidate; so are cores of much the same accounts (Jaccard)
SIMILAR, LIFT, SAME = 0.35, 8.0, 0.35
#: what joins only small objects must hold one link with such a share of the nats that a link can
#: have: an address shared by two accounts is chance, a card is not
LEAD = 0.5
#: a small object joins the core that holds this share of its accounts
CONTAINED = 0.6


@dataclass(frozen=True)
class Candidate:
    """Accounts that shared objects join; `links` names them: detection → object → accounts.

    `filled`: only exchanges count that fill the shared wording with what others send too.
    """

    accounts: Ints
    links: Mapping[str, Mapping[int, Ints]]
    filled: bool = False

    @property
    def least(self) -> int:
        """Marked exchanges from which on an account is taken in: what `rewording` links by."""
        if "echo" in self.links or "rewording" not in self.links:
            return LEAST_MARKED
        return min(self.links["rewording"])

    def ties(self) -> Iterator[Ints]:
        """The accounts of every shared object that is more than a way of wording things.

        What others say ties only those together whom a wording of this log joins as well.
        """
        worded = any(name in self.links for name in WORDINGS)
        left_out = WORDINGS if worded else (*WORDINGS, *HEARSAY)
        return (accounts for name, _, accounts in self.objects() if name not in left_out)

    def objects(self) -> Iterator[tuple[str, int, Ints]]:
        """Every shared object as (detection, object, its accounts)."""
        for detection, objects in self.links.items():
            for shared, accounts in objects.items():
                yield detection, shared, accounts


@dataclass(frozen=True)
class _Objects:
    """All linked objects; `uses` has a row an account and a column an object.

    ``weights`` are the nats of a link to each object, ``sizes`` its accounts.
    """

    names: list[tuple[str, int]]
    accounts: Ints
    uses: sp.csc_matrix
    sizes: Ints
    weights: Floats

    def members(self, column: int) -> Ints:
        rows = self.uses.indices[self.uses.indptr[column] : self.uses.indptr[column + 1]]
        return np.sort(self.accounts[rows])


def find_candidates(findings: Mapping[str, Findings], population: int) -> list[Candidate]:
    """Group the linked objects of all detections; most accounts first, ties by accounts.

    Args:
        population: accounts in the log, for what overlap chance would give.
    """
    objects = _objects(findings)
    if objects is None:
        return []
    core = objects.sizes >= CORE
    groups = _communities(objects, np.flatnonzero(core), population)
    small, homeless = _attach(objects, groups, np.flatnonzero(~core))
    groups = [[*group, *small[index]] for index, group in enumerate(groups)]
    # what was joined may have been joined wrongly: each core is a candidate of its own as well
    groups += [[each] for group in groups if core[group].sum() > 1 for each in group if core[each]]
    groups += [
        group
        for group in _communities(objects, homeless, population)
        if objects.weights[group].max() >= LEAD * math.log(max(population, 2))
    ]
    candidates = [_candidate(objects, group) for group in groups]
    chosen = [each for each in candidates if len(each.accounts) >= LEAST_ACCOUNTS]
    return sorted(chosen, key=lambda each: (-len(each.accounts), each.accounts.tolist()))


def _objects(findings: Mapping[str, Findings]) -> _Objects | None:
    owners: list[Ints] = []
    columns: list[Ints] = []
    names: list[tuple[str, int]] = []
    weights: list[Floats] = []
    for detection, found in sorted(findings.items()):
        if not found.links.num_rows:
            continue
        shared, column = np.unique(found.links["object"].to_numpy(), return_inverse=True)
        columns.append(column + len(names))
        heaviest = np.zeros(len(shared))
        np.maximum.at(heaviest, column, found.links["weight"].to_numpy())
        weights.append(heaviest)
        owners.append(found.links["account"].to_numpy())
        names += [(detection, each) for each in shared.tolist()]
    if not names:
        return None
    accounts, row = np.unique(np.concatenate(owners), return_inverse=True)
    ones = np.ones(len(row), dtype=np.float32)
    shape = (len(accounts), len(names))
    uses = sp.coo_matrix((ones, (row, np.concatenate(columns))), shape=shape).tocsc()
    uses.data[:] = 1
    uses.sort_indices()
    sizes = np.diff(uses.indptr).astype(np.int64)
    return _Objects(names, accounts, uses, sizes, np.concatenate(weights))


def _communities(objects: _Objects, columns: Ints, population: int) -> list[list[int]]:
    """Communities among `columns`; edges join objects with similar accounts."""
    if not len(columns):
        return []
    chosen = objects.uses[:, columns]
    overlap = sp.triu(chosen.T @ chosen, k=1).tocoo()
    sizes = objects.sizes[columns].astype(float)
    left, right, both = sizes[overlap.row], sizes[overlap.col], overlap.data.astype(float)
    cosine = both / np.sqrt(left * right)
    lifted = (cosine >= SIMILAR) & (both * population >= LIFT * left * right) & (both >= 3)
    keep = lifted | (both / (left + right - both) >= SAME)
    found = communities(len(columns), overlap.row[keep], overlap.col[keep], cosine[keep])
    groups: dict[int, list[int]] = {}
    for column, group in zip(columns.tolist(), found.tolist(), strict=True):
        groups.setdefault(group, []).append(column)
    return list(groups.values())


def _attach(
    objects: _Objects, groups: list[list[int]], small: Ints
) -> tuple[list[list[int]], Ints]:
    """For each group the small objects that it holds; then those that no group holds."""
    held: list[list[int]] = [[] for _ in groups]
    if not groups or not len(small):
        return held, small
    of_group = sp.csc_matrix(
        (
            np.ones(sum(map(len, groups)), dtype=np.float32),
            np.concatenate(groups),
            np.cumsum([0, *map(len, groups)]),
        ),
        shape=(len(objects.names), len(groups)),
    )
    member = (objects.uses @ of_group).sign()
    inside = (objects.uses[:, small].T @ member).tocoo()
    share = inside.data / objects.sizes[small][inside.row]
    # among groups that hold it equally the smallest: a popular tool holds everything
    crowd = np.asarray(member.sum(axis=0)).ravel()[inside.col]
    order = np.lexsort((inside.col, crowd, -share, inside.row))
    _, best = np.unique(inside.row[order], return_index=True)
    best = order[best][share[order[best]] >= CONTAINED]
    for column, group in zip(
        small[inside.row[best]].tolist(), inside.col[best].tolist(), strict=True
    ):
        held[group].append(column)
    return held, np.delete(small, inside.row[best])


def _candidate(objects: _Objects, columns: list[int]) -> Candidate:
    links: dict[str, dict[int, Ints]] = {}
    cores = [column for column in columns if objects.sizes[column] >= CORE] or columns
    accounts = np.unique(np.concatenate([objects.members(column) for column in cores]))
    for column in sorted(columns):
        detection, shared = objects.names[column]
        members = np.intersect1d(objects.members(column), accounts)
        if len(members) > 1:
            links.setdefault(detection, {})[shared] = members
    return Candidate(accounts, links)
