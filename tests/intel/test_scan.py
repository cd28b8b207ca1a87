"""A scan that looks for what others told: the same without, more with it, and no innocents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch.campaigns import ScanOptions, scan
from stillwatch.detections import Meeting
from stillwatch.errors import InputError
from stillwatch.events import EventStore
from stillwatch.intel.matching import IndicatorMeeting, IndicatorSet, indicators_of
from stillwatch.sketches import SketchKey
from tests.campaigns.logs import Log, campaigns
from tests.intel.received.conftest import AT, KEY, NOW, A

SKETCHES = SketchKey(bytes(range(32)))
Told = Callable[..., Meeting]


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
        made.add(f"pool-{number}", made.words(20), payment=f"told-{number}")
    for number in range(20):
        made.add(f"person-{number}", made.words(20), payment=f"innocent-{number}")
    return made.write(tmp_path_factory.mktemp("log") / "log.parquet")


def run(log: Path, out: Path, meeting: Meeting | None = None) -> Path:
    scan(ScanOptions([log], out, key=SKETCHES, meeting=meeting))
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
    out = run(log, tmp_path / "poisoned", told(*(f"innocent-{n}" for n in range(20))))
    assert campaigns(out) == []
    assert '"review": []' in (out / "campaigns.json").read_text("utf-8")


def test_an_event_store_cannot_be_looked_into(tmp_path: Path) -> None:
    EventStore.create(tmp_path / "events", key_id=SKETCHES.key_id).close()
    with pytest.raises(InputError, match="holds no text"):
        run(tmp_path / "events", tmp_path / "out", told("told-1"))
