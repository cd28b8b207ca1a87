"""Coarse topics: stable, spread out, and shared by texts on one subject."""

from __future__ import annotations

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.sketches import Sketcher
from stillwatch.sketches.topics import BINS, load_topics


def topics(sketcher: Sketcher, prompts: list[str]) -> list[int]:
    rows = [RawExchange(at=0, account="a", prompt=prompt) for prompt in prompts]
    return sketcher.sketch(rows)["topic"].to_pylist()


def test_texts_on_one_subject_share_a_topic_and_other_subjects_have_others(
    sketcher: Sketcher,
) -> None:
    card = topics(
        sketcher,
        ["My bank account was charged twice, please refund the credit card.",
         "I want to cancel the credit card of my account at the bank."],
    )  # fmt: skip
    calculus = topics(
        sketcher,
        ["What is the third derivative of 3*x**5 wrt x?",
         "Find the second derivative of 12*y**3 - 4*y wrt y."],
    )  # fmt: skip
    assert len(set(card)) == len(set(calculus)) == 1
    assert card != calculus


@pytest.mark.parametrize(
    "prompt",
    ["Почему небо становится красным на закате солнца?",
     "¿Por qué el cielo se vuelve rojo al atardecer?",
     "なぜ夕方になると空は赤くなるのですか",
     "天空为什么在傍晚变红", "لماذا تصبح السماء حمراء عند الغروب",
     "저녁에는 왜 하늘이 빨갛게 변하나요", "ทำไมท้องฟ้าเป็นสีแดงตอนเย็น"],
)  # fmt: skip
def test_other_languages_have_a_stable_topic_too(sketcher: Sketcher, prompt: str) -> None:
    one, other = topics(sketcher, [prompt, f"  {prompt.upper()} "])
    assert one == other
    assert 0 <= one < load_topics().weights.shape[1] + BINS


def test_too_few_words_have_no_topic(sketcher: Sketcher) -> None:
    assert topics(sketcher, ["hi", "", "42 + 17 = ?", "ok thanks"]) == [-1] * 4


def test_the_model_names_its_version_and_is_small() -> None:
    model = load_topics()
    assert model.version == "stillwatch.topics/2"
    assert len(model.vocabulary) == len(model.weights) <= 2**16
    assert model.weights.min() >= 0
    assert (model.weights.max(axis=0) > 0).all()
