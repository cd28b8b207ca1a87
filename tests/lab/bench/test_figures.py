"""Scores and figures: what counts as false, what is pooled, when a promise holds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.lab.bench import SIZES, Cell, Result, Scored, choose, score_run
from stillwatch.lab.bench.charts import false_chart, recall_chart
from stillwatch.lab.bench.figures import Run, State, figures
from stillwatch.lab.bench.guard import RECALL, complaints
from stillwatch.lab.bench.report import write_report
from stillwatch.lab.bench.tables import cell_table, markdown, promise_lines
from stillwatch.lab.bench.view import Truth
from stillwatch.lab.traffic import Tier

GUILTY = frozenset({"a", "b", "c", "d"})
INNOCENT = {f"i{n}": frozenset({"chat", "new_tool"} if n % 2 else {"chat"}) for n in range(200)}
CELLS = (
    Cell(name="T1-n10", tier=Tier.T1, family="reasoning_harvest", accounts=60, exchanges=20),
    Cell(name="T1-n30", tier=Tier.T1, family="judge_harvest", accounts=40, exchanges=30),
    Cell(name="quiet"),
)


def scored(folder: Path, reports: list[list[str]], scores: dict[str, float]) -> Scored:
    found = [{"id": str(n), "accounts": accounts} for n, accounts in enumerate(reports)]
    (folder / "campaigns.json").write_text(json.dumps({"campaigns": found}))
    table = pa.table({"account": list(scores), "score": list(scores.values())})
    pq.write_table(table, folder / "accounts.parquet")
    return score_run(folder, Truth(GUILTY, INNOCENT, 40))


def test_a_report_of_which_half_attacks_is_true_and_one_of_less_is_false(tmp_path: Path) -> None:
    found = scored(tmp_path, [["a", "i0"], ["b", "i1", "i2"]], {})
    assert (found.reported, found.false, found.found) == (2, 1, True)
    assert (found.named, found.members, found.wrong) == (1, 5, 3)


def test_an_account_in_two_reports_counts_once(tmp_path: Path) -> None:
    found = scored(tmp_path, [["a", "b", "i1"], ["a", "c", "i1"]], {})
    assert (found.members, found.wrong, found.named) == (4, 1, 3)
    assert found.accused == {"chat": 1, "new_tool": 1}
    assert found.innocents == {"chat": 200, "new_tool": 100}


def test_recall_at_a_rate_counts_attackers_above_the_innocents_that_are_allowed(
    tmp_path: Path,
) -> None:
    scores = {f"i{n}": 0.0 for n in range(200)} | {"i0": 9.0, "i1": 8.0, "i2": 3.0}
    found = scored(tmp_path, [], scores | {"a": 10.0, "b": 8.5, "c": 3.0, "d": 4.0})
    assert found.above_1 == 3  # two of 200 may be above
    assert found.above_01 == 1


def test_accounts_without_a_score_are_never_flagged(tmp_path: Path) -> None:
    found = scored(tmp_path, [], {"a": 1.0, "i1": float("nan")})
    assert (found.above_1, found.above_01) == (1, 1)


def test_a_name_that_is_not_in_the_log_is_an_innocent_of_an_unknown_kind(tmp_path: Path) -> None:
    assert scored(tmp_path, [["a", "nobody"]], {}).accused == {"unknown": 1}


def result(cell: str, seed: int, **changes: int) -> Result:
    """A run in which 10 attackers were found, unless `changes` say otherwise."""
    hidden = cell != "quiet"
    usual = Scored(
        attackers=10 if hidden else 0,
        attacks=100,
        found=True if hidden else None,
        named=10 if hidden else 0,
        reported=1 if hidden else 0,
        false=0,
        members=10 if hidden else 0,
        wrong=0,
        above_1=9,
        above_01=8,
        population=1_000,
        innocents={"chat": 900, "new_tool": 100},
        accused={},
    )
    return Result(
        detector="d",
        size="full",
        cell=cell,
        seed=seed,
        design="x",
        scored=dataclasses.replace(usual, **changes),  # type: ignore[arg-type]
        exchanges=10_000,
        accounts=1_010,
        days=2.0,
        processor=2.0,
        state=101_000,
    )


def run_of(*worse: Result, seeds: int = 60) -> Run:
    """Figures of three cells; `worse` replace results of the same cell and seed."""
    replaced = {(each.cell, each.seed) for each in worse}
    usual = [result(c.name, s) for c in CELLS for s in range(seeds)
             if (c.name, s) not in replaced]  # fmt: skip
    return figures("d", CELLS, [*usual, *worse])


def test_the_promise_holds_where_nothing_is_false_on_many_seeds() -> None:
    run = run_of()
    assert run.state is State.HOLDS
    assert run.promises[1].bound < 0.05
    assert run.silent == pytest.approx(1 / 3)


def test_on_few_seeds_the_promise_is_not_shown() -> None:
    assert run_of(seeds=3).state is State.OPEN


def test_a_run_that_failed_leaves_the_promise_open() -> None:
    failed = dataclasses.replace(result("quiet", 7), scored=None, reason="hung")
    run = run_of(failed)
    assert run.state is State.OPEN
    assert run.failed == 1


def test_one_cell_that_is_always_wrong_breaks_the_promise_though_the_mean_is_small() -> None:
    many = (*CELLS, *(Cell(name=f"quiet-{n}") for n in range(20)))
    good = [dataclasses.replace(result("quiet", s), cell=c.name) for c in many for s in range(20)
            if c.name != "T1-n30"]  # fmt: skip
    bad = [result("T1-n30", s, members=12, wrong=2) for s in range(20)]
    run = figures("d", many, [*good, *bad])
    assert run.promises[1].mean < 0.05
    assert run.promises[1].state is State.BROKEN
    assert run.promises[1].worst == "T1-n30"
    assert run.promises[0].state is not State.BROKEN


def test_one_unlucky_run_of_a_cell_is_no_significant_excess() -> None:
    run = run_of(result("quiet", 1, reported=1, false=1, members=5, wrong=5))
    assert all(promise.worst_p > 0.05 for promise in run.promises)
    assert run.promises[0].mean == pytest.approx(1 / 180)


def test_a_run_without_a_report_counts_as_nothing_false() -> None:
    (quiet,) = (each for each in run_of().cells if each.cell.name == "quiet")
    assert quiet.members is not None
    assert (quiet.members.mean, quiet.silent) == (0.0, 1.0)
    assert quiet.recall is None


def test_accounts_of_a_seed_count_once_over_its_cells() -> None:
    kinds = {each.kind: each for each in run_of(seeds=2).kinds}
    assert kinds["new_tool"].accounts == 200
    assert kinds["new_tool"].share == 0


def test_rates_are_per_million_innocent_account_days() -> None:
    run = run_of(result("quiet", 0, reported=1, false=1, members=3, wrong=3), seeds=1)
    assert run.false_campaigns == pytest.approx(1e6 / 6_000)
    assert run.innocents == pytest.approx(3e6 / 6_000)
    assert run.cells[0].rate == 5_000
    assert run.cells[0].state == pytest.approx(100)


def test_recall_is_printed_with_the_state_of_the_promise(tmp_path: Path) -> None:
    cells = choose(SIZES["full"].cells, ["T1-n10", "quiet"])
    results = [result(cell.name, seed) for cell in cells for seed in range(3)]
    (run,) = write_report(tmp_path, "stillwatch bench detection", SIZES["full"], cells, results)
    report = (tmp_path / "report.md").read_text()
    assert "its recall does not count" in report
    assert "3 seeds (0-2)" in report
    assert markdown(cell_table(run)) in report
    for line in promise_lines(run):
        assert line in report


@pytest.mark.parametrize("seeds", [2, 60])
def test_charts_are_whole_and_name_every_cell(seeds: int) -> None:
    run = run_of(seeds=seeds)
    for drawing in (recall_chart(run), false_chart(run)):
        ElementTree.fromstring(drawing)
    assert "T1-n30" in recall_chart(run)
    assert ("does not count" in recall_chart(run)) == (seeds == 2)
    assert "quiet" in false_chart(run)


def test_the_guard_complains_about_low_recall_broken_promises_and_failures() -> None:
    usual = [result(name, 1) for name in (*RECALL, "quiet")]
    cells = tuple(Cell(name=each.cell) for each in usual)
    assert complaints(figures("d", cells, usual)) == []
    low = [result("T1-n10", 1, named=1), *usual[1:]]
    assert "T1-n10: 10% of accounts" in complaints(figures("d", cells, low))[0]
    wrong = [result(each.cell, 1, reported=1, false=1, members=4, wrong=4) for each in usual]
    assert len(complaints(figures("d", cells, wrong))) == 2
    failed = [dataclasses.replace(usual[0], scored=None, reason="hung"), *usual[1:]]
    assert "no result: hung" in complaints(figures("d", cells, failed))[0]
