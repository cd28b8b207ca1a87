"""A watch asks at each look what others tell now, and holds all of its window against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stillwatch.campaigns import TrackRecord
from stillwatch.campaigns.finding import Found
from stillwatch.campaigns.watching import look
from stillwatch.campaigns.watching.look import Asked
from stillwatch.intel.compared import ComparedKey
from stillwatch.intel.matching import IndicatorMeeting, IndicatorSet, indicators_of
from stillwatch.sketches import Sketcher
from tests.campaigns.watching.gateways import Recording
from tests.campaigns.watching.standin import KEY as OWN
from tests.campaigns.watching.standin import answers, find, lines, row, run, write
from tests.intel.received.conftest import KEY, NOW, A, hidden

CARDS = [hidden(f"card-{number}") for number in range(3)]


class Told:
    """What others tell now; the met accounts of each look by name."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.met: list[list[str]] = []
        self.key = ComparedKey(KEY)

    def __call__(self) -> IndicatorMeeting:
        return IndicatorMeeting([IndicatorSet(indicators_of(self.objects), self.key, NOW)])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Looks find campaigns by what is met: three accounts are one."""
    told = Told()

    def meets(*arguments: Any, hits: Any = None, **more: Any) -> Found:
        found = find(*arguments, **more)
        names = arguments[3]
        accounts = sorted(set(hits["account"].to_pylist())) if hits is not None else []
        met = [names.lookup([each])[0] for each in accounts]
        told.met.append(sorted(met))
        kept = [each for each in found.campaigns if {m.account for m in each.members} <= set(met)]
        return replace(found, campaigns=kept)

    monkeypatch.setattr(look, "find_campaigns", meets)
    return told


def crew(hours: float) -> list[Any]:
    return [row(hours, f"crew-1-{n}", payment=CARDS[n]) for n in range(3)]


def watched(source: Path, state: Path, told: Told, **more: Any) -> None:
    options = {"asked": Asked(told), "compared": [told.key], **more}
    run(source, state, **options)


def append(log: Path, *rows: Any) -> None:
    more = write(log.with_name("more.jsonl"), *rows)
    with log.open("ab") as file:
        file.write(more.read_bytes())
    more.unlink()


def test_what_is_told_between_two_looks_meets_older_exchanges_at_the_next(
    tmp_path: Path, told: Told
) -> None:
    log = write(tmp_path / "log.jsonl", *crew(0.5))
    watched(log, tmp_path / "state", told)
    told.objects = [A.tells(card) for card in CARDS]
    append(log, row(1.5, "somebody"))
    watched(log, tmp_path / "state", told)
    assert told.met == [[], ["crew-1-0", "crew-1-1", "crew-1-2"]]
    assert [each["event"] for each in lines(tmp_path / "state")] == ["new"]


def test_what_was_taken_back_weighs_nothing_at_the_next_look(tmp_path: Path, told: Told) -> None:
    things = [A.tells(card) for card in CARDS]
    told.objects = things
    log = write(tmp_path / "log.jsonl", *crew(0.5))
    watched(log, tmp_path / "state", told)
    told.objects = [A.takes_back(each) for each in things]
    append(log, row(1.5, "somebody"))
    watched(log, tmp_path / "state", told)
    assert told.met == [["crew-1-0", "crew-1-1", "crew-1-2"], []]
    assert [each["event"] for each in lines(tmp_path / "state")] == ["new", "withdrawn"]


def recorded(path: Path, rows: Sequence[Any], key: ComparedKey | None) -> Path:
    """The state folder of a gateway with, or without, a key of a community."""
    gateway = Recording(path, {each.account for each in rows})
    sketcher = Sketcher(OWN, compared=[] if key is None else [key])
    gateway.store.append(sketcher.sketch(list(rows)))
    gateway.store.close()
    return path


def test_a_watch_of_a_gateway_meets_what_a_watch_of_its_log_meets(
    tmp_path: Path, told: Told
) -> None:
    told.objects = [A.tells(CARDS[0]), A.tells(CARDS[2])]
    rows = [*crew(0.5), row(1.5, "somebody")]
    watched(write(tmp_path / "log.jsonl", *rows), tmp_path / "of-log", told)
    of_log, told.met = told.met, []
    watched(recorded(tmp_path / "gateway", rows, told.key), tmp_path / "of-store", told)
    assert told.met == of_log == [["crew-1-0", "crew-1-2"]] * 2


def test_a_report_says_what_was_recorded_without_the_key(tmp_path: Path, told: Told) -> None:
    watched(recorded(tmp_path / "gateway", crew(0.5), None), tmp_path / "state", told)
    page = (tmp_path / "state" / "report.html").read_text("utf-8")
    assert "3 of 3 exchanges were recorded without a key of this community" in page


def test_without_indicators_nothing_is_said_of_them(tmp_path: Path, told: Told) -> None:
    log = write(tmp_path / "log.jsonl", *crew(0.5))
    run(log, tmp_path / "state")
    assert "of this community" not in (tmp_path / "state" / "report.html").read_text("utf-8")


def test_a_watch_that_keeps_what_can_be_compared_answers_as_one_that_does_not(
    tmp_path: Path, told: Told
) -> None:
    log = write(tmp_path / "log.jsonl", *crew(0.5), row(1.5, "somebody"))
    run(log, tmp_path / "plain")
    run(log, tmp_path / "keeping", compared=[told.key])
    assert answers(tmp_path / "keeping") == answers(tmp_path / "plain")


def test_what_analysts_found_is_asked_at_each_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "find_campaigns", find)
    log = write(tmp_path / "log.jsonl", *crew(0.5))
    records: list[TrackRecord] = []
    asked = Asked(track_record=lambda: records)
    run(log, tmp_path / "state", asked=asked)
    assert "upheld" not in (tmp_path / "state" / "campaigns.json").read_text()
    records.append(TrackRecord("echo", "*", 7, 1, 0.5, 0.99))
    append(log, row(1.5, "somebody"))
    run(log, tmp_path / "state", asked=asked)
    assert '"upheld": 7' in (tmp_path / "state" / "campaigns.json").read_text()
