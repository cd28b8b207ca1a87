"""Judged candidates → campaigns with members and readable templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.campaigns.campaign import Bound, Calibration, Campaign, Ran
from stillwatch.campaigns.detecting import (
    Detected,
    Sketched,
    StageTables,
    detect,
    run_all_stages,
)
from stillwatch.campaigns.gathering import gather
from stillwatch.campaigns.governor import Governor, Withheld
from stillwatch.campaigns.group_tests import group_tests
from stillwatch.campaigns.marks import union
from stillwatch.campaigns.members import belonging, settle
from stillwatch.campaigns.novelty import Reference
from stillwatch.campaigns.progress import Progress
from stillwatch.campaigns.promise import ALPHA, Promise, bounds, levels, promise
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.release_pivot import first_uses, released
from stillwatch.campaigns.templates import CellUse, cell_uses, templates
from stillwatch.detections import Detection, read_accounts
from stillwatch.engines import Engine

__all__ = ["Found", "ReadWords", "find_campaigns", "sampling_for"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
#: wanted cells → the masked words of those that may be read
ReadWords = Callable[[set[int]], dict[int, str]]

#: a campaign most of whose members belong to a better one is that one seen through other links
REPEATED = 0.5


@dataclass(frozen=True)
class Found:
    """What was found in one period: campaigns, and everything that led there.

    Attributes:
        campaigns: those that the promise holds for, the strongest first.
        review: groups that somebody should look at, of which nothing is promised.
        tested: how many groups were tested.
        withheld: where no verdict is given, for the nulls do not hold there.
        calibration, bounds: as in :class:`ScanReport`.
    """

    detected: Detected
    campaigns: Sequence[Campaign]
    review: Sequence[Campaign]
    tested: int
    withheld: Sequence[Withheld]
    ran: Sequence[Ran]
    scores: dict[int, float]
    calibration: Calibration = field(default_factory=Calibration)
    bounds: Sequence[Bound] = ()


def sampling_for(exchanges: int) -> int:
    """How far style cells are thinned (a power of two): memory and time stay bounded."""
    return 1 if exchanges <= 2_000_000 else 2 if exchanges <= 6_000_000 else 4


def find_campaigns(
    engine: Engine,
    store: Sketched,
    detections: Sequence[Detection],
    names: AccountNames,
    read_words: ReadWords,
    work: Path,
    progress: Progress,
    reference: Reference | None = None,
    *,
    alpha: float = ALPHA,
    tidy: bool = False,
    hits: pa.Table | None = None,
) -> Found:
    """Find the campaigns among the exchanges of `store`.

    Args:
        names: what accounts are called.
        read_words: the second pass over the text, for the cell dictionary.
        work: a folder for stages; results in it are used again.
        reference: an earlier period, for novelty.
        alpha: the expected share of false campaigns, at most.
        tidy: whether results in `work` that are of no use any more are removed.
        hits: what indicators of others met here, a table of
            :data:`stillwatch.detections.HITS`; without one nobody is asked about them.
    """
    detections = [each for each in detections if hits is not None or not each.metadata.outside]
    tables = run_all_stages(
        engine, store, detections, work, progress,
        sampling=sampling_for(store.rows()), tidy=tidy, hits=hits,
    )  # fmt: skip
    first = first_uses(tables)
    detected = detect(tables, detections, progress, released(first), reference)
    ran = [*detected.ran, *group_tests(first, reference)]
    promised = promise([judgement for _, judgement in detected.judged], alpha)
    settled, governor = _governed(tables, detected, promised, names)
    campaigns, review = _read(settled, promised.alpha, read_words)
    return Found(
        detected,
        campaigns,
        review,
        promised.tested,
        governor.withheld,
        ran,
        _scores(detected),
        governor.calibration,
        bounds(*_log_e(settled, detected)),
    )


@dataclass(frozen=True)
class _Settled:
    """A group that stands, with its members; `nats` as in :class:`Promise`."""

    campaign: Campaign
    nats: float
    suspicious: bool
    members: Ints
    uses: Mapping[int, CellUse]


def _governed(
    tables: StageTables, detected: Detected, promised: Promise, names: AccountNames
) -> tuple[list[_Settled], Governor]:
    """Groups with their levels, the strongest first, and who holds verdicts back."""
    settled = sorted(
        _settled(tables, detected, promised, names), key=lambda each: -each.nats
    )  # ties stay in the order of scores
    flagged = union([each.members for each in _at(settled, promised.alpha)])
    quiet = [
        judgement.e_values.log_e
        for _, judgement in detected.judged
        if not judgement.vetoed and np.isin(judgement.accounts, flagged).mean() <= REPEATED
    ]
    governor = Governor(read_accounts(tables), flagged, np.array(quiet))
    held = [(each, governor.holds_back(each.members)) for each in _at(settled, promised.alpha)]
    without = {each.campaign.id: why.segment for each, why in held if why is not None}
    free = _levelled([each for each in settled if each.campaign.id not in without])
    back = [
        replace(
            each,
            suspicious=True,
            campaign=replace(
                each.campaign,
                withheld=f"verdicts on {without[each.campaign.id]} are withheld",
            ),
        )
        for each in settled
        if each.campaign.id in without
    ]
    return [*free, *back], governor


def _log_e(settled: Sequence[_Settled], detected: Detected) -> tuple[Floats, Floats]:
    """E-values (nats) of distinct groups, the strongest first, and of all others tested."""
    own = np.array([each.campaign.e_value for each in settled], dtype=np.float64)
    tested = [each.e_values.log_e for _, each in detected.judged if not each.vetoed]
    return np.sort(own)[::-1], np.array(tested, dtype=np.float64)


def _levelled(settled: Sequence[_Settled]) -> list[_Settled]:
    """The same, strongest first, with the levels at which they are reported together."""
    found = levels(np.array([each.nats for each in settled])).tolist()
    return [
        replace(each, campaign=replace(each.campaign, level=level))
        for each, level in zip(settled, found, strict=True)
    ]


def _at(settled: Sequence[_Settled], alpha: float) -> list[_Settled]:
    """Those that are reported at `alpha`."""
    return [each for each in _levelled(settled) if each.campaign.level <= alpha]


def _read(
    settled: Sequence[_Settled], alpha: float, read_words: ReadWords
) -> tuple[list[Campaign], list[Campaign]]:
    """Those of the promise, and those for review, with their words."""
    shown = [each for each in settled if each.campaign.level <= alpha or each.suspicious]
    words = read_words({cell for each in shown for cell in each.uses})
    readable = [replace(each.campaign, templates=templates(each.uses, words)) for each in shown]
    return (
        [each for each in readable if each.level <= alpha],
        [each for each in readable if each.level > alpha],
    )


def _settled(
    tables: StageTables, detected: Detected, promised: Promise, names: AccountNames
) -> Iterator[_Settled]:
    """Groups that may be reported or are worth a review; no account is in two of them.

    It belongs to the group with the strongest test that names it, so that groups are distinct
    before the promise counts them.
    """
    # no set of reported groups holds one that is weaker
    least = -float(np.log(promised.alpha * max(1, promised.tested)))
    accepted = [
        (*pair, float(nats), float(share))
        for pair, nats, share in zip(detected.judged, promised.nats, promised.shares, strict=True)
        if pair[1].stands and (nats >= least or pair[1].is_suspicious)
    ]
    if not accepted:
        return
    accepted.sort(key=lambda each: -max(each[2], least))  # ties stay in the order of scores
    gathered = gather(tables, [pair[0] for pair in accepted], detected.styles, whole=True)
    labels = {each: text for f in detected.findings.values() for each, text in f.labels.items()}
    taken = np.zeros(0, dtype=np.int64)
    for candidate, judgement, nats, share in accepted:
        group = gathered.group(candidate)
        members = belonging(candidate, judgement, group, promised.alpha)
        elsewhere = np.intersect1d(group.accounts, taken)
        if len(elsewhere) > REPEATED * len(group.accounts):
            continue  # what was judged are mostly the accounts of a better campaign
        if len(elsewhere) and detected.tests is not None:
            # a crowd is not to be reported for the campaign that is a part of it
            group = group.without(elsewhere)
            judgement = replace(judgement, e_values=detected.tests.test(group))
            nats, whole = judgement.e_values.log_e + share, len(members)
            if not judgement.stands or not (nats >= least or judgement.is_suspicious):
                continue
            members = belonging(candidate, judgement, group, promised.alpha)
            if len(members) < REPEATED * whole:
                continue
        campaign = settle(candidate, judgement, group, members, names, labels)
        if campaign is None:
            continue
        taken = np.union1d(taken, members)
        uses = cell_uses(tables, detected.cells(candidate), members)
        yield _Settled(campaign, nats, judgement.is_suspicious, members, uses)


def _scores(detected: Detected) -> dict[int, float]:
    """Nats by account: the best score of a group whose marks it carries."""
    scores: dict[int, float] = {}
    for _, judgement in detected.judged:
        if judgement.score > 0:
            for account in judgement.accounts.tolist():
                scores[account] = max(scores.get(account, 0.0), judgement.score)
    return scores
