"""A public problem set, divided among accounts or replayed by each."""

from pathlib import Path

import numpy as np

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


def test_it_links_nobody_since_evaluators_share_problems_too(tmp_path: Path) -> None:
    rows = honest() + evaluator() + divided()
    assert not Log(rows, tmp_path).find(Problems()).links.num_rows


def test_before_it_has_looked_at_a_log_it_says_nothing() -> None:
    assert list(Problems().judge(group(honest() + divided(), POOL))) == []
