"""What is kept of an account and a day: all of light ones, an even sample of heavy ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest

from stillwatch.detections.bounds import bounded
from stillwatch.engines import Engine

MOST = 48
Keys = dict[int, set[int]]
Pairs = Iterable[tuple[int, int]]


@pytest.fixture(params=["duckdb", "polars"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return Engine(request.param, tmp_path)


def keys(rng: np.random.Generator, count: int, sampling: int = 1) -> list[int]:
    """Digests on both sides of zero, all of them divisible by `sampling`."""
    drawn = rng.integers(-(1 << 50), 1 << 50, size=count) * sampling
    found: list[int] = drawn.tolist()
    return found


def pairs(held: Mapping[int, Iterable[int]]) -> list[tuple[int, int]]:
    return [(account, key) for account, some in held.items() for key in some]


def rows_kept(
    engine: Engine,
    rows: Pairs,
    *,
    most: int = MOST,
    sampling: int = 1,
    days: Mapping[int, int] | None = None,
) -> list[tuple[int, int, int]]:
    """The rows (account, key, number of the row) that stay, in order of their numbers."""
    account, key = zip(*rows, strict=True)
    number = range(len(account))
    table = ibis.memtable(pa.table({"account": account, "key": key, "number": number}))
    active = None
    if days is not None:
        active = ibis.memtable(pa.table({"account": list(days), "days": list(days.values())}))
    found = engine.collect(bounded(table, "key", most, sampling=sampling, days=active))
    assert found.column_names == ["account", "key", "number"]
    columns = (found[name].to_pylist() for name in found.column_names)
    return sorted(zip(*columns, strict=True), key=lambda row: row[2])


def kept(engine: Engine, held: Mapping[int, Iterable[int]], **options: object) -> Keys:
    """Account → the keys that stay."""
    remaining: Keys = {account: set() for account in held}
    for account, key, _ in rows_kept(engine, pairs(held), **options):  # type: ignore[arg-type]
        remaining[account].add(key)
    return remaining


def test_an_account_within_the_limit_is_kept_whole(engine: Engine) -> None:
    rng = np.random.default_rng(1)
    held = {account: keys(rng, size) for account, size in enumerate((1, 2, MOST - 1, MOST))}
    assert kept(engine, held) == {account: set(some) for account, some in held.items()}


def test_both_engines_keep_the_same_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    held = {account: keys(rng, int(rng.integers(1, 900)), 8) for account in range(40)}
    days = {account: 1 + account % 3 for account in held}
    one, other = (
        rows_kept(Engine(name, tmp_path), pairs(held), sampling=8, days=days)
        for name in ("duckdb", "polars")
    )
    assert one == other
    assert 0 < len(one) < len(pairs(held))


@pytest.mark.parametrize("size", [MOST + 1, 64, 2 * MOST, 150, 1_000, 5_000])
def test_of_a_heavy_account_about_half_the_limit_to_the_limit_is_kept(
    size: int, engine: Engine
) -> None:
    rng = np.random.default_rng(3)
    accounts = range(max(10, 20_000 // size))
    held = {account: keys(rng, size) for account in accounts}
    remaining = kept(engine, held)
    sizes = np.array([len(some) for some in remaining.values()])
    assert all(remaining[account] <= set(held[account]) for account in accounts)
    assert 0.45 * MOST <= sizes.mean() <= 1.05 * MOST
    assert np.mean(sizes > 1.25 * MOST) <= 0.05
    assert sizes.max() < 2 * MOST


def test_accounts_of_one_size_keep_the_same_of_what_they_share(engine: Engine) -> None:
    rng = np.random.default_rng(4)
    shared = keys(rng, 300)
    remaining = kept(engine, {a: [*shared, *keys(rng, 200)] for a in range(5)})
    of_shared = [some & set(shared) for some in remaining.values()]
    assert of_shared[0]
    assert all(some == of_shared[0] for some in of_shared)


def test_what_a_heavier_account_keeps_of_shared_things_the_lighter_one_keeps_too(
    engine: Engine,
) -> None:
    rng = np.random.default_rng(5)
    everything = keys(rng, 6_000)
    sizes = (20, MOST, 100, 200, 700, 2_000, 6_000)
    remaining = kept(engine, {size: everything[:size] for size in sizes})
    for lighter, heavier in pairwise(sizes):
        assert remaining[heavier] & set(everything[:lighter]) <= remaining[lighter]
    assert remaining[2_000] & set(everything[:700])


def test_all_rows_of_a_key_stay_or_go_together(engine: Engine) -> None:
    some = keys(np.random.default_rng(6), 100)
    rows = [(1, key) for key in some for _ in range(3)]
    times = [sum(key == each for _, key, _ in rows_kept(engine, rows)) for each in some]
    assert set(times) == {0, 3}


def test_the_limit_is_multiplied_by_the_days_of_each_account(engine: Engine) -> None:
    some = keys(np.random.default_rng(7), 5 * MOST)
    remaining = kept(engine, dict.fromkeys((1, 2, 3), some), days={1: 1, 2: 5, 3: 4, 9: 1})
    assert remaining[2] == set(some)
    assert remaining[1] < remaining[3] < remaining[2]
    assert len(remaining[1]) <= 1.25 * MOST < len(remaining[3]) <= 1.25 * 4 * MOST


@pytest.mark.parametrize("sampling", [8, 64])
def test_of_keys_that_are_a_sample_already_as_many_are_kept(sampling: int, engine: Engine) -> None:
    rng = np.random.default_rng(8)
    plain = {account: keys(rng, 10 * MOST) for account in range(30)}
    thinned = {a: [key * sampling for key in some] for a, some in plain.items()}
    remaining = kept(engine, thinned, sampling=sampling)
    expected = kept(engine, plain)
    assert remaining == {a: {key * sampling for key in some} for a, some in expected.items()}


def test_a_light_account_loses_nothing_because_another_is_heavy(engine: Engine) -> None:
    rng = np.random.default_rng(9)
    some = keys(rng, 4_000)
    light = {account: some[20 * account : 20 * account + MOST] for account in range(50)}
    remaining = kept(engine, light | {1_000: some})
    assert len(remaining.pop(1_000)) < 2 * MOST
    assert remaining == {account: set(own) for account, own in light.items()}


def test_an_account_keeps_the_same_whoever_else_is_there(engine: Engine) -> None:
    rng = np.random.default_rng(10)
    held = {account: keys(rng, size) for account, size in enumerate((60, 500, 3_000))}
    together = kept(engine, held)
    assert all(kept(engine, {a: some})[a] == together[a] for a, some in held.items())
