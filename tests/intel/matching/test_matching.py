"""What others told, looked for in exchanges: who meets it, and who does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.detections import HITS
from stillwatch.errors import IndicatorError
from stillwatch.exchange import RawExchange
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.matching import (
    IndicatorMeeting,
    IndicatorSet,
    indicator_of,
    indicators_of,
    match_log,
    read_pattern,
    write_hits,
)
from stillwatch.intel.matching.sets import MOST_SHARING
from stillwatch.intel.profile import Author, Detector, Tlp, new_version
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sources import NativeWriter, open_log
from tests.intel.received.conftest import AT, KEY, NOW, A, B, Provider, hidden

CARD = {number: hidden(f"card-{number}") for number in range(10)}
MACHINE = hidden("machine-1")
TEXT = (
    "please solve the following task and write down every single step of the reasoning and then "
    "finish with one line that holds nothing but the final result of it all"
)


def exchange(account: str, **fields: Any) -> RawExchange:
    return RawExchange(at=NOW * 1_000_000, account=account, **({"prompt": "hello"} | fields))


def wording(
    text: str, least: int = 3, key: CommunityKey = KEY, by: Provider = A, **more: Any
) -> dict[str, Any]:
    """What somebody tells of a wording: the cells of a text under the community's key."""
    batch = Sketcher(key.sketch_key()).sketch([exchange("a", prompt=text)])
    return by.author.template(
        key.scheme, least, batch["cells"].to_pylist()[0], accounts="10-99", k=5,
        detector=Detector("stillwatch", "1", 0.01, "a log"), valid_from=AT, now=AT,
        valid_until=AT + timedelta(days=30), **more,
    )  # fmt: skip


def set_of(*told: dict[str, Any], at: float = NOW, key: CommunityKey = KEY) -> IndicatorSet:
    return IndicatorSet(indicators_of(told), key, at)


def met(told: IndicatorSet, *rows: RawExchange) -> set[tuple[str, str]]:
    """(account, kind of indicator) of all exchanges that meet something."""
    [found] = IndicatorMeeting([told]).look(rows)
    return {
        (rows[row].account, "wording" if told.entries[entry].is_wording else "identifier")
        for row, entry in zip(found.exchange.tolist(), found.entry.tolist(), strict=True)
    }


def test_an_account_that_shows_what_was_told_meets_it_and_no_other_does() -> None:
    told = set_of(A.tells(CARD[1]), A.tells(MACHINE, field="device"))
    rows = [
        exchange("paid", payment=CARD[1]),
        exchange("on", device=MACHINE),
        exchange("crossed", payment=MACHINE, device=CARD[1]),
        exchange("other", payment=CARD[2]),
        exchange("nothing"),
    ]
    assert met(told, *rows) == {("paid", "identifier"), ("on", "identifier")}
    assert met(told, *rows) == {("paid", "identifier"), ("on", "identifier")}  # as remembered


def test_a_near_duplicate_of_a_wording_meets_it_and_another_text_does_not() -> None:
    told = set_of(wording(TEXT))
    rows = [
        exchange("same", prompt=TEXT),
        exchange("near", prompt=TEXT + " 4711 apples fell from 12 trees"),
        exchange("other", prompt="what is the weather like in the north of the country today"),
        exchange("short", prompt=TEXT[:30]),
    ]
    assert met(told, *rows) == {("same", "wording"), ("near", "wording")}


def test_a_value_that_anybody_could_guess_meets_nothing_whoever_told_it() -> None:
    told = set_of(A.tells("4711"), A.tells("10.0.0.1", field="device"))
    assert len(told) == 2
    assert not met(told, exchange("a", payment="4711", device="10.0.0.1"))


