"""Who is openly one customer: accounts of one organisation, or with one card and one mail domain.

A school pays for its pupils with one card and gives them addresses of its own domain: it hides
nothing. A pool that shares a card under mail addresses from everywhere does.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from stillwatch.detections.accounts import Accounts
from stillwatch.detections.group import Ints

__all__ = ["customers"]


def customers(accounts: Accounts, card: tuple[Ints, Ints], domain: tuple[Ints, Ints]) -> Ints:
    """For each account the number of the customer behind it, from 0.

    Args:
        card, domain: (account, value), an entry a value that an account has; only values that
            several accounts share and no crowd does, so that no webmail domain is among them.
    """
    size = len(accounts)
    payer, paid = _joined(card, domain)
    _, pair = np.unique(paid, axis=0, return_inverse=True)
    rows = np.concatenate([np.arange(size), accounts.at(payer)])
    columns = np.concatenate([accounts.owner, accounts.owners + pair.ravel()])
    nodes = size + int(columns.max(initial=0)) + 1
    graph = sp.coo_matrix((np.ones(len(rows), np.int8), (rows, size + columns)), (nodes, nodes))
    found = sp.csgraph.connected_components(graph, directed=False)[1][:size]
    customer: Ints = np.unique(found, return_inverse=True)[1]
    return customer


def _joined(left: tuple[Ints, Ints], right: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Every account that is in both, with each of its pairs of values (pair × 2)."""
    order = np.argsort(right[0], kind="stable")
    keys, values = right[0][order], right[1][order]
    first = np.searchsorted(keys, left[0], side="left")
    count = np.searchsorted(keys, left[0], side="right") - first
    at = np.repeat(np.arange(len(left[0])), count)
    within = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    return left[0][at], np.column_stack([left[1][at], values[first[at] + within]])
