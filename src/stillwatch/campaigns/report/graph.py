"""Members and what they share → a graph small enough to read, whatever the campaign's size.

Accounts with the same set of ties are one node, sized by their number. Shared objects are hubs;
those that the same accounts share are one hub, and the rarest of each detection become one hub
*n more* until few enough nodes are left. So a drawing of 3,000 accounts has no more hubs and nodes
than one of 60, and equal input gives an equal drawing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stillwatch.campaigns.campaign import Tie

__all__ = ["NODES", "Graph", "Hub", "Node", "condense"]

NODES = 28
SINGLE = 12
"""Up to so many members, each is a node of its own."""


@dataclass(frozen=True)
class Hub:
    """One shared object, or several of a detection: `objects` says how many it stands for."""

    detection: str
    label: str
    kind: str
    accounts: frozenset[str]
    objects: int = 1
    rest: bool = False
    """whether it gathers what was too small to be drawn alone"""


@dataclass(frozen=True)
class Node:
    """Accounts that share the same hubs. `hubs` are positions in the graph's hubs.

    `loosely`: they share these hubs and others that differ between them.
    """

    accounts: tuple[str, ...]
    hubs: tuple[int, ...]
    loosely: bool = False


@dataclass(frozen=True)
class Graph:
    """Hubs by detection, most shared first, and nodes, largest first."""

    hubs: tuple[Hub, ...]
    nodes: tuple[Node, ...]

    @property
    def members(self) -> int:
        return sum(len(node.accounts) for node in self.nodes)


def condense(members: Sequence[str], ties: Iterable[Tie], most_hubs: int) -> Graph:
    """Gather members (most important first) and their ties into few hubs and nodes.

    Each detection keeps one hub at least, so that there may be more than `most_hubs`.

    Accounts of a tie that are no members are left out, and so is a tie of fewer than two members.
    """
    kinds = _by_detection(members, ties)
    alone = {kind: len(hubs) for kind, hubs in kinds.items()}
    while True:
        hubs = _drawn(kinds, alone)
        nodes = _nodes(members, hubs) if len(hubs) <= most_hubs else []
        fullest = max(sorted(alone), key=lambda kind: alone[kind], default="")
        if (len(hubs) <= most_hubs and len(nodes) <= NODES) or alone[fullest] < 2:
            return Graph(tuple(hubs), tuple(_gathered(nodes or _nodes(members, hubs))))
        alone[fullest] -= 1


def _by_detection(members: Sequence[str], ties: Iterable[Tie]) -> dict[str, list[Hub]]:
    """Hubs, most shared first; equal labels of a detection are numbered in that order."""
    position = {account: place for place, account in enumerate(members)}
    labels: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
    for tie in ties:
        accounts = frozenset(position.keys() & tie.accounts)
        if len(accounts) >= 2:
            labels[tie.detection, accounts].append(tie.label)

    def order(shared: tuple[str, frozenset[str]]) -> tuple[int, list[str], list[int]]:
        return -len(shared[1]), sorted(labels[shared]), sorted(map(position.get, shared[1]))  # type: ignore[arg-type]

    kinds: dict[str, list[Hub]] = defaultdict(list)
    often = Counter((detection, min(labels[detection, found])) for detection, found in labels)
    numbers: Counter[tuple[str, str]] = Counter()
    for detection, accounts in sorted(labels, key=order):
        names = labels[detection, accounts]
        label = kind = min(names)
        numbers[detection, kind] += 1
        if often[detection, kind] > 1:
            label = f"{kind} {numbers[detection, kind]}"
        if len(names) > 1:
            label = f"{label} and {len(names) - 1} more"
        kinds[detection].append(Hub(detection, label, kind, accounts, len(names)))
    return dict(sorted(kinds.items()))


def _drawn(kinds: Mapping[str, Sequence[Hub]], alone: Mapping[str, int]) -> list[Hub]:
    """Of each detection its first `alone` hubs, and one for the rest."""
    drawn: list[Hub] = []
    for detection, hubs in kinds.items():
        rest = hubs[alone[detection] :]
        drawn += hubs[: alone[detection]]
        if len(rest) == 1:
            drawn += rest
        elif rest:
            accounts = frozenset().union(*(hub.accounts for hub in rest))
            objects = sum(hub.objects for hub in rest)
            kind = ", ".join(sorted({hub.kind for hub in rest})[:3])
            label = f"{objects} more ({kind})"
            drawn.append(Hub(detection, label, kind, accounts, objects, rest=True))
    return drawn


def _nodes(members: Sequence[str], hubs: Sequence[Hub]) -> list[Node]:
    shared: dict[str, list[int]] = {account: [] for account in members}
    for place, hub in enumerate(hubs):
        for account in hub.accounts:
            shared[account].append(place)
    together: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for account in members:
        together[tuple(shared[account])].append(account)
    if len(members) <= SINGLE:
        return [Node((account,), tuple(shared[account])) for account in members]
    nodes = [Node(tuple(accounts), places) for places, accounts in together.items()]
    return sorted(nodes, key=lambda node: (-len(node.accounts), node.hubs))


def _gathered(nodes: Sequence[Node]) -> list[Node]:
    """At most NODES of them: the smallest become one that keeps the ties common to all of it."""
    if len(nodes) <= NODES:
        return list(nodes)
    drawn, rest = list(nodes[: NODES - 1]), nodes[NODES - 1 :]
    common = set(rest[0].hubs).intersection(*(node.hubs for node in rest))
    accounts = tuple(account for node in rest for account in node.accounts)
    return [*drawn, Node(accounts, tuple(sorted(common)), loosely=True)]
