"""A judged group → a campaign: who is a member, since when, how much, on what ties."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.campaign import Campaign, Member, Tie
from stillwatch.campaigns.candidates import LEAST_ACCOUNTS, Candidate
from stillwatch.campaigns.judging import COUNTS, Judgement
from stillwatch.campaigns.load_balance import evenly_sending
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.reasons import reasons
from stillwatch.detections import UNKNOWN, Family, Group

__all__ = ["belonging", "settle"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HOUR = 3_600_000_000
#: probability of being one of the even ones from which on an account is named for that
LIKELY = 0.8


def settle(
    candidate: Candidate,
    judgement: Judgement,
    group: Group,
    members: Ints,
    names: AccountNames,
    labels: Mapping[int, str],
) -> Campaign | None:
    """The campaign that `group` is; None where too few are members.

    Args:
        group: all exchanges of the candidate's accounts.
        members: those of them who belong to it, see :func:`belonging`.
        labels: what shared objects may be called.
    """
    rows = group.rows
    total = np.bincount(rows.owner, minlength=len(rows.accounts))
    marked = np.bincount(rows.owner[group.styled], minlength=len(rows.accounts))
    ties = _ties_of(candidate, rows.accounts)
    share = marked / np.maximum(total, 1)
    member = np.isin(rows.accounts, members)
    if len(members) < LEAST_ACCOUNTS:
        return None
    inside = member[rows.owner]
    ours = inside & group.styled if group.styled.any() else inside
    at = rows.ints("at")
    score = judgement.score * (0.5 + 0.5 * share) + np.minimum(ties, 3)
    order = np.flatnonzero(member)[np.lexsort((rows.accounts[member], -score[member]))]
    called = dict(zip(rows.accounts.tolist(), names.lookup(rows.accounts), strict=True))
    shares = dict(zip(rows.accounts[member].tolist(), share[member].tolist(), strict=True))
    why = reasons(candidate, labels, shares)
    return Campaign(
        id="c-" + hashlib.sha256(np.sort(rows.accounts[member]).tobytes()).hexdigest()[:10],
        score=round(judgement.score, 3),
        first_seen=_time(at[ours].min()),
        last_seen=_time(at[ours].max()),
        exchanges=int(ours.sum()),
        tokens=_tokens(group, ours),
        members=tuple(
            _member(i, called, group, float(score[i]), float(share[i]), why) for i in order
        ),
        evidence=judgement.evidence,
        counter_evidence=judgement.counter_evidence,
        ties=tuple(
            tie
            for each in candidate.objects()
            if len((tie := _tie(*each, called, rows.accounts[member], labels)).accounts) > 1
        ),
        hours=_hours(at, ours, inside),
        e_value=judgement.e_values.log_e,
    )


def belonging(candidate: Candidate, judgement: Judgement, group: Group, alpha: float) -> Ints:
    """The accounts of `group` that are members, ascending.

    Who shares more than a wording is. Where the work that carries the wording is timed as one
    effort, those are too who do an even part of it, as many as leave an expected share of
    innocents of at most `alpha`; where it is divided among them, all who take part in it. Honest
    users of a tool that a campaign uses share the wording as well, and nothing else.
    """
    tied = _ties_of(candidate, group.accounts) > 0
    if not group.styled.any():
        return group.accounts[tied]
    tested = judgement.e_values.nats
    timed = max(tested.get(Family.TIME, 0.0), judgement.families.get(Family.TIME, 0.0))
    if timed >= COUNTS:
        return group.accounts[tied | _surely(evenly_sending(group), alpha)]
    if tested.get(Family.PURPOSE, 0.0) >= COUNTS:
        return group.accounts[tied | np.isin(group.accounts, judgement.e_values.takers)]
    return group.accounts[tied]


def _surely(member: Floats, alpha: float) -> npt.NDArray[np.bool_]:
    """The likeliest members, as many as have an expected share of others of at most `alpha`.

    Whoever is in doubt is left out all the same: certain members are no reason to accuse others.
    """
    order = np.argsort(-member, kind="stable")
    wrong = np.cumsum(1 - member[order]) / np.arange(1, len(member) + 1)
    chosen: npt.NDArray[np.bool_] = np.zeros(len(member), dtype=bool)
    chosen[order[: int(np.searchsorted(wrong, alpha, side="right"))]] = True
    return chosen & (member >= LIKELY)


def _ties_of(candidate: Candidate, accounts: Ints) -> Ints:
    """For each account the number of objects, styles apart, that it shares."""
    ties = np.zeros(len(accounts), dtype=np.int64)
    for members in candidate.ties():
        sharing = np.isin(accounts, members)
        if sharing.sum() > 1:
            ties[sharing] += 1
    return ties


def _member(
    i: int,
    called: Mapping[int, str],
    group: Group,
    score: float,
    share: float,
    why: Mapping[int, tuple[str, ...]],
) -> Member:
    rows = group.rows
    digest = int(rows.accounts[i])
    span = slice(
        int(np.searchsorted(rows.owner, i, side="left")),
        int(np.searchsorted(rows.owner, i, side="right")),
    )
    at, registered = rows.ints("at")[span], int(rows.ints("registered_at")[span].max())
    return Member(
        account=called[digest],
        score=round(score, 3),
        exchanges=len(at),
        share=round(share, 4),
        first_seen=_time(at.min()),
        last_seen=_time(at.max()),
        registered_at=None if registered == UNKNOWN else _time(registered),
        reasons=why.get(digest, ()),
    )


def _tie(
    detection: str,
    shared: int,
    accounts: Ints,
    called: Mapping[int, str],
    members: Ints,
    labels: Mapping[int, str],
) -> Tie:
    inside = np.intersect1d(accounts, members)
    return Tie(detection, labels.get(shared, detection), tuple(called[a] for a in inside.tolist()))


def _hours(
    at: Ints, ours: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_]
) -> dict[dt.datetime, tuple[int, int]]:
    hours, which = np.unique(at[inside] // HOUR, return_inverse=True)
    marked = np.bincount(which, weights=ours[inside], minlength=len(hours)).astype(int)
    everything = np.bincount(which, minlength=len(hours))
    return {
        _time(hour * HOUR): (int(m), int(n - m))
        for hour, m, n in zip(hours, marked, everything, strict=True)
    }


def _tokens(group: Group, ours: npt.NDArray[np.bool_]) -> int | None:
    if not group.rows.knows("completion_tokens"):
        return None
    total = 0
    for name in ("prompt_tokens", "completion_tokens"):
        values = group.rows.ints(name)[ours]
        total += int(values[values != UNKNOWN].sum())
    return total


def _time(micros: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=int(micros))
