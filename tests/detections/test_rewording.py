"""Public problems, each in words used once: who is linked by them, and what that says."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections import Evidence, Family, Findings
from stillwatch.detections.rewording import Rewording
from tests.detections.exchanges import Log, Row, exchange, group

STRANGERS = range(100, 130)
REWORDER, TWICE, ONCE = 3, 2, 1
#: of digests numbered one after the other a large log keeps every second or fourth
PASSAGES, CELLS = 8, 8


def passages(text: int, count: int = PASSAGES) -> list[int]:
    return [1_000 * text + number for number in range(count)]


def words(text: int, count: int = CELLS) -> list[int]:
    """Cells that occur in this text and in no other."""
    return [1_000_000 + 1_000 * text + number for number in range(count)]


def sent(
    account: int,
    problems: Iterable[int],
    own: int = CELLS,
    always: Iterable[int] = (),
    held: int = PASSAGES,
) -> list[Row]:
    """Public problems, with `own` cells around each that are used once, and those of `always`."""
    return [
        exchange(
            account,
            shingles=passages(problem, held),
            cells=[*words(problem), *words(10_000 + 100 * account + problem, own), *always],
            asks=1,
        )
        for problem in problems
    ]


def strangers(problems: int = 40) -> list[Row]:
    """Everybody sends four of the problems as they are, and something of their own."""
    rows = []
    for account in STRANGERS:
        some = [(4 * account + number) % problems for number in range(4)]
        rows += [
            exchange(account, shingles=passages(each), cells=words(each), content=-1 - each)
            for each in some
        ]
        rows += work(account, 1)
    return rows


def work(account: int, count: int) -> list[Row]:
    """Texts of an account that nobody else has to do with."""
    numbers = [50_000 + 100 * account + number for number in range(count)]
    return [exchange(account, shingles=passages(n), cells=words(n)) for n in numbers]


def found_in(rows: list[Row], folder: Path, sampling: int = 1) -> Findings:
    return Log(rows, folder, sampling=sampling).find(Rewording())


def linked(found: Findings) -> dict[int, list[int]]:
    """Accounts by the object that links them."""
    links = found.links.sort_by("account").to_pylist()
    return {
        name: [row["account"] for row in links if row["object"] == name]
        for name in sorted({row["object"] for row in links})
    }


@pytest.mark.parametrize("sampling", [1, 2, 4])
def test_accounts_that_put_each_public_problem_into_words_used_once_are_linked_by_how_many(
    sampling: int, tmp_path: Path
) -> None:
    rows = strangers() + sent(REWORDER, range(32)) + sent(TWICE, range(8)) + sent(ONCE, range(2))
    found = found_in(rows, tmp_path, sampling)
    assert linked(found) == {2: [1, 2, 3], 8: [2, 3], 32: [3]}
    assert found.labels == dict.fromkeys((2, 8, 32), "public problems in words used once")
    of_the_busiest = [row for row in found.links.to_pylist() if row["account"] == REWORDER]
    assert [row["uses"] for row in of_the_busiest] == [32, 32, 32]
    population = len(STRANGERS) + 3
    assert [row["weight"] for row in of_the_busiest] == pytest.approx(
        [math.log(population / 3), math.log(population / 2), math.log(population)]
    )


def test_one_reworded_problem_links_nobody(tmp_path: Path) -> None:
    found = found_in(strangers() + sent(REWORDER, [5]), tmp_path)
    assert linked(found) == {}
    assert found.scores == {}


def test_an_account_scores_by_the_share_of_its_exchanges_that_it_reworded(tmp_path: Path) -> None:
    found = found_in(strangers() + sent(REWORDER, range(4)) + work(REWORDER, 12), tmp_path)
    assert found.scores == {REWORDER: 0.25}


def test_an_evaluator_who_wraps_the_problems_in_one_template_is_not_linked(tmp_path: Path) -> None:
    """Around each are words of its own, which nobody else sends: they come back every time."""
    found = found_in(strangers() + sent(REWORDER, range(20), always=words(777)), tmp_path)
    assert linked(found) == {}


def test_who_sends_the_problems_as_they_are_is_not_linked(tmp_path: Path) -> None:
    assert linked(found_in(strangers() + sent(REWORDER, range(20), own=0), tmp_path)) == {}


@pytest.mark.parametrize(("own", "reworded"), [(1, False), (2, True)])
def test_a_name_in_a_problem_is_no_wording_of_ones_own(
    own: int, reworded: bool, tmp_path: Path
) -> None:
    found = found_in(strangers() + sent(REWORDER, range(20), own=own), tmp_path)
    assert bool(linked(found)) == reworded


def test_words_that_somebody_else_sends_too_are_not_of_ones_own(tmp_path: Path) -> None:
    rows = sent(REWORDER, range(20))
    again = [exchange(99, cells=row["cells"]) for row in rows]
    assert linked(found_in(strangers() + rows + again, tmp_path)) == {}


def test_a_text_that_only_one_account_sends_is_not_public(tmp_path: Path) -> None:
    rows = sent(REWORDER, range(500, 520))
    assert linked(found_in(strangers() + rows, tmp_path / "alone")) == {}
    others = [exchange(99, shingles=row["shingles"]) for row in rows]
    assert linked(found_in(strangers() + rows + others, tmp_path / "public"))


@pytest.mark.parametrize(("held", "public"), [(3, False), (4, True)])
def test_of_a_reworded_problem_half_the_passages_must_be_left(
    held: int, public: bool, tmp_path: Path
) -> None:
    found = found_in(strangers() + sent(REWORDER, range(20), held=held), tmp_path)
    assert bool(linked(found)) == public


def test_two_public_passages_are_a_problem_in_a_template_and_only_four_can_be_reworded(
    tmp_path: Path,
) -> None:
    """A long template leaves few of a problem's passages; a single one may be chance."""
    rows = [row for n in range(1, 6) for row in sent(REWORDER, [n], held=n)]
    log = Log(strangers() + rows, tmp_path)
    log.find(Rewording())
    table = log.engine.collect(log["public_contents_1"]).to_pylist()
    ours = {row["content"]: row for row in table if row["account"] == REWORDER}
    found = [ours.get(row["content"]) for row in rows]
    assert [each and each["public"] for each in found] == [None, 2, 3, 4, 5]
    assert [each and each["reworded"] for each in found] == [None, False, False, True, True]


