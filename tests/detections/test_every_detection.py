"""What holds for every registered detection, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from stillwatch.detections import Abstained, Detection, Family, Findings, load_detections
from tests.detections.exchanges import DAY, START, Log, Row, exchange, group, hit, hits_of

NAMES = [detection.metadata.name for detection in load_detections()]
#: columns that every log has or that every text gives; the rest of the schema may be null
GIVEN = ("account", "at", "request", "content", "words", "turns", "chars", "script", "topic",
         "code_share", "shape", "asks", "cells", "shingles")  # fmt: skip


def fresh(name: str) -> Detection:
    """An instance of its own, since detections keep what they found."""
    return next(each for each in load_detections() if each.metadata.name == name)


def busy_log(seed: int = 3, accounts: int = 40, exchanges: int = 700) -> list[Row]:
    """Random exchanges over three days in which nearly every column is used, and shared."""
    random = np.random.default_rng(seed)

    def maybe(value: object) -> object:
        return value if random.random() < 0.7 else None

    def digests(most: int) -> list[int]:
        return sorted({int(d) * 64 for d in random.integers(-60, 60, random.integers(0, most))})

    rows = []
    for number in range(exchanges):
        account = int(random.integers(accounts)) + 1
        turns = int(random.choice([1, 1, 3, 5, 21]))
        day = int(random.integers(3))
        returning = [64 * (1_000 + account + day)] if day != 1 else []  # answers of the first day
        rows.append(
            exchange(
                account,
                START + day * DAY + int(random.integers(DAY)),
                request=2 * number,
                org=account % 13 if account % 3 else None,
                tenant_kind=("aggregator", None, "startup")[account % 3],
                end_user=maybe(int(random.integers(9))),
                user_agent=maybe(int(random.integers(5))),
                accept_language=maybe(int(random.integers(5))),
                toolset=maybe(int(random.integers(4))),
                system=maybe(int(random.integers(20))),
                payment=maybe(100 + account % 17),
                device=maybe(200 + account % 30),
                ip=maybe(300 + account % 11),
                ja4=maybe(400 + account % 3),
                registered_at=START - account * DAY,
                blocked_at=START + DAY if account % 9 == 0 else None,
                model=maybe(("mid", "large")[int(random.integers(2))]),
                stream=maybe(bool(random.integers(2))),
                temperature=maybe(float(random.choice([0, 0.125, 0.7, 1]))),
                top_p=maybe(float(random.choice([0.9, 0.995, 1]))),
                n=maybe(int(random.integers(1, 40))),
                max_tokens=maybe(int(random.choice([1, 256, 16_384, 2**22]))),
                logprobs=maybe(bool(random.integers(2))),
                top_logprobs=maybe(int(random.integers(21))),
                logit_bias=maybe(int(random.integers(3))),
                response_format=maybe("json_object"),
                reasoning=maybe("high"),
                prefill=maybe(bool(random.integers(2))),
                content=int(random.integers(200)),
                prefixes=None if turns == 1 else [int(random.integers(90))] * min(turns, 16),
                turns=turns,
                prompt_tokens=maybe(int(random.integers(3_000))),
                cached_tokens=maybe(int(random.integers(1_000))),
                completion_tokens=maybe(int(random.integers(1_000))),
                cells=digests(16),
                shingles=digests(8) + (returning if day == 2 else []),
                output_shingles=maybe(digests(12) + (returning if day == 0 else [])),
                topic=int(random.integers(-1, 6)),
                words=int(random.integers(1, 90)),
                script=int(random.choice([0, 1, 2, 16])),
                asks=int(random.integers(4)),
            )
        )
    return rows


BUSY, SAMPLING = busy_log(), 2
#: some accounts meet identifiers that others told of, some a wording
HITS = [hit(row, 1 + row["account"] % 3) for row in BUSY if row["account"] % 5 == 1] + [
    hit(row, 9, wording=True, rate=0.01, senders=2) for row in BUSY if row["asks"] == 1
]
BARE = [{column: row[column] for column in GIVEN} for row in BUSY]


class Run(NamedTuple):
    """A detection that looked at the busy log on one engine."""

    detection: Detection
    log: Log
    found: Findings


Runner = Callable[[str, str], Run]
Logs = Callable[[str, str], Log]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The busy log, the same with required columns only, and an empty one; stages run once."""

    @cache
    def log(which: str, engine: str) -> Log:
        rows = {"busy": BUSY, "bare": BARE, "empty": []}[which]
        folder = tmp_path_factory.mktemp(f"{which}-{engine}")
        hits = hits_of(HITS) if which == "busy" else None
        log = Log(rows, folder, engine=engine, sampling=SAMPLING, hits=hits)
        log.run(stage for name in NAMES for stage in fresh(name).stages(SAMPLING))
        return log

    return log


