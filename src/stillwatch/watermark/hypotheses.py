"""Which clusters are thought to work together, and on what grounds: said before any key is asked.

The grounds are behaviour: findings of a scan, invoices, addresses. Never the evidence of the mark
itself: a set that was chosen because its keys scored high would always be found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from stillwatch.errors import InputError

__all__ = ["ClusterHypothesis"]

_FORMAT = "stillwatch.campaigns/1"


class _Campaign(msgspec.Struct):
    id: str
    accounts: list[str]


class _Campaigns(msgspec.Struct):
    format: str
    campaigns: list[_Campaign]


@dataclass(frozen=True, slots=True)
class ClusterHypothesis:
    """Clusters that behaviour joined.

    Args:
        name: how results name it.
        members: names of clusters, at least two; what is named twice counts once.
        source: where the behaviour evidence lies, say the id of a campaign and the digest of its
            file. Whoever reads the result must be able to see that it is older than the test.

    Raises:
        ValueError: no name, no source, fewer than two members.
    """

    name: str
    members: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(sorted(set(self.members))))
        if not self.name or not self.source.strip():
            raise ValueError("a hypothesis has a name, and names the behaviour evidence for it")
        if len(self.members) < 2:
            raise ValueError(
                f"the hypothesis {self.name!r} has {len(self.members)} member: "
                "a cluster alone is tested anyway"
            )

    @classmethod
    def from_campaigns(
        cls, path: Path, cluster_of: Mapping[str, str] | None = None
    ) -> list[ClusterHypothesis]:
        """The campaigns of a file that ``stillwatch scan`` wrote, one hypothesis each.

        Args:
            path: ``campaigns.json``.
            cluster_of: the cluster whose key each account had; without it, an account's key is
                that of its own name. Campaigns whose accounts share one cluster are left out: one
                key needs no pooling.

        Raises:
            InputError: it cannot be read, or is of another format; an account has no cluster.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        try:
            found = msgspec.json.decode(content, type=_Campaigns)
        except msgspec.DecodeError as error:
            raise InputError(f"is no file of campaigns: {error}", path=path) from error
        if found.format != _FORMAT:
            raise InputError(f"is {found.format!r}, and must be {_FORMAT!r}", path=path)
        digest = hashlib.sha256(content).hexdigest()
        made = []
        for campaign in found.campaigns:
            members = campaign.accounts
            if cluster_of is not None:
                unknown = [account for account in members if account not in cluster_of]
                if unknown:
                    raise InputError(
                        f"{unknown[0]!r} of campaign {campaign.id!r} has no cluster", path=path
                    )
                members = [cluster_of[account] for account in members]
            if len(set(members)) > 1:
                made.append(cls(campaign.id, tuple(members), f"{campaign.id} sha256:{digest}"))
        return made