def test_problems_of_which_a_template_leaves_little_say_nothing_of_an_account(
    tmp_path: Path,
) -> None:
    rows = sent(REWORDER, range(7)) + sent(REWORDER, range(10, 17), held=3)
    found = found_in(strangers() + rows, tmp_path)
    assert set(found.links["uses"].to_pylist()) == {7}
    assert found.scores == {REWORDER: 0.5}


@pytest.mark.parametrize(("repeating", "public"), [(2, True), (3, False)])
def test_a_passage_that_accounts_put_many_texts_into_is_a_templates(
    repeating: int, public: bool, tmp_path: Path
) -> None:
    """Of its senders, seven others and the reworder, a quarter may do so."""
    rows = sent(REWORDER, range(10))
    for account in range(200, 207):
        texts = 3 if account < 200 + repeating else 1
        rows += [
            exchange(account, shingles=passages(each)) for each in range(10) for _ in range(texts)
        ]
    assert bool(linked(found_in(rows, tmp_path))) == public


def test_the_words_of_a_template_that_everybody_fills_are_no_public_problem(
    tmp_path: Path,
) -> None:
    """Each sends ten texts of their own within it, and rewords nothing."""
    rows = [
        exchange(account, shingles=passages(5), cells=[*words(5), *words(100 * account + number)])
        for account in STRANGERS
        for number in range(10)
    ]
    assert linked(found_in(rows, tmp_path)) == {}


@pytest.mark.parametrize(("contents", "reworded"), [(99, 18), (100, 20)])
def test_a_phrase_that_comes_back_once_in_a_hundred_texts_does_not_hide_a_reworder(
    contents: int, reworded: int, tmp_path: Path
) -> None:
    """In fewer texts it is no chance, and the two that hold it count as a template's."""
    rows = sent(REWORDER, [0, 1], always=words(777)) + sent(REWORDER, range(2, 20))
    found = found_in(strangers() + rows + work(REWORDER, contents - 20), tmp_path)
    assert set(found.links["uses"].to_pylist()) == {reworded}


def test_a_phrase_that_comes_back_twice_in_a_hundred_texts_is_a_templates(tmp_path: Path) -> None:
    rows = sent(REWORDER, range(3), always=words(777)) + sent(REWORDER, range(3, 20))
    found = found_in(strangers() + rows + work(REWORDER, 80), tmp_path)
    assert set(found.links["uses"].to_pylist()) == {17}


