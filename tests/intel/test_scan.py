"""A scan that looks for what others told: the same without, more with it, and no innocents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import ScanOptions, scan
from stillwatch.detections import Meeting
from stillwatch.errors import InputError
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.intel.compared import ComparedKey
from stillwatch.intel.matching import IndicatorMeeting, IndicatorSet, indicators_of
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sources import open_log
from tests.campaigns.logs import Log, campaigns
from tests.intel.received.conftest import AT, KEY, NOW, A, hidden

SKETCHES = SketchKey(bytes(range(32)))
Told = Callable[..., Meeting]
AT_MICROS = NOW * 1_000_000


def told(*values: str) -> Meeting:
    """Looks for cards that A told of, in one campaign."""
    things = [A.tells(value) for value in values]
    campaign = "campaign--00000000-0000-4000-8000-000000000009"
    links = [A.author.related(each["id"], "indicates", campaign, AT) for each in things]
    return IndicatorMeeting([IndicatorSet(indicators_of([*things, *links]), KEY, NOW)])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Honest people with cards of their own, and a pool too small to be found."""
    made = Log(5)
    made.people(120, mean=5.0)
    made.pool(4, each=4.0, payments=4)
    for number in range(4):
        made.add(f"pool-{number}", made.words(20), payment=hidden(f"told-{number}"))
    for number in range(20):
        made.add(f"person-{number}", made.words(20), payment=hidden(f"innocent-{number}"))
    return made.write(tmp_path_factory.mktemp("log") / "log.parquet")


def run(log: Path, out: Path, meeting: Meeting | None = None, **options: Any) -> Path:
    scan(ScanOptions([log], out, key=SKETCHES, meeting=meeting, **options))
    return out


@pytest.mark.slow
def test_without_indicators_a_scan_says_what_it_said_before_and_nothing_of_them(
    log: Path, tmp_path: Path
) -> None:
    out = run(log, tmp_path / "without")
    assert "score_indicators" not in (out / "accounts.parquet").read_bytes().decode("latin1")
    assert "Known to others" not in (out / "report.html").read_text("utf-8")
    with_none = run(log, tmp_path / "none", told())
    for name in ("campaigns.json", "rejects.jsonl"):
        assert (out / name).read_bytes() == (with_none / name).read_bytes()


@pytest.mark.slow
def test_innocents_that_a_sender_names_are_accused_of_nothing(log: Path, tmp_path: Path) -> None:
    out = run(log, tmp_path / "poisoned", told(*(hidden(f"innocent-{n}") for n in range(20))))
    assert campaigns(out) == []
    assert '"review": []' in (out / "campaigns.json").read_text("utf-8")


def recorded(log: Path, events: Path, *keys: ComparedKey) -> Path:
    """A store of the same traffic, as a gateway with these keys records it."""
    sketcher = Sketcher(SKETCHES, compared=keys)
    with EventStore.create(events, key_id=SKETCHES.key_id) as store:
        for batch in open_log([log]).batches(500):
            store.append(sketcher.sketch(batch.rows))
        store.roll()
    return events


def test_a_store_gives_the_hits_that_the_log_of_the_same_traffic_gives(
    log: Path, tmp_path: Path
) -> None:
    meeting = told(*(hidden(f"told-{n}") for n in range(4)))
    store = recorded(log, tmp_path / "events", ComparedKey(KEY))
    run(log, tmp_path / "from-log", meeting)
    run(store, tmp_path / "from-store", meeting, pseudonymous=True)
    [log_scores, store_scores] = (
        sorted(
            score
            for score in pq.read_table(tmp_path / name / "accounts.parquet")
            .column("score_indicators").to_pylist()
            if score
        )
        for name in ("from-log", "from-store")
    )  # fmt: skip
    assert len(log_scores) == 4
    assert store_scores == log_scores


def test_a_store_that_was_never_recorded_under_the_key_is_refused_and_says_what_to_do(
    log: Path, tmp_path: Path
) -> None:
    store = recorded(log, tmp_path / "events")
    with pytest.raises(InputError, match="serve --community"):
        run(store, tmp_path / "out", told(hidden("told-1")), pseudonymous=True)


def test_a_store_that_was_recorded_under_the_key_in_part_says_which_part(
    log: Path, tmp_path: Path
) -> None:
    store = recorded(log, tmp_path / "events", ComparedKey(KEY))
    row = RawExchange(at=AT_MICROS, account="early", prompt="before there was a community")
    with EventStore.open(store) as opened:
        opened.append(Sketcher(SKETCHES).sketch([row]))
    out = run(store, tmp_path / "out", told(hidden("told-1")), pseudonymous=True)
    assert "recorded without a key of this community" in (out / "report.html").read_text("utf-8")
