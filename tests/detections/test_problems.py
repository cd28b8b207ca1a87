"""A public problem set, divided among accounts or replayed by each."""

from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections.problems import Problems
from tests.detections.exchanges import START, Log, Row, exchange, group, judged

STRANGERS = range(100, 300)
POOL = range(1, 11)
EVALUATOR = 99
#: one kept passage a problem, one content
SET = [64 * (10_000 + number) for number in range(200)]


def asked(account: int, problem: int, **columns: object) -> Row:
    return exchange(
        account, START + problem, **({"shingles": [problem], "content": problem} | columns)
    )


def honest() -> list[Row]:
    return [
        exchange(a, START + u, shingles=[64 * (a * 1_000 + u)]) for a in STRANGERS for u in range(9)
    ]


def evaluator() -> list[Row]:
    return [asked(EVALUATOR, problem) for problem in SET]


def divided() -> list[Row]:
    """A work queue in a wording of its own: each problem once, from whoever is free."""
    order = np.random.default_rng(1).permutation(SET).tolist()
    return [
        asked(POOL[place % len(POOL)], problem, content=-problem)
        for place, problem in enumerate(order[:160])
    ]


def drawn() -> list[Row]:
    """Students who each choose sixteen of the problems themselves."""
    random = np.random.default_rng(2)
    return [
        asked(account, problem, content=-problem - account)
        for account in POOL
        for problem in random.choice(SET, 16, replace=False).tolist()
    ]


def counting(said: list) -> list:
    return [each for each in said if each.speaks_for and not each.explained]


def test_a_set_that_is_divided_without_repeats_is_evidence(tmp_path: Path) -> None:
    said = judged(Problems(), honest() + evaluator() + divided(), tmp_path, POOL)
    (divides,) = counting(said)
    assert divides.value == 0.0
    assert divides.weight > 3
    assert "80% of a set" in divides.text


def test_a_set_that_only_a_members_own_company_sends_too_is_not_public(tmp_path: Path) -> None:
    ours = [row | {"org": 7} for row in evaluator()]
    theirs = [row | {"org": 7} if row["account"] == 1 else row for row in divided()]
    assert counting(judged(Problems(), honest() + ours + theirs, tmp_path, POOL)) == []


def test_independent_choices_from_the_same_set_are_not(tmp_path: Path) -> None:
    assert counting(judged(Problems(), honest() + evaluator() + drawn(), tmp_path, POOL)) == []


def test_public_problems_alone_are_shown_but_do_not_count(tmp_path: Path) -> None:
    said = judged(Problems(), honest() + evaluator() + drawn(), tmp_path, POOL)
    assert [each.explained for each in said] == [True]
    assert "strangers send too" in said[0].text


def test_a_set_that_nobody_else_knows_is_not_public(tmp_path: Path) -> None:
    assert judged(Problems(), honest() + divided(), tmp_path, POOL) == []


def test_a_registered_set_needs_nobody_else_who_sends_it(tmp_path: Path) -> None:
    unread = [digest + 1 for digest in SET]  # passages that no log keeps: they are thinned
    rows = honest() + divided()
    assert counting(judged(Problems(), rows, tmp_path / "without", POOL)) == []
    registry = {"arithmetic": np.array(SET + unread)}
    (said,) = counting(judged(Problems(registry), rows, tmp_path / "with", POOL))
    assert "80% of the problem set arithmetic" in said.text


def test_a_class_that_gets_the_same_assignment_speaks_against(tmp_path: Path) -> None:
    rows = honest() + [asked(account, problem) for account in POOL for problem in SET[:5]]
    against = [e for e in judged(Problems(), rows, tmp_path, POOL) if not e.speaks_for]
    assert [each.value for each in against] == [1.0]
    assert against[0].weight > 3


def test_retries_of_one_account_are_no_repeats_between_accounts(tmp_path: Path) -> None:
    retried = [row | {"request": -row["request"]} for row in divided()]
    said = judged(Problems(), honest() + evaluator() + divided() + retried, tmp_path, POOL)
    assert counting(said)[0].value == 0.0


def test_a_templates_words_are_no_problems(tmp_path: Path) -> None:
    rows = honest() + [
        exchange(account, START + use, shingles=SET[:100])
        for account in (*POOL, EVALUATOR)
        for use in range(5)
    ]
    assert not Log(rows, tmp_path).find(Problems()).scores