def test_a_phrase_of_its_other_work_comes_back_too(tmp_path: Path) -> None:
    """What an account says in all that it sends is a template, wherever it says it."""
    habit = words(777)
    others = [exchange(REWORDER, cells=habit) for _ in range(2)]
    rows = [*sent(REWORDER, range(7)), *sent(REWORDER, [7], always=habit), *others]
    found = found_in(strangers() + rows, tmp_path)
    assert set(found.links["uses"].to_pylist()) == {7}


def test_a_problem_that_is_tried_again_in_the_same_words_counts_once(tmp_path: Path) -> None:
    once = sent(REWORDER, range(4))
    again = [row | {"request": -row["request"]} for row in once]
    found = found_in(strangers() + once + again + again, tmp_path)
    assert found.links["uses"].to_pylist() == [4]


@pytest.mark.parametrize(("plain", "mostly"), [(3, True), (4, False)])
def test_an_account_most_of_whose_public_problems_are_plain_is_not_linked(
    plain: int, mostly: bool, tmp_path: Path
) -> None:
    rows = sent(REWORDER, range(7)) + sent(REWORDER, range(10, 10 + plain), own=0)
    assert bool(linked(found_in(strangers() + rows, tmp_path))) == mostly


@pytest.mark.parametrize(("others", "enough"), [(18, True), (19, False)])
def test_two_reworded_problems_in_a_life_of_other_work_link_nobody(
    others: int, enough: bool, tmp_path: Path
) -> None:
    rows = sent(REWORDER, range(2)) + work(REWORDER, others)
    assert bool(linked(found_in(strangers() + rows, tmp_path))) == enough


# --- what it says of a group

POOL = range(1, 21)


def pool(orgs: int = 20) -> list[Row]:
    return [
        row | {"org": 7 + account % orgs} for account in POOL for row in sent(account, range(4))
    ]


def said(rows: list[Row], *, by: str = "rewording", least: int = 2) -> list[Evidence]:
    """Of the pool, whose marked exchanges are those that ask something."""
    found = group(rows, POOL, styled=lambda row: row["asks"] == 1)
    objects = {least: np.array(POOL)}
    return list(Rewording().judge(replace(found, links={by: objects}, least=least)))


def test_many_organisations_that_reword_what_nobody_else_does_are_evidence() -> None:
    (found,) = said(pool() + strangers())
    assert (found.family, found.detection) == (Family.CONTENT, "rewording")
    assert (found.value, found.base_rate) == (20.0, 0.0)
    assert (found.speaks_for, found.veto) == (True, False)
    assert found.weight > 3
    assert "20 accounts of 20 organisations" in found.text
    assert "100% of their exchanges" in found.text


def test_accounts_of_fewer_organisations_weigh_less() -> None:
    few, many = (said(pool(orgs) + strangers())[0] for orgs in (4, 20))
    assert few.value == 4.0
    assert many.weight - few.weight == pytest.approx(math.log(20 / 4))


@pytest.mark.parametrize(("least", "share"), [(2, 0.4), (8, 0.2)])
def test_only_others_who_reword_as_many_are_its_base_rate(least: int, share: float) -> None:
    rows = [row for account in range(300, 304) for row in sent(account, range(8))]
    rows += [row for account in range(304, 308) for row in sent(account, range(7))]
    rows += [row for account in range(308, 312) for row in sent(account, range(1))]
    rows += [row for account in range(312, 320) for row in work(account, 9)]
    (found,) = said(pool() + rows, least=least)
    assert found.base_rate == share
    assert f"{share:.0%} of 20 other accounts" in found.text


def test_what_many_others_do_weighs_less() -> None:
    rare, common = (
        said(pool() + strangers() + [row for a in range(300, 300 + n) for row in sent(a, [1, 2])])
        for n in (0, 60)
    )
    assert common[0].weight < rare[0].weight


def test_with_nobody_to_compare_with_it_still_says_what_it_sees() -> None:
    (found,) = said(pool())
    assert found.base_rate == 0.0
    assert "no other accounts" in found.text


def test_of_a_group_that_something_else_links_it_says_nothing() -> None:
    assert said(pool() + strangers(), by="echo") == []


def test_of_a_group_without_a_reworded_exchange_it_says_nothing() -> None:
    plain = [row | {"asks": 0} for row in pool()]
    assert said(plain + strangers()) == []