def test_an_exchange_needs_as_many_cells_as_the_wording_asks_for() -> None:
    half = TEXT[: len(TEXT) // 2] + " but here the text goes on in quite another way than that did"
    assert met(set_of(wording(TEXT, 3)), exchange("half", prompt=half))
    assert not met(set_of(wording(TEXT, 15)), exchange("half", prompt=half))


def test_under_another_key_nothing_is_looked_for() -> None:
    other = CommunityKey("forum", "2027-q1", bytes(range(1, 33)))
    told = set_of(A.tells(CARD[1]), wording(TEXT), key=other)
    assert (len(told), told.foreign) == (0, 2)


def test_what_is_over_or_not_begun_or_taken_back_is_not_looked_for() -> None:
    late, over = A.tells(CARD[1], at=AT + timedelta(days=1)), A.tells(CARD[2], days=0.5)
    told = set_of(late, over, A.takes_back(A.tells(CARD[3])), at=NOW + 80_000)
    assert (len(told), told.over) == (0, 3)


def test_the_same_told_by_two_senders_is_one_indicator_of_two_efforts() -> None:
    told = set_of(A.tells(CARD[1], accounts="10-99"), B.tells(CARD[1], accounts="100-999"))
    [entry] = told.entries
    assert (len(entry.senders), entry.claimed) == (2, 999)
    rows = [exchange("paid", payment=CARD[1]), exchange("other")]
    meeting = IndicatorMeeting([told])
    sketched = Sketcher(SketchKey(bytes(32)), compared=meeting.keys).sketch(rows)
    hits = meeting.meet(sketched)
    assert hits.schema == HITS
    assert len(set(hits["effort"].to_pylist())) == 2
    assert set(hits["account"].to_pylist()) == {sketched["account"].to_pylist()[0]}
    assert hits["senders"].to_pylist() == [2, 2]


def test_indicators_of_one_campaign_are_one_effort_and_those_of_two_senders_never_are() -> None:
    first, second, foreign = A.tells(CARD[1]), A.tells(CARD[2]), B.tells(CARD[3])
    campaign = "campaign--00000000-0000-4000-8000-000000000009"
    told = set_of(
        first, second, foreign,
        *(A.author.related(each["id"], "indicates", campaign, AT) for each in (first, second)),
        B.author.related(foreign["id"], "indicates", campaign, AT),
        B.author.related(first["id"], "indicates", "campaign--" + "1" * 36, AT),
    )  # fmt: skip
    rows = [exchange(f"a{n}", payment=CARD[n]) for n in (1, 2, 3)]
    meeting = IndicatorMeeting([told])
    hits = meeting.meet(Sketcher(SketchKey(bytes(32)), compared=meeting.keys).sketch(rows))
    efforts = dict(zip(hits["request"].to_pylist(), hits["effort"].to_pylist(), strict=True))
    assert len(efforts) == 3
    assert len(set(efforts.values())) == 2


def test_a_log_gives_hits_by_account_with_times(tmp_path: Path) -> None:
    rows = [
        RawExchange(at=(NOW + n) * 1_000_000, account=name, prompt=f"text {n}", payment=card)
        for n, (name, card) in enumerate(
            [("a", CARD[1]), ("b", CARD[9]), ("a", CARD[1]), ("c", CARD[1]), ("a", CARD[9])]
        )
    ]
    with NativeWriter(tmp_path / "log.jsonl") as writer:
        writer.write(rows)
    found = match_log(open_log([tmp_path / "log.jsonl"]), [set_of(A.tells(CARD[1]))])
    assert [(h.account, h.exchanges, h.first_at, h.last_at) for h in found.hits] == [
        ("a", 2, NOW * 1_000_000, (NOW + 2) * 1_000_000),
        ("c", 1, (NOW + 3) * 1_000_000, (NOW + 3) * 1_000_000),
    ]
    assert (found.accounts, found.rows, found.spread()) == (3, 5, {found.hits[0].pattern: 2})
    write_hits(found.hits, tmp_path / "hits.jsonl")
    write_hits(found.hits, tmp_path / "hits.parquet")
    lines = [json.loads(line) for line in (tmp_path / "hits.jsonl").read_text().splitlines()]
    assert lines == pq.read_table(tmp_path / "hits.parquet").to_pylist()


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("stix", f"{KEY.scheme} 3 " + " ".join(["0" * 16] * 3)),
        ("sigma", "[x-stillwatch-digest:payment = '" + "0" * 32 + "']"),
        ("stillwatch-template", "other 3 " + " ".join(f"{n:016x}" for n in range(4))),
    ],
)
def test_a_pattern_of_another_type_or_scheme_is_refused(kind: str, pattern: str) -> None:
    with pytest.raises(IndicatorError):
        read_pattern(kind, pattern, KEY.scheme)
    with pytest.raises(IndicatorError, match="scheme"):
        read_pattern("stix", "[x-stillwatch-digest:payment = '" + "0" * 32 + "']", "of mine")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120), st.sampled_from(["stix", "stillwatch-template"]))