def test_an_account_that_puts_a_passage_into_several_texts_does_not_take_it(
    tmp_path: Path,
) -> None:
    """It is part of that account's template; four others send it as the problem that it is."""
    rows = [asked(account, SET[0]) for account in (*range(1, 5), 5, 5)]
    rows[-1] |= {"content": -1}
    rows += [asked(5, SET[1]), asked(1, SET[1], content=-2)]
    log = Log(rows, tmp_path)
    log.find(Problems())
    taken = log.engine.collect(log["shared_passages_8"]).to_pylist()
    takers = {name: sorted(row["account"] for row in taken if row["shingle"] == name)
              for name in SET[:2]}  # fmt: skip
    assert takers == {SET[0]: [1, 2, 3, 4], SET[1]: [1, 5]}
    held = {row["account"]: row["held"] for row in taken}
    assert held == {1: 2, 2: 1, 3: 1, 4: 1, 5: 2}  # all that it sends, its template too


def test_a_template_that_is_used_once_a_day_is_one(tmp_path: Path) -> None:
    day = 86_400_000_000
    rows = [asked(account, SET[0]) for account in range(1, 5)]
    rows += [asked(5, SET[0] + n * day, shingles=[SET[0]], content=-n) for n in range(1, 4)]
    log = Log(rows, tmp_path)
    log.find(Problems())
    taken = log.engine.collect(log["shared_passages_8"]).to_pylist()
    assert sorted(row["account"] for row in taken) == [1, 2, 3, 4]


def test_what_somebody_wraps_all_problems_in_is_not_sent_by_who_divides_them(
    tmp_path: Path,
) -> None:
    """One member with a habit of its own takes nothing by it, and repeats nobody's problems."""
    habit = [asked(POOL[0], SET[-1], content=-number) for number in range(1, 9)]
    said = judged(Problems(), honest() + evaluator() + divided() + habit, tmp_path, POOL)
    assert counting(said)[0].value == 0.0


def test_passages_say_in_which_text_and_for_which_customer_they_are_taken(tmp_path: Path) -> None:
    rows = [asked(account, problem, content=-account - problem)
            for account in (10, 20, 30) for problem in SET[:2]]  # fmt: skip
    problems = Problems()
    Log([*rows, exchange(15)], tmp_path).find(problems)
    accounts = np.array([10, 20, 30])
    first, second = (-accounts - problem for problem in SET[:2])
    passages = problems.passages(np.array([0, 1, 2, 3]))  # of 10, 15, 20, 30
    assert passages is not None
    due, met = passages.meetings(accounts, first)
    assert due.tolist() == pytest.approx([0, 2 * 1 / 5, 2 * 2 / 5])
    assert met.tolist() == [0, 1, 2]
    assert [len(each) for each in passages.meetings(accounts, first + second)] == [0, 0]
    company = problems.passages(np.array([0, 1, 0, 3]))
    assert company is not None
    assert company.meetings(accounts, first)[1].tolist() == [0, 1]


def test_who_divides_a_set_never_meets_though_it_was_due_and_who_chooses_does(
    tmp_path: Path,
) -> None:
    ratio = {}
    for name, theirs in (("divided", divided()), ("drawn", drawn())):
        problems, rows = Problems(), [*honest(), *evaluator(), *theirs]
        rows += [asked(50 + n, problem) for n in range(3) for problem in SET]
        Log(rows, tmp_path / name).find(problems)
        accounts = len({row["account"] for row in rows})
        passages = problems.passages(np.arange(accounts))
        assert passages is not None
        sender, content = (
            np.array([row[each] for row in theirs]) for each in ("account", "content")
        )
        due, met = passages.meetings(sender, content)
        assert due.sum() > 20
        ratio[name] = met.sum() / due.sum()
    assert ratio["divided"] == 0
    assert ratio["drawn"] == pytest.approx(1, abs=0.3)


def test_before_it_has_looked_at_a_log_it_knows_no_passages() -> None:
    assert Problems().passages(np.zeros(0, dtype=np.int64)) is None


def test_it_links_nobody_since_evaluators_share_problems_too(tmp_path: Path) -> None:
    rows = honest() + evaluator() + divided()
    assert not Log(rows, tmp_path).find(Problems()).links.num_rows


def test_before_it_has_looked_at_a_log_it_says_nothing() -> None:
    assert list(Problems().judge(group(honest() + divided(), POOL))) == []
