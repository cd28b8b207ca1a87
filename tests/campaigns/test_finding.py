"""Campaigns that overlap: an account belongs to the best one, the others are settled without it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns.campaign import Campaign
from stillwatch.campaigns.finding import find_campaigns
from stillwatch.campaigns.governor import Governor
from stillwatch.campaigns.progress import Silent
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.testing import EValues, GroupTests
from stillwatch.detections import ACCOUNT_DAYS, LINKS, Evidence, Family, Findings, Group, Metadata
from stillwatch.detections.detection import Tables
from stillwatch.detections.tables import account_cells, shared_cells
from stillwatch.engines import Engine, Stage
from tests.detections.exchanges import HOUR, START, Row, arrow, exchange

STRANGERS = range(1_000, 1_400)
MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


class Linking:
    """Links accounts by the objects that it is told of.

    `nats` says by account what a group is worth that holds it.
    """

    def __init__(
        self,
        name: str,
        family: Family,
        nats: Mapping[int, float],
        objects: Mapping[int, Iterable[int]] | None = None,
        styles: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        self.metadata = Metadata(
            name=name,
            family=family,
            title="test",
            sees="test",
            null="test",
            base_rate="test",
            look_alikes=("test",),
        )
        self._nats, self._objects, self._styles = nats, objects or {}, styles or {}

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS, shared_cells(sampling), account_cells(sampling)]

    def find(self, tables: Tables) -> Findings:
        linked = [(a, shared, 1, 6.0) for shared, some in self._objects.items() for a in some]
        columns = zip(*linked, strict=True) if linked else [[]] * 4
        links = pa.Table.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, LINKS, strict=True)], schema=LINKS
        )
        cells = {style: np.array(some) for style, some in self._styles.items()}
        return Findings(links=links, styles=cells)

    def judge(self, group: Group) -> Sequence[Evidence]:
        worth = [self._nats[a] for a in group.accounts.tolist() if a in self._nats]
        if not worth:
            return []
        name, family = self.metadata.name, self.metadata.family
        return [Evidence(family, name, 1.0, 0.0, "text", weight=max(worth))]


class OneDay:
    """The rows of one day, as find_campaigns asks an event store for them."""

    def __init__(self, rows: Sequence[Row], folder: Path) -> None:
        self._table, self._file = arrow(rows), folder / "day.parquet"
        pq.write_table(self._table, self._file)

    def rows(self) -> int:
        return int(self._table.num_rows)

    def days(self) -> list[dt.date]:
        return [MONDAY.date()]

    def parquet_files(self, first: dt.date, last: dt.date) -> list[Path]:
        return [self._file]


def found(
    folder: Path,
    cards: Mapping[int, Iterable[int]],
    nats: Mapping[int, float],
    *,
    styles: Mapping[int, Iterable[int]] | None = None,
    **columns: Any,
) -> list[Campaign]:
    """What stands of accounts that share `cards`, each worth twice what `nats` says by account.

    Of `styles`, those who share a style send two cells of it in two of three exchanges.
    """
    styles = styles or {}
    cells = {style: [64 * (100 * style + n) for n in range(2)] for style in styles}
    worn = {a: cells[style] for style, some in styles.items() for a in some}
    members = sorted({a for some in (*cards.values(), *styles.values()) for a in some})
    rows = [exchange(account) for account in STRANGERS]
    rows += [
        exchange(a, START + use * HOUR, cells=worn.get(a, []) if use else [], **columns)
        for a in members
        for use in range(3)
    ]
    names = AccountNames()
    everybody = np.array([*members, *STRANGERS])
    names.add(everybody, [f"account-{each}" for each in everybody.tolist()])
    detections = [
        Linking("infrastructure", Family.INFRASTRUCTURE, nats, cards),
        Linking("echo", Family.CONTENT, nats, styles, cells),
    ]
    with Engine("duckdb", folder) as engine:
        run = find_campaigns(
            engine,
            OneDay(rows, folder),  # type: ignore[arg-type]
            detections,
            names,
            lambda wanted: {},
            folder / "work",
            Silent(),
        )
    return [*run.campaigns, *run.review]


def members(campaign: Campaign) -> list[int]:
    return sorted(int(member.account.removeprefix("account-")) for member in campaign.members)


def test_campaigns_that_share_no_account_stand_as_they_are(tmp_path: Path) -> None:
    cards = {1: range(1, 9), 2: range(11, 17)}
    better, worse = found(tmp_path, cards, {1: 6.0, 11: 4.0})
    assert (members(better), members(worse)) == (list(range(1, 9)), list(range(11, 17)))
    assert (better.score, worse.score) == (12.0, 8.0)


@pytest.mark.parametrize("best", [1, 2])
def test_an_account_of_two_campaigns_stands_in_the_better_one_only(
    best: int, tmp_path: Path
) -> None:
    cards = {1: range(1, 11), 2: range(9, 19)}
    nats = {1: 6.0 if best == 1 else 4.0, 18: 6.0 if best == 2 else 4.0}
    better, worse = found(tmp_path, cards, nats)
    left = range(11, 19) if best == 1 else range(1, 9)
    assert (members(better), members(worse)) == (list(cards[best]), list(left))


def test_the_second_campaign_has_the_numbers_of_those_who_are_left(tmp_path: Path) -> None:
    cards = {1: range(1, 11), 2: range(9, 19)}
    better, worse = found(tmp_path, cards, {1: 6.0, 18: 4.0}, completion_tokens=100)
    assert (better.exchanges, better.tokens) == (30, 3_000)
    assert (worse.exchanges, worse.tokens) == (24, 2_400)
    assert worse.hours == {MONDAY + dt.timedelta(hours=n): (8, 0) for n in range(3)}
    (tie,) = worse.ties
    assert sorted(tie.accounts) == sorted(f"account-{n}" for n in range(11, 19))
    assert {reason for member in worse.members for reason in member.reasons} == {
        "infrastructure shared with 7 others"
    }


def test_its_name_is_that_of_a_campaign_of_those_who_are_left(tmp_path: Path) -> None:
    for folder in (tmp_path / "with", tmp_path / "alone"):
        folder.mkdir()
    _, worse = found(tmp_path / "with", {1: range(1, 11), 2: range(9, 19)}, {1: 6.0, 18: 4.0})
    (alone,) = found(tmp_path / "alone", {2: range(11, 19)}, {18: 4.0})
    assert worse.id == alone.id


def test_marked_exchanges_and_clauses_are_of_those_who_are_left_too(tmp_path: Path) -> None:
    styles = {3: range(9, 19)}
    cards = {1: range(1, 11), 2: range(9, 19)}
    better, worse = found(tmp_path, cards, {1: 12.0, 18: 4.0}, styles=styles)
    assert (members(better), members(worse)) == (list(range(1, 11)), list(range(11, 19)))
    assert worse.exchanges == 16
    hours = [(0, 8), (8, 0), (8, 0)]
    assert worse.hours == {MONDAY + dt.timedelta(hours=n): each for n, each in enumerate(hours)}
    assert {member.share for member in worse.members} == {round(2 / 3, 4)}


@pytest.mark.parametrize(("second", "left"), [(range(7, 11), 2), (range(7, 12), 3)])
def test_of_fewer_than_three_who_are_left_there_is_no_campaign(
    second: range, left: int, tmp_path: Path
) -> None:
    """Half of them are left or more, so that it is no repetition."""
    first = range(1, 9)
    assert len(set(second) - set(first)) == left >= len(second) / 2
    campaigns = found(tmp_path, {1: first, 2: second}, {1: 6.0, second[-1]: 4.0})
    assert [len(members(each)) for each in campaigns] == ([8, 3] if left == 3 else [8])


def test_a_campaign_most_of_whose_members_are_elsewhere_is_a_repetition(tmp_path: Path) -> None:
    cards = {1: range(1, 101), 2: range(90, 110)}
    assert len(found(tmp_path, cards, {1: 6.0, 109: 4.0})) == 1


def test_what_only_accounts_of_the_better_one_share_does_not_tie_the_second(
    tmp_path: Path,
) -> None:
    """The third thing ties two who are left, the fourth one of them to two who are elsewhere."""
    cards = {1: range(1, 11), 2: range(9, 19), 3: (9, 10, 17, 18), 4: (9, 10, 18)}
    _, worse = found(tmp_path, cards, {1: 6.0, 18: 4.0})
    assert members(worse) == list(range(11, 19))
    assert all(len(tie.accounts) > 1 for tie in worse.ties)
    assert sorted(len(tie.accounts) for tie in worse.ties) == [2, 8]


CREW, CROWD = range(1, 21), range(1, 61)


def crew_within_crowd(tmp_path: Path) -> Sequence[Campaign]:
    """A campaign of twenty shares a card, and with forty others a second one."""
    nats = dict.fromkeys(CROWD, 8.0) | dict.fromkeys(CREW, 20.0)
    return found(tmp_path, {1: CREW, 2: CROWD}, nats)


def test_a_crowd_is_not_reported_for_the_campaign_that_is_a_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its test was won by accounts that belong elsewhere; what is left is tested again."""

    def test(self: GroupTests, group: Group) -> EValues:
        share = np.isin(group.accounts, CREW).mean()
        return EValues({Family.TIME: -5.0 + 40.0 * np.sqrt(share)})

    monkeypatch.setattr(GroupTests, "test", test)
    tests = {tuple(members(each)): each.e_value for each in crew_within_crowd(tmp_path)}
    assert tests == pytest.approx({tuple(CREW): 35.0, tuple(CROWD[20:]): -5.0})


def test_a_group_without_evidence_takes_no_level_from_the_others_when_it_is_tested_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def test(self: GroupTests, group: Group) -> EValues:
        ours = np.isin(group.accounts, CREW).all()
        return EValues({Family.TIME: 30.0 if ours else -np.inf})

    monkeypatch.setattr(GroupTests, "test", test)
    monkeypatch.setattr(Governor, "holds_back", lambda *_: None)
    levels = {members(each)[0]: each.level for each in crew_within_crowd(tmp_path)}
    assert levels.keys() == {1, 21}
    assert levels[1] < 1e-9
    assert levels[21] == 1.0
