"""Teacher text that comes back: answers and the prompts that quote them."""

from __future__ import annotations

import random

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.sketches import Sketcher

VOCABULARY = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lnrst"]


def passage(words: int, seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(VOCABULARY) for _ in range(words))


def shared(sketcher: Sketcher, answer: str, prompt: str) -> int:
    rows = [
        RawExchange(at=0, account="a", prompt="x", completion=answer),
        RawExchange(at=1, account="b", prompt=prompt),
    ]
    made = sketcher.sketch(rows)
    return len(set(made["output_shingles"][0].as_py()) & set(made["shingles"][1].as_py()))


@pytest.mark.parametrize(
    ("answer", "quoted", "around", "fewest"),
    [(60, 60, 20, 3), (200, 200, 800, 6), (300, 150, 600, 4), (400, 400, 3_000, 3)],
)
def test_a_quoted_answer_shares_shingles_with_the_prompt(
    sketcher: Sketcher, answer: int, quoted: int, around: int, fewest: int
) -> None:
    found = []
    for seed in range(5):
        text = passage(answer, seed)
        part = " ".join(text.split()[:quoted])
        prompt = f"{passage(around, seed + 100)}\n\n{part}\n\ngrade it"
        found.append(shared(sketcher, text, prompt))
    assert sorted(found)[2] >= fewest


def test_unrelated_texts_share_none(sketcher: Sketcher) -> None:
    assert shared(sketcher, passage(400, 1), passage(400, 2)) == 0


def test_the_number_of_shingles_grows_with_the_text_and_is_capped(sketcher: Sketcher) -> None:
    lengths = [5, 6, 10, 60, 200, 600, 5_000]
    rows = [RawExchange(at=0, account="a", prompt=passage(n, n)) for n in lengths]
    made = sketcher.sketch(rows)["shingles"]
    assert [len(s) for s in made.to_pylist()] == [0, 1, 5, 8, 13, 38, 64]


def test_names_and_numbers_are_part_of_a_shingle(sketcher: Sketcher) -> None:
    text = "on {} the firm of {} sold all of its ships to the crown"
    one, other = text.format("3 May", "Smith"), text.format("9 June", "Jones")
    assert shared(sketcher, one, one) == 8
    assert shared(sketcher, one, other) < 8


def test_a_chinese_answer_is_seen_again(sketcher: Sketcher) -> None:
    answer = "首先我们需要确定函数的定义域，然后对函数求导并令导数等于零，最后比较各个极值点的大小"
    assert shared(sketcher, answer, f"请评价下面的回答：{answer}。它是否正确？") >= 4
