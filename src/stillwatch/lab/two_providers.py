"""One campaign, two providers: simulated traffic whose accounts fall to one of two logs.

Who distils goes where it is let in, so that a campaign's accounts are split between providers, and
each sees a part of it. The same hand pays at both: a card, or a machine, of accounts here may be
that of accounts there. Accounts and their infrastructure are simulated.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.lab.traffic import Arrival, Campaign, Leaks, Scenario, Tier, simulate
from stillwatch.sketches import SketchKey
from stillwatch.sources import NativeWriter

__all__ = ["REHEARSAL", "Split", "split_campaign", "write_two_providers"]

#: what `stillwatch intel rehearse` hides: small enough for a few seconds a scan
REHEARSAL = Scenario(
    name="two-providers",
    about="a reasoning harvest over two providers",
    accounts=500,
    campaigns=(
        Campaign(
            name="harvest",
            family="reasoning_harvest",
            tier=Tier.T1,
            accounts=50,
            per_account=14,
            cover=0.3,
            arrival=Arrival.SPREAD,
            leaks=Leaks(payment=0.6, payment_group=6, device=0.2),
        ),
    ),
)


def split_campaign(innocents: int, *, volume: float = 1.0, **changes: object) -> Scenario:
    """The rehearsal with so many innocent accounts, and its campaign with `changes`.

    Args:
        volume: factor on the volume of every innocent account.
    """
    campaign = replace(REHEARSAL.campaigns[0], **changes)  # type: ignore[arg-type]
    return replace(REHEARSAL, accounts=innocents, volume=volume, campaigns=(campaign,))


@dataclass(frozen=True)
class Split:
    """The logs of the two, and who was hidden in each."""

    logs: tuple[Path, Path]
    labels: tuple[Path, Path]
    members: tuple[frozenset[str], frozenset[str]]
    accounts: tuple[int, int]


def write_two_providers(
    folder: Path, scenario: Scenario, seed: int, *, share: float = 0.5
) -> Split:
    """Simulate `scenario` and write ``a.parquet`` and ``b.parquet`` with their labels.

    Beside each stands the sketch key of its provider (``a.key``, ``b.key``), made of the seed, so
    that scans come out the same each time.

    Args:
        share: of the campaign's accounts that provider A has; of the innocent ones it has half.
    """
    traffic = simulate(scenario, seed)
    members = sorted({name for each in traffic.planted() for name in each.accounts})
    rng = np.random.default_rng([seed, 0x2F])
    order = rng.permutation(len(members))
    at_a = {members[i] for i in order[: round(share * len(members))].tolist()}
    hidden = set(members)
    innocents: dict[str, bool] = {}
    folder.mkdir(parents=True, exist_ok=True)
    logs = (folder / "a.parquet", folder / "b.parquet")
    with NativeWriter(logs[0]) as a, NativeWriter(logs[1]) as b:
        for batch in traffic.batches():
            for row in batch:
                if row.account not in hidden and row.account not in innocents:
                    innocents[row.account] = bool(rng.random() < 0.5)
            mine = [innocents.get(row.account, row.account in at_a) for row in batch]
            a.write([row for row, is_a in zip(batch, mine, strict=True) if is_a])
            b.write([row for row, is_a in zip(batch, mine, strict=True) if not is_a])
    for log in logs:
        secret = hashlib.blake2b(f"{scenario.name} {log.stem} {seed}".encode(), digest_size=32)
        SketchKey(secret.digest()).write(log.with_suffix(".key"))
    labels = traffic.labels()
    first = pa.array([*at_a, *(name for name, is_a in innocents.items() if is_a)], pa.string())
    of_a = pc.is_in(labels["account"], value_set=first)
    files = (folder / "a-labels.parquet", folder / "b-labels.parquet")
    for file, chosen in zip(files, (of_a, pc.invert(of_a)), strict=True):
        pq.write_table(labels.filter(chosen), file, compression="zstd")
    count = sum(innocents.values())
    return Split(
        logs,
        files,
        (frozenset(at_a), frozenset(hidden - at_a)),
        (len(at_a) + count, len(hidden) - len(at_a) + len(innocents) - count),
    )
