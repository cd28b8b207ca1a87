"""The baselines: who they flag, what they need, and how their outcome is counted."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.errors import InputError
from stillwatch.exchange import Message, RawExchange
from stillwatch.lab.baselines import (
    LIMITS,
    Baseline,
    CorpusOnly,
    Judged,
    Labels,
    MmdWindow,
    Rules,
    auc,
    outcome,
)
from stillwatch.lab.baselines.words import hashed_words, prompts
from stillwatch.lab.traffic import LABELS
from stillwatch.sources import NativeWriter

DAY = 86_400_000_000
MARCH = 1_772_409_600_000_000
TOPICS = {
    "garden": "soil seed rose water prune leaf root bloom shade compost bed hedge",
    "kitchen": "oven bread salt flour yeast dough crust butter knead bake tin rise",
    "harbour": "ship tide rope anchor crane pilot cargo dock wave mast hull berth",
}
HARVEST = "axiom lemma proof bound epsilon limit norm convex measure kernel theorem dual"


def text(chance: random.Random, words: str) -> str:
    return " ".join(["please", "tell", "me", "about", *chance.choices(words.split(), k=9)])


def traffic(seed: int) -> tuple[list[list[RawExchange]], Labels]:
    """120 innocents who each write about all topics, and 10 who write about something else."""
    chance = random.Random(seed)
    rows, labels = [], []
    for number in range(130):
        attack = number >= 120
        account = f"{'bad' if attack else 'good'}-{seed}-{number}"
        for place in range(20):
            words = HARVEST if attack else chance.choice(list(TOPICS.values()))
            rows.append(
                RawExchange(
                    at=MARCH + place * 1_000_000,
                    account=account,
                    request_id=f"{account}-{place}",
                    prompt=text(chance, words),
                )
            )
            labels.append((f"{account}-{place}", account, "chat", "c" if attack else None, attack))
    columns = list(zip(*labels, strict=True))
    table = pa.table([pa.array(column) for column in columns], names=LABELS.names).cast(LABELS)
    return [rows[start : start + 700] for start in range(0, len(rows), 700)], Labels.of(table)


@pytest.fixture(scope="module")
def one() -> tuple[list[list[RawExchange]], Labels]:
    return traffic(1)


@pytest.fixture(scope="module")
def two() -> tuple[list[list[RawExchange]], Labels]:
    return traffic(2)


@pytest.mark.parametrize("windows", ["pooled", "accounts"])
def test_an_mmd_window_flags_accounts_far_from_the_pool_and_few_others(windows, one) -> None:
    rows, labels = one
    found = outcome(MmdWindow(labels, windows=windows, percentile=99).judge(rows), labels)
    assert found.recall == 1
    assert found.accused < 0.05


def test_pooled_windows_accuse_innocents_who_keep_to_one_topic_and_account_windows_do_not() -> None:
    chance = random.Random(5)
    rows = [
        RawExchange(at=place, account=f"good-{number}", prompt=text(chance, words))
        for number in range(150)
        for words in [list(TOPICS.values())[number % 3]]
        for place in range(20)
    ]
    labels = Labels(frozenset(), frozenset(), {row.account: "chat" for row in rows})
    pooled = outcome(MmdWindow(labels, percentile=99).judge([rows]), labels)
    accounts = outcome(MmdWindow(labels, windows="accounts", percentile=99).judge([rows]), labels)
    assert pooled.accused > 0.9
    assert accounts.accused < 0.1


def test_an_account_with_a_short_window_is_never_flagged_by_mmd(one) -> None:
    rows, labels = one
    short = [RawExchange(at=n, account="short", prompt=HARVEST) for n in range(9)]
    judged = MmdWindow(labels).judge([*rows, short])
    assert judged.scores["short"] == 0
    assert "short" not in judged.flagged


def test_mmd_without_benign_accounts_to_calibrate_on_says_so(one) -> None:
    with pytest.raises(InputError, match="too few benign prompts"):
        MmdWindow(Labels(frozenset(), frozenset(), {})).judge(one[0])
    with pytest.raises(InputError, match="at least two prompts"):
        MmdWindow(one[1]).judge([])


def test_mmd_gives_the_same_scores_again(one) -> None:
    rows, labels = one
    assert MmdWindow(labels, seed=3).judge(rows) == MmdWindow(labels, seed=3).judge(rows)


def requests(
    account: str, said: Sequence[str], *, payment: str | None = None, ip: str | None = None
) -> list[RawExchange]:
    return [
        RawExchange(at=n, account=account, prompt=each, payment=payment, ip=ip)
        for n, each in enumerate(said)
    ]


def varied(count: int) -> list[str]:
    chance = random.Random(0)
    words = " ".join(TOPICS.values()).split()
    return [" ".join(chance.sample(words, 6)) for _ in range(count)]


def points(rows: list[RawExchange], account: str = "a") -> int:
    return int(Rules().judge([rows]).scores[account])


def test_an_ordinary_account_breaks_no_rule() -> None:
    assert points(requests("a", varied(30), payment="p", ip="i")) == 0


def test_a_thousand_requests_in_a_day_break_one_rule_and_over_two_days_none() -> None:
    rows = requests("a", varied(1_000))
    assert points(rows) == 1
    for row in rows[::2]:
        row.at += DAY
    assert points(rows) == 0


def test_near_copies_break_the_similarity_rule_from_the_tenth_prompt_on() -> None:
    copies = [f"describe the harbour of town number {n} in plain words" for n in range(10)]
    assert points(requests("a", copies)) == 1
    assert points(requests("a", copies[:9])) == 0


def test_reasoning_phrases_break_a_rule_at_a_share_of_three_in_ten() -> None:
    said = varied(20)
    asking = [f"{each}. Think step by step." for each in said]
    assert points(requests("a", [*asking[:6], *said[6:]])) == 1
    assert points(requests("a", [*asking[:5], *said[5:]])) == 0


def test_payment_and_address_count_the_accounts_that_share_them() -> None:
    rows = [
        row for n in range(LIMITS.address)
        for row in requests(f"a{n}", varied(2), payment="p" if n < LIMITS.payment else None, ip="i")
    ]  # fmt: skip
    judged = Rules().judge([rows])
    assert judged.flagged == {"a0", "a1", "a2"}
    assert points(rows, "a4") == 1


def test_the_classifier_learns_from_one_seed_and_tells_another(one, two) -> None:
    model = CorpusOnly.train(*one)
    examined = model.examine(*two)
    assert examined.auc > 0.99
    assert examined.auc_unseen > 0.99
    assert 0 < examined.unseen <= 130 * 20
    assert outcome(examined.judged, two[1]).recall == 1
    assert model.judge(two[0]) == examined.judged


def test_the_classifier_finds_nothing_where_attack_prompts_are_like_all_others(one, two) -> None:
    def shuffled(labelled: tuple[list[list[RawExchange]], Labels]) -> Labels:
        ids = sorted(r.request_id or "" for batch in labelled[0] for r in batch)
        attacks = random.Random(9).sample(ids, 300)
        return Labels(frozenset(attacks), labelled[1].guilty, labelled[1].innocent)

    examined = CorpusOnly.train(one[0], shuffled(one)).examine(two[0], shuffled(two))
    assert 0.43 < examined.auc < 0.57  # 300 against 2,300: the standard error is 0.017


def test_texts_of_the_training_seed_are_left_out_of_the_unseen(one) -> None:
    examined = CorpusOnly.train(*one).examine(*one)
    assert examined.unseen == 0
    assert np.isnan(examined.auc_unseen)


def test_training_without_an_attack_says_so(one) -> None:
    with pytest.raises(InputError, match="needs attack prompts"):
        CorpusOnly.train(one[0], Labels(frozenset(), frozenset(), one[1].innocent))


def baselines(labelled: tuple[list[list[RawExchange]], Labels]) -> Iterator[Baseline]:
    yield MmdWindow(labelled[1])
    yield Rules()
    yield CorpusOnly.train(*labelled)


def test_every_baseline_flags_from_a_log_what_it_flags_from_batches(one, tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    with NativeWriter(log) as writer:
        for batch in one[0]:
            writer.write(batch)
    for baseline in baselines(one):
        judged = baseline.judge(one[0])
        flagged = baseline.flag(log)
        assert baseline.name
        assert set(flagged) == judged.flagged
        assert list(flagged.values()) == sorted(flagged.values(), reverse=True)


def test_a_log_with_a_refused_row_is_not_judged(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"at": 1767225600, "account": "a", "prompt": "x"}\n{"at": 1767225600}\n')
    with pytest.raises(InputError, match=r"log\.jsonl:2: .*without refused rows"):
        Rules().flag(log)


def test_labels_name_attackers_by_their_attacks_and_keep_cover_apart(tmp_path: Path) -> None:
    table = pa.table(
        [["r1", "r2", "r3"], ["a", "a", "b"], ["harvest", "chat", "chat"], ["c", "c", None],
         [True, False, False]],
        schema=LABELS,
    )  # fmt: skip
    pq.write_table(table, tmp_path / "labels.parquet")
    read = Labels.read(tmp_path / "labels.parquet")
    assert read == Labels(frozenset({"r1"}), frozenset({"a"}), {"b": "chat"})


def test_labels_that_cannot_be_read_are_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the labels"):
        Labels.read(tmp_path / "none.parquet")
    with pytest.raises(InputError, match="without the column kind"):
        Labels.of(pa.table({"request_id": ["r"], "account": ["a"], "attack": [True]}))


def test_an_outcome_counts_recall_and_innocents_by_kind() -> None:
    labels = Labels(frozenset({"r"}), frozenset({"x", "y"}), {"a": "chat", "b": "chat", "c": "etl"})
    found = outcome(Judged({"x": 3.0, "a": 2.0, "b": 1.0, "c": 0.0}, 2.0), labels)
    assert (found.recall, found.accused) == (0.5, 1 / 3)
    assert dict(found.flagged) == {"chat": 1}
    assert dict(found.innocents) == {"chat": 2, "etl": 1}
    assert found.recall_at == 0.5


def test_recall_at_a_rate_lets_exactly_that_many_innocents_pass() -> None:
    innocent = {f"i{n}": "chat" for n in range(200)}
    scores = {name: float(n) for n, name in enumerate(innocent)} | {"low": 197.0, "high": 197.5}
    labels = Labels(frozenset(), frozenset({"low", "high"}), innocent)
    assert outcome(Judged(scores, 0.0), labels).recall_at == 0.5


def test_auc_is_the_chance_that_a_positive_scores_higher() -> None:
    chance = np.random.default_rng(4)
    scores = chance.integers(0, 9, 60).astype(float)
    positive = chance.random(60) < 0.4
    pairs = scores[positive][:, None] - scores[~positive][None, :]
    assert auc(scores, positive) == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))


def test_hashed_words_count_words_and_pairs_within_a_text_only() -> None:
    texts = ["a b a", "", "c", "一二"]
    words = hashed_words(texts, bits=20)
    assert words.sum(axis=1).A1.tolist() == [3, 0, 1, 2]
    both = hashed_words(texts, bits=20, pairs=True)
    assert both.sum(axis=1).A1.tolist() == [5, 0, 1, 3]
    assert (hashed_words(["A B A"], bits=20) != words[0]).nnz == 0


def test_a_prompt_is_what_the_user_said_last() -> None:
    turns = (Message("system", "s"), Message("user", "u"), Message("assistant", "v"))
    row = RawExchange(at=0, account="a", messages=(*turns, Message("user", "w")))
    assert prompts([row]) == ["w"]