@pytest.fixture(scope="module")
def ran(logs: Logs) -> Runner:
    """Each detection looks at the busy log once an engine."""

    @cache
    def run(name: str, engine: str) -> Run:
        log, detection = logs("busy", engine), fresh(name)
        return Run(detection, log, log.find(detection))

    return run


@pytest.mark.parametrize("name", NAMES)
def test_it_says_everything_that_a_reader_of_a_verdict_must_know(name: str) -> None:
    metadata = fresh(name).metadata
    assert metadata.family in Family
    assert min(len(metadata.title), len(metadata.sees), len(metadata.null)) > 10
    assert re.search("measured|simulated|report", metadata.base_rate)
    assert metadata.look_alikes
    assert metadata.atlas
    assert all(re.fullmatch(r"AML\.T\d{4}(\.\d{3})?", each) for each in metadata.atlas)


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_makes_the_same_rows_on_both_engines(name: str, ran: Runner) -> None:
    duckdb, polars = (ran(name, engine) for engine in ("duckdb", "polars"))
    for stage in fresh(name).stages(SAMPLING):
        rows = duckdb.log.rows(stage.name)
        assert rows == polars.log.rows(stage.name), stage.name
        assert rows, stage.name


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_the_same_on_both_engines_and_names_only_accounts_of_the_log(
    name: str, ran: Runner
) -> None:
    found, again = (ran(name, engine).found for engine in ("duckdb", "polars"))
    assert found.scores == pytest.approx(again.scores)
    keys = [("account", "ascending"), ("object", "ascending")]
    assert found.links.sort_by(keys).equals(again.links.sort_by(keys))
    accounts = {row["account"] for row in BUSY}
    assert set(found.scores) <= accounts
    assert set(found.links["account"].to_pylist()) <= accounts
    assert min(found.scores.values(), default=0) >= 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("members", [range(1, 9), range(1, 41)], ids=["some", "everybody"])
def test_its_judgements_are_in_plain_words_in_bounds_and_do_not_depend_on_the_engine(
    name: str, members: range, ran: Runner
) -> None:
    candidate = group(BUSY, members, styled=lambda row: row["asks"] == 1)
    said, again = (
        list(ran(name, engine).detection.judge(candidate)) for engine in ("duckdb", "polars")
    )
    assert said == again
    for each in said:
        assert (each.family, each.detection) == (fresh(name).metadata.family, name)
        assert 0 <= each.weight <= 6
        assert np.isfinite(each.value)
        assert each.base_rate is None or 0 <= each.base_rate <= 1
        assert each.text.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_with_only_the_required_columns_it_abstains_or_works(name: str, logs: Logs) -> None:
    detection = fresh(name)
    try:
        logs("bare", "duckdb").find(detection)
    except Abstained as answer:
        reason = str(answer)
    else:
        detection.judge(group(BARE, range(1, 8), styled=lambda row: row["asks"] == 1))
        return
    assert len(reason) > 10


@pytest.mark.parametrize("name", NAMES)
def test_of_an_empty_log_it_says_nothing(name: str, logs: Logs) -> None:
    try:
        found = logs("empty", "duckdb").find(fresh(name))
    except Abstained:
        return
    assert not found.scores
    assert not found.links.num_rows
