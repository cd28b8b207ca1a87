"""A run of the benchmark with somebody else's detector: the contract, failures, resuming."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import ScanOptions, Silent, scan
from stillwatch.errors import InputError, SettingsError
from stillwatch.lab.bench import (
    Cell,
    Command,
    Own,
    Periods,
    Plan,
    Result,
    Results,
    Size,
    choose,
    run_bench,
    run_cell,
)
from stillwatch.lab.bench.cell import TEST
from stillwatch.lab.bench.run import results_file
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import key_of
from stillwatch.lab.traffic import Tier

from .conftest import Scripts

GREEDY = "named = sorted(counts, key=counts.get)[-5:]\n"
NOBODY = "named = []\n"


def cell_of(size: Size, name: str) -> Cell:
    (cell,) = choose(size.cells, [name])
    return cell


def ran(periods: Periods, command: str, cell: str = "harvest", timeout: float = 300.0) -> Result:
    detector = Command(command, timeout=timeout)
    return run_cell(detector, cell_of(periods.size, cell), periods, periods.folder)


def test_a_detector_that_keeps_to_the_files_is_scored(periods: Periods, scripts: Scripts) -> None:
    result = ran(periods, scripts.named(GREEDY))
    assert result.reason is None
    assert result.scored is not None
    assert result.scored.attackers == 12
    assert (result.scored.reported, result.scored.members) == (1, 5)
    assert result.scored.found is False
    assert result.scored.wrong == 5
    assert result.exchanges > 3_000
    assert result.processor > 0


def test_a_detector_that_names_nobody_has_found_nothing_and_wronged_nobody(
    periods: Periods, scripts: Scripts
) -> None:
    scored = ran(periods, scripts.named(NOBODY)).scored
    assert scored is not None
    assert (scored.reported, scored.wrong, scored.found) == (0, 0, False)


def test_a_cell_without_a_campaign_can_only_be_wronged(periods: Periods, scripts: Scripts) -> None:
    scored = ran(periods, scripts.named(GREEDY), "drift").scored
    assert scored is not None
    assert scored.found is None
    assert (scored.false, scored.wrong, scored.attackers) == (1, 5, 0)


def test_an_adaptive_campaign_sees_the_verdicts_of_the_detector(
    periods: Periods, scripts: Scripts
) -> None:
    everybody = ran(periods, scripts.named("named = list(counts)\n"), "moving")
    assert everybody.reason is None
    assert everybody.rounds == (0, 1, 2, 3)
    nobody = ran(periods, scripts.named(NOBODY), "moving")
    assert nobody.rounds == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit('no such option')", "ended with status 1: no such option"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended with signal 11"),
        ("import time; time.sleep(60)", "took longer than 1.5 s"),
        ("", "wrote no campaigns.json"),
        ("import sys, os; os.mkdir(sys.argv[-1]); "
         "open(sys.argv[-1] + '/campaigns.json', 'w').write('{\"campaigns\": [3]}')",
         "campaigns.json: TypeError"),
        ("import sys, os; os.mkdir(sys.argv[-1]); "
         "open(sys.argv[-1] + '/campaigns.json', 'w').write('nonsense')",
         "campaigns.json: JSONDecodeError"),
        ("import sys, os; os.mkdir(sys.argv[-1]); "
         "open(sys.argv[-1] + '/campaigns.json', 'w').write('{\"campaigns\": []}')",
         "wrote no accounts.parquet"),
    ],
    ids=["fails", "crashes", "hangs", "idles", "shape", "nonsense", "half"],
)  # fmt: skip
def test_a_detector_that_gives_no_result_is_a_row_with_the_reason(
    periods: Periods, scripts: Scripts, program: str, reason: str
) -> None:
    result = ran(periods, scripts.written(program), timeout=1.5 if "sleep" in program else 300)
    assert result.scored is None
    assert result.reason is not None
    assert reason in result.reason


def test_a_program_that_is_not_there_is_a_row_with_the_reason(periods: Periods) -> None:
    assert "cannot be started" in (ran(periods, "no-such-program").reason or "")


def test_the_log_of_the_reference_period_is_given_to_who_asks(
    periods: Periods, scripts: Scripts
) -> None:
    body = "earlier = pq.read_table(sys.argv[1], columns=['at'])\nassert len(earlier)\n" + NOBODY
    result = ran(periods, scripts.named(body) + " {reference}")
    assert result.reason is None


def test_a_command_can_be_named(scripts: Scripts) -> None:
    assert Command("mine = ./detect --fdr=0.05").name == "mine"
    assert Command("./detect --fdr=0.05").name == "./detect --fdr=0.05"
    for wrong in ("", "x = ", "'"):
        with pytest.raises(SettingsError):
            Command(wrong)


def plan_of(size: Size, out: Path, command: str, cells: tuple[str, ...]) -> Plan:
    return Plan(
        size=size,
        cells=choose(size.cells, cells),
        seeds=(3,),
        detectors=[Command(command)],
        out=out,
        processes=1,
    )


@pytest.mark.slow
def test_a_result_that_is_there_is_not_computed_again(
    tiny: Size, scripts: Scripts, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    noted = f"open({str(calls)!r}, 'a').write('x')\n" + NOBODY
    command = scripts.named(noted)
    out = tmp_path / "out"
    first = run_bench(plan_of(tiny, out, command, ("quiet",)), Silent())
    again = run_bench(plan_of(tiny, out, command, ("quiet", "harvest")), Silent())
    assert calls.read_text() == "xx"
    assert again[-1] == first[0] or again[0] == first[0]
    assert {each.cell for each in again} == {"quiet", "harvest"}
    assert not list((out / "worlds").iterdir())


@pytest.mark.slow
def test_what_gave_no_result_is_run_again_when_asked(
    tiny: Size, scripts: Scripts, tmp_path: Path
) -> None:
    switch = tmp_path / "switch"
    body = f"if not pathlib.Path({str(switch)!r}).exists(): sys.exit('not yet')\n" + NOBODY
    plan = plan_of(tiny, tmp_path / "out", scripts.named(body), ("quiet",))
    (failed,) = run_bench(plan, Silent())
    assert failed.reason == "ended with status 1: not yet"
    switch.touch()
    assert run_bench(plan, Silent()) == [failed]
    (again,) = run_bench(dataclasses.replace(plan, retry=True), Silent())
    assert again.reason is None


@pytest.mark.slow
def test_seeds_are_spread_over_processes_and_news_come_while_they_run(
    tiny: Size, scripts: Scripts, tmp_path: Path
) -> None:
    class Noted(Silent):
        def __init__(self) -> None:
            self.notes: list[str] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

    noted = Noted()
    plan = plan_of(tiny, tmp_path / "out", scripts.named(NOBODY), ("quiet",))
    found = run_bench(dataclasses.replace(plan, seeds=(3, 4), processes=2), noted)
    assert [each.seed for each in found] == [3, 4]
    assert sum("simulating" in note for note in noted.notes) == 2
    assert [path.name for path in (tmp_path / "out").iterdir() if "runs" in path.name] == []


@pytest.mark.parametrize("processes", [1, 2])
def test_a_cell_that_cannot_be_simulated_ends_the_benchmark(
    tiny: Size, tmp_path: Path, processes: int
) -> None:
    wrong = Cell(name="x", tier=Tier.T1, family="alchemy", accounts=3, exchanges=10)
    plan = Plan(
        size=dataclasses.replace(tiny, cells=(wrong,)),
        cells=(wrong,),
        seeds=(1, 2),
        detectors=[Own()],
        out=tmp_path,
        processes=processes,
    )
    with pytest.raises(SettingsError, match="no family 'alchemy'"):
        run_bench(plan, Silent())


@pytest.mark.slow
def test_a_cell_whose_settings_changed_is_run_again(
    tiny: Size, scripts: Scripts, tmp_path: Path
) -> None:
    command, out = scripts.named(NOBODY), tmp_path / "out"
    run_bench(plan_of(tiny, out, command, ("harvest",)), Silent())
    other = dataclasses.replace(
        tiny, cells=tuple(dataclasses.replace(c, log_sd=0.0) for c in tiny.cells)
    )
    (changed,) = run_bench(plan_of(other, out, command, ("harvest",)), Silent())
    assert "log_sd=0.0" in changed.design
    assert len(Results(results_file(out)).read()) == 2


def test_a_line_that_a_killed_run_left_behind_is_passed_over(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    one = Result(detector="d", size="tiny", cell="quiet", seed=1, design="x", reason="hung")
    results.append(one)
    with results.path.open("a") as file:
        file.write('{"format": "stillwatch.be')
    two = dataclasses.replace(one, seed=2)
    results.append(two)
    assert results.read() == [one, two]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps({"format": "another/1"}) + "\n")
    with pytest.raises(InputError, match="no result of this benchmark"):
        Results(path).read()


def test_our_own_detector_writes_the_files_that_it_is_scored_by(
    periods: Periods, tiny: Size
) -> None:
    result = run_cell(Own(), cell_of(tiny, "harvest"), periods, periods.folder)
    assert result.reason is None
    assert result.state is not None
    assert result.state > 0
    assert re.match(r"tiny: 150 accounts, 2 days; name=harvest, tier=T1", result.design)


@pytest.mark.slow
def test_our_own_detector_finds_what_a_scan_of_the_log_finds(
    periods: Periods, tmp_path: Path
) -> None:
    world = periods.world(TEST)
    view = View(world, {"harvest": range(world.parts)})
    Own().run(view, tmp_path / "own", periods)
    view.write_log(tmp_path / "log.parquet")
    scan(ScanOptions([tmp_path / "log.parquet"], tmp_path / "scan", key=key_of(world.seed)))
    for name in ("own", "scan"):
        assert (tmp_path / name / "report.html").exists()
    ours, theirs = (pq.read_table(tmp_path / n / "accounts.parquet") for n in ("own", "scan"))
    assert ours.equals(theirs)
    campaigns = [(tmp_path / n / "campaigns.json").read_bytes() for n in ("own", "scan")]
    assert campaigns[0] == campaigns[1]
