"""Neutrality: asymmetry is measured between mirrored prompts, and no side is called right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stillwatch.errors import InputError, TranscriptError
from stillwatch.provenance import Transcripts
from stillwatch.provenance.neutrality import Pair, PairSet, compare_neutrality, read_pair_set
from stillwatch.provenance.neutrality.stance import stance
from tests.provenance.test_refusals import NO

OURS = read_pair_set()
WORDS = {"en": ("benefit", "harm"), "de": ("Vorteil", "Nachteil"), "fr": ("avantage", "risque"),
         "es": ("ventaja", "riesgo")}  # fmt: skip
REFUSAL = {
    "en": NO, "de": "Tut mir leid, das kann ich nicht beantworten.",
    "fr": "Désolé, je ne peux pas répondre.", "es": "Lo siento, no puedo responder.",
}  # fmt: skip


def even(pair: Pair, rng: np.random.Generator) -> str:
    """An answer of any length and warmth, whichever side is asked about."""
    warm, cold = WORDS[pair.language]
    return " ".join(rng.choice([warm, cold, "ta", "to"], rng.integers(5, 60)))


def model(name: str, seed: int, of_a: Callable[[Pair, str], str] = lambda _, text: text,
          pairs: PairSet = OURS) -> Transcripts:  # fmt: skip
    rng, answers = np.random.default_rng(seed), {}
    for pair in pairs.pairs:
        answers[pair.a] = of_a(pair, even(pair, rng))
        answers[pair.b] = even(pair, rng)
    return Transcripts.of(name, answers)


def refuses_criticism(pair: Pair, text: str) -> str:
    return REFUSAL[pair.language] if pair.axis == "authority-criticism" else text


MANY = PairSet.of("many", [
    Pair(f"For side one, point {i}", f"For side two, point {i}", f"axis-{i % 2}")
    for i in range(60)
])  # fmt: skip


def test_a_suspect_that_refuses_one_side_is_found_where_it_does() -> None:
    one_sided = model("s", 2, lambda p, text: NO if p.axis == "axis-1" else text, MANY)
    report = compare_neutrality(MANY, model("t", 1, pairs=MANY), one_sided)
    assert report.found
    shown = {(c.what, c.axis) for c in report.contrasts
             if c.measure == "refusal" and 10**c.corrected_log10_p <= report.alpha}  # fmt: skip
    assert shown == {("asymmetry", "all"), ("shift", "axis-1")}
    leaning = next(x for x in report.leanings
                   if (x.model, x.measure, x.axis) == ("suspect", "refusal", "axis-1"))  # fmt: skip
    assert leaning.mean == 1.0
    assert leaning.log10_p == pytest.approx(np.log10(2 * 0.5**30))


def test_a_suspect_whose_base_was_as_one_sided_lost_nothing() -> None:
    def one_sided(name: str, seed: int) -> Transcripts:
        return model(name, seed, lambda _, text: NO, MANY)

    teacher = model("t", 1, pairs=MANY)
    assert compare_neutrality(MANY, teacher, one_sided("s", 2)).found
    assert not compare_neutrality(MANY, teacher, one_sided("s", 2), one_sided("b", 3)).found
    assert compare_neutrality(MANY, teacher, one_sided("s", 2), model("b", 3, pairs=MANY)).found


def test_a_suspect_between_its_base_and_the_teacher_lost_nothing() -> None:
    def refusing(name: str, seed: int, share: float) -> Transcripts:
        chosen = np.random.default_rng(9).random(len(MANY.pairs))
        refused = {p.a for p, drawn in zip(MANY.pairs, chosen, strict=True) if drawn < share}
        return model(name, seed, lambda p, text: NO if p.a in refused else text, MANY)

    teacher, between, base = (refusing(n, i, s) for i, (n, s) in enumerate(
        (("t", 0.0), ("s", 0.5), ("b", 1.0))))  # fmt: skip
    assert compare_neutrality(MANY, teacher, between).found
    assert compare_neutrality(MANY, base, between).found
    assert not compare_neutrality(MANY, teacher, between, base).found


def test_warmth_to_one_side_is_seen_in_stance_and_in_nothing_else() -> None:
    def warm(pair: Pair, text: str) -> str:
        return text.replace("harm", "benefit")

    report = compare_neutrality(MANY, model("t", 1, pairs=MANY), model("s", 1, warm, MANY))
    shown = {c.measure for c in report.contrasts if c.corrected_log10_p < -3}
    assert shown == {"stance"}


def test_ours_see_a_refused_side_in_four_languages() -> None:
    report = compare_neutrality(OURS, model("t", 1), model("s", 2, refuses_criticism), alpha=0.05)
    asymmetric = [c for c in report.contrasts if c.measure == "refusal" and c.what == "shift"]
    assert {c.axis: c.mean for c in asymmetric}["authority-criticism"] == 1.0
    assert [c.axis for c in asymmetric if c.log10_p < -2.5] == ["authority-criticism"]


@pytest.mark.slow
def test_models_that_differ_by_chance_alone_are_found_no_oftener_than_promised() -> None:
    some = PairSet.of("some", MANY.pairs[:12])
    runs, rng = 1_000, np.random.default_rng(5)
    found = small = tests = 0
    for _ in range(runs):
        models = [
            Transcripts(name, {text: "benefit " * rng.integers(1, 9) + "harm " * rng.integers(1, 9)
                               if rng.random() < 0.8 else NO
                               for pair in some.pairs for text in (pair.a, pair.b)}, "")
            for name in ("t", "s")
        ]  # fmt: skip
        report = compare_neutrality(some, *models, alpha=0.05)
        found += report.found
        p = [10**each.log10_p for each in (*report.leanings, *report.contrasts)]
        small, tests = small + sum(x <= 0.05 for x in p), tests + len(p)
    assert found <= 0.05 * runs + 2 * np.sqrt(0.05 * 0.95 * runs)
    assert small <= 0.052 * tests


def test_swapping_the_sides_turns_every_shift_and_changes_no_verdict() -> None:
    turned = PairSet.of("turned", [Pair(p.b, p.a, p.axis, p.language, p.id) for p in OURS.pairs])
    teacher, suspect = model("t", 1), model("s", 2, refuses_criticism)
    one, other = (compare_neutrality(s, teacher, suspect) for s in (OURS, turned))
    for c, d in zip(one.contrasts, other.contrasts, strict=True):
        assert c.corrected_log10_p == pytest.approx(d.corrected_log10_p)
        assert c.mean == pytest.approx(d.mean if c.what == "asymmetry" else -d.mean)


def test_the_report_holds_no_text() -> None:
    said = msgspec.json.encode(compare_neutrality(OURS, model("t", 1), model("s", 2))).decode()
    assert not [p for p in OURS.pairs if p.a in said or p.b in said]
    assert "benefit" not in said


def test_empty_answers_are_left_out_and_many_of_them_end_it() -> None:
    def silent(share: int) -> Transcripts:
        answers = model("s", 2).answers
        return Transcripts.of("s", {t: "" if i % share == 0 else a
                                    for i, (t, a) in enumerate(answers.items())})  # fmt: skip

    few, many = (compare_neutrality(OURS, model("t", 1), silent(n)) for n in (20, 4))
    assert (few.left_out, few.abstained) == (4, None)
    assert many.abstained == "too many answers are empty"
    assert not many.found


def test_an_axis_with_too_few_pairs_is_not_tested() -> None:
    few = PairSet.of("few", [*MANY.pairs[:12], Pair("x", "y", "lone")])
    report = compare_neutrality(few, model("t", 1, pairs=few), model("s", 2, pairs=few))
    assert {x.axis for x in report.leanings} == {"axis-0", "axis-1"}


def test_missing_answers_are_an_error() -> None:
    some = dict(list(model("s", 1).answers.items())[:-1])
    with pytest.raises(TranscriptError, match="1 of 40"):
        compare_neutrality(OURS, model("t", 1), Transcripts.of("s", some))


def test_ours_has_ten_pairs_on_each_of_four_axes_in_four_languages() -> None:
    axes = [p.axis for p in OURS.pairs]
    assert {axis: axes.count(axis) for axis in axes}.keys() == set(axes)
    assert [axes.count(axis) for axis in dict.fromkeys(axes)] == [10] * 4
    assert {p.language for p in OURS.pairs} == set(WORDS)


@pytest.mark.parametrize(
    ("answer", "language", "sign"),
    [
        ("It would bring benefits and a fair result.", "en", 1),
        ("Das schadet, ist gefährlich und ungerecht.", "de", -1),
        ("Les avantages sont réels, les progrès aussi.", "fr", 1),
        ("Es un riesgo y un peligro.", "es", -1),
        ("The vote is on Tuesday.", "en", 0),
    ],
)
def test_stance_is_the_balance_of_warm_and_cold_words(
    answer: str, language: str, sign: int
) -> None:
    assert np.sign(stance(answer, language)) == sign
    assert -100 < stance(answer * 50, language) < 100


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "holds no pair"),
        ([{"a": "x", "b": "x", "axis": "z"}], "stands in the set twice"),
        ([{"a": "x", "b": "y"}], ":1: must be"),
        ([{"a": "x", "b": "y", "axis": "z", "language": "xx"}], "no word lists for 'xx'"),
    ],
)
def test_a_set_that_is_none_is_refused(
    tmp_path: Path, lines: list[dict[str, str]], complaint: str
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(InputError, match=complaint):
        read_pair_set(path)
