"""The model's answers come back as prompts."""

from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections import Abstained
from stillwatch.detections.reentry import Reentry
from tests.detections.exchanges import HOUR, START, Log, Row, exchange, judged

STRANGERS = range(100, 300)
POOL = range(1, 9)


def passages(seed: int, number: int = 6) -> list[int]:
    return (np.random.default_rng(seed).integers(1 << 40, size=number) * 64).tolist()


def honest() -> list[Row]:
    return [
        exchange(a, START + use * HOUR, shingles=passages(a * 10 + use),
                 output_shingles=passages(900_000 + a * 10 + use))
        for a in STRANGERS for use in range(3)
    ]  # fmt: skip


def cleaned(pool: range, later: int = HOUR, shift: int = 1, **columns: object) -> list[Row]:
    """Each account's answers are sent in by the next account of the pool."""
    rows = []
    for place, account in enumerate(pool):
        for use in range(4):
            answer = passages(5_000_000 + account * 10 + use)
            reader = pool[(place + shift) % len(pool)]
            at = START + use * HOUR
            rows.append(exchange(account, at, output_shingles=answer, **columns))
            rows.append(exchange(reader, at + later, shingles=answer[:3], **columns))
    return rows


def test_accounts_that_feed_on_each_others_answers_are_one_pool(tmp_path: Path) -> None:
    found = Log(honest() + cleaned(POOL), tmp_path).find(Reentry())
    assert set(found.links["account"].to_pylist()) == set(POOL)
    assert len(set(found.links["object"].to_pylist())) == 1
    assert set(found.scores) == set(POOL)


def test_a_stranger_who_quotes_one_passage_is_in_no_pool(tmp_path: Path) -> None:
    rows = honest() + cleaned(POOL)
    quoted = next(row["output_shingles"][5] for row in rows if row["account"] == 1)
    rows.append(exchange(100, START + 9 * HOUR, shingles=[quoted]))
    found = Log(rows, tmp_path).find(Reentry())
    assert 100 in found.scores
    assert set(found.links["account"].to_pylist()) == set(POOL)


def test_returned_answers_are_evidence_that_no_template_explains(tmp_path: Path) -> None:
    rows = honest() + cleaned(POOL)
    (said,) = judged(Reentry(), rows, tmp_path, POOL, styled=lambda row: True)
    assert (said.value, said.base_rate, said.explained) == (1.0, 0.0, False)
    assert said.weight > 3


@pytest.mark.parametrize("later", [0, -HOUR // 2])
def test_text_that_was_sent_before_it_was_answered_is_the_senders(
    later: int, tmp_path: Path
) -> None:
    assert not Log(honest() + cleaned(POOL, later), tmp_path).find(Reentry()).scores


def test_one_company_may_send_its_own_answers(tmp_path: Path) -> None:
    rows = honest() + cleaned(POOL, org=7)
    assert not Log(rows, tmp_path).find(Reentry()).links.num_rows
    assert all(each.explained for each in judged(Reentry(), rows, tmp_path, POOL))


def test_an_accounts_own_answers_are_shown_but_do_not_count(tmp_path: Path) -> None:
    rows = honest() + cleaned(POOL, shift=0)
    (said,) = judged(Reentry(), rows, tmp_path, POOL)
    assert said.explained
    assert "editors" in said.text


def test_a_stock_phrase_of_the_model_ties_nobody(tmp_path: Path) -> None:
    phrase = passages(1)
    rows = honest() + [exchange(a, START, output_shingles=phrase) for a in range(1, 30)]
    rows += [exchange(a, START + HOUR, shingles=phrase) for a in range(30, 50)]
    assert not Log(rows, tmp_path).find(Reentry()).scores


def test_an_answer_that_everybody_quotes_ties_nobody(tmp_path: Path) -> None:
    rows = [*honest(), exchange(1, START, output_shingles=passages(1))]
    rows += [exchange(a, START + HOUR, shingles=passages(1)) for a in range(2, 80)]
    assert not Log(rows, tmp_path).find(Reentry()).scores


def test_without_answers_it_abstains(tmp_path: Path) -> None:
    with pytest.raises(Abstained, match="completion"):
        Log([exchange(1, shingles=passages(1))], tmp_path).find(Reentry())