def test_whatever_stands_in_a_pattern_it_is_read_whole_or_refused(text: str, kind: str) -> None:
    try:
        found = read_pattern(kind, text, KEY.scheme)
    except IndicatorError:
        return
    assert str(found.what) == text


CELLS = st.sets(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CELLS, st.integers(3, 6)), min_size=1, max_size=5),
    st.lists(CELLS, min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_wordings_are_met_as_counting_cells_has_it(
    told: list[tuple[set[int], int]], sent: list[set[int]], random: Any
) -> None:
    things = []
    for cells, least in told:
        author = Author(A.identity, A.key, Tlp.AMBER)
        things.append(author.template(
            KEY.scheme, min(least, len(cells)), list(cells), accounts="10-99", k=5,
            detector=Detector("d", "1"), valid_from=AT, valid_until=AT + timedelta(days=1), now=AT,
        ))  # fmt: skip
    # exchanges borrow cells of wordings, some twice
    pool = sorted(set().union(*(cells for cells, _ in told)))
    rows = [[*each, *(random.choice(pool) for _ in range(random.randint(0, 9)))] for each in sent]
    indicators = set_of(*things)
    flat = np.array([cell for row in rows for cell in row], np.int64)
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    found = set(zip(*map(np.ndarray.tolist, indicators.worded(flat, offsets)), strict=True))
    counted = {
        (number, entry)
        for number, row in enumerate(rows)
        for entry, each in enumerate(indicators.entries)
        if len(set(row) & set(each.told[0].pattern.what.cells)) >= each.told[0].pattern.what.least  # type: ignore[union-attr]
    }
    assert found == counted


def test_what_a_sender_says_of_an_indicator_is_read() -> None:
    told = indicator_of(A.tells(CARD[1], accounts="10-99", rate=0.003, days=2))
    assert (told.accounts, told.rate) == (99, 0.003)
    assert told.valid_until == NOW + 2 * 86_400
    later = new_version(A.tells(CARD[1]), {"valid_until": "2026-13-01T00:00:00Z"}, AT)
    with pytest.raises(IndicatorError, match="valid_until"):
        indicator_of(later)


def test_times_are_read_to_the_second() -> None:
    told = A.tells(CARD[1], at=datetime(2026, 9, 1, 12, 0, 0, 500_000, UTC))
    assert indicator_of(told).valid_from == int(datetime(2026, 9, 1, 12, tzinfo=UTC).timestamp())


def test_the_rate_of_an_indicator_is_the_smallest_that_a_sender_measured() -> None:
    """Else whoever repeats it with a rate of 1 would take all its weight from it."""
    [entry] = set_of(A.tells("card-1", rate=0.01), B.tells("card-1", rate=1.0)).entries
    assert entry.rate == 0.01


def test_one_sender_cannot_drown_a_scan_in_wordings_that_share_their_cells() -> None:
    """Ten thousand of them would be looked up, and counted, for every exchange with the cells."""
    of_a = [wording(TEXT, least=2 + n) for n in range(9)]
    many = [wording(f"{TEXT} and then once more {n * 'so '}") for n in range(1, 40)]
    of_b = wording(TEXT, least=11, by=B)
    told = set_of(*of_a, *many, of_b)
    assert told.crowded >= 20
    kept = [each.sender for entry in told.entries for each in entry.told]
    assert kept.count(A.identity) == MOST_SHARING
    assert kept.count(B.identity) == 1
    assert set_of(of_b).crowded == 0
