"""What a side brings: of a file, of a case; what stays out is told with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillwatch.errors import InputError, IntelError, SettingsError, UnknownCaseError
from stillwatch.intel.keeping import kept_of
from stillwatch.intel.overlap import Questions, of_case, of_file
from stillwatch.intel.overlap.texts import exchange_key, filled
from stillwatch.intel.policy import Overlap
from tests.intel.conftest import NOW, Provider
from tests.intel.overlap.conftest import ALL, CARDS, policy, question

KEY = exchange_key("ab" * 32)


def written(folder: Path, *lines: object) -> Path:
    file = folder / "values.jsonl"
    file.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n"
                            for line in lines))  # fmt: skip
    return file


def test_a_file_is_an_object_a_line_each_identifier_counted_once(tmp_path: Path) -> None:
    card = {"field": "payment", "value": CARDS[0]}
    file = written(tmp_path, card, "\n", {**card, "value": f"  {CARDS[0]} "}, card | {
        "value": CARDS[1]})  # fmt: skip
    assert of_file(file, ALL, KEY).counted() == {"payment": 2}


def test_what_is_never_shared_or_not_allowed_or_guessable_stays_out(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"field": "ip", "value": "203.0.113.1"},
        {"field": "device", "value": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        {"field": "payment", "value": "4242 4242 4242 4242"},
        {"field": "payment", "value": CARDS[0]},
    )
    found = of_file(file, frozenset({"payment"}), KEY)
    assert found.counted() == {"payment": 1}
    assert [each.field for each in found.dropped] == ["device", "ip", "payment"]
    assert "1 value: the policy does not allow it" in {each.why for each in found.dropped}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("pm_1\n", "values.jsonl:2: no object such as"),
        ({"field": "payment"}, "values.jsonl:2: no object such as"),
        ({"field": "payment", "value": 7}, "values.jsonl:2: no object such as"),
        ({"field": "shoe size", "value": "44"}, "values.jsonl:2: field: one of payment"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_number(
    tmp_path: Path, line: object, what: str
) -> None:
    file = written(tmp_path, {"field": "payment", "value": CARDS[0]}, line)
    with pytest.raises(InputError, match=what):
        of_file(file, ALL, KEY)
    with pytest.raises(InputError, match="cannot be read"):
        of_file(tmp_path / "nowhere", ALL, KEY)


def test_of_a_case_it_is_what_its_accounts_used_and_whose_it_is(built: Provider) -> None:
    found = of_case(str(built.state), built.case, [str(built.log)], ALL, KEY, NOW)
    assert found.counted() == {"device": 5, "payment": 4}
    cards = {item.of for item in found.items.values() if item.field == "payment"}
    assert cards == {tuple(f"acct-{n}" for n in range(start, start + 3)) for start in (0, 3, 6)} | {
        ("acct-10", "acct-9")
    }
    assert [(each.field, each.why[:7]) for each in found.dropped] == [("device", "1 value")]


def test_a_case_or_a_log_that_is_not_there_is_told(built: Provider, tmp_path: Path) -> None:
    with pytest.raises(UnknownCaseError):
        of_case(str(built.state), "case-0", [str(built.log)], ALL, KEY, NOW)
    other = tmp_path / "other.jsonl"
    other.write_text('{"at": "2026-09-02T10:00:00Z", "account": "x", "prompt": "hello"}\n')
    with pytest.raises(IntelError, match="none of the 11 accounts"):
        of_case(str(built.state), built.case, [str(other)], ALL, KEY, NOW)


def test_the_same_identifier_is_another_text_in_every_exchange() -> None:
    digests = {exchange_key(f"{n:064x}").digest("payment", CARDS[0]) for n in range(5)}
    assert len(digests) == 5


def test_what_fills_up_is_random_and_stands_anywhere() -> None:
    texts = [str(n) for n in range(65)]
    first, second = filled(texts), filled(texts)
    assert len(first) == len(second) == 128
    assert set(first) & set(second) == set(texts)
    assert [place for place, text in enumerate(first) if text in texts] != list(range(65))
    assert len(filled([])) == 64


def test_a_policy_says_which_questions_are_answered(tmp_path: Path) -> None:
    read = policy(tmp_path, "  overlap: {asks: [which], most: 128, times: 2, questions: 1, "
                            "days: 7, purposes: [a, b]}\n").overlap  # fmt: skip
    assert read == Overlap(
        asks=("which",), most=128, times=2, questions=1, days=7, purposes=("a", "b")
    )
    assert policy(tmp_path, "").overlap is None
    assert policy(tmp_path, "").digest != policy(tmp_path).digest


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{}", "asks"),
        ("{asks: [who]}", "'who' is none of: which, how-many"),
        ("{asks: [which], most: 10}", "between 64"),
        ("{asks: [which], days: 400}", "between 1 and 366"),
        ("{asks: [which], floor: 5}", "floor"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(SettingsError, match=rf"overlap-policy.yaml:\d+: .*{what}"):
        policy(tmp_path, f"  overlap: {text}\n")


def test_the_job_that_deletes_what_is_over_reaches_answered_questions(tmp_path: Path) -> None:
    from stillwatch.cases.periods import Periods

    asked = question(tmp_path, CARDS).request
    with Questions(tmp_path / "b", create=True) as questions:
        questions.record(asked, "0" * 64, Overlap(asks=("which",)), NOW)
    with kept_of(tmp_path / "b", Periods()) as kept:
        (overlaps,) = kept
        assert (overlaps.name, overlaps.days) == ("overlaps", 366)
        at = int(NOW.timestamp())
        assert [overlaps.expire(at, apply) for apply in (False, True)] == [0, 0]
        assert [overlaps.expire(at + 1, apply) for apply in (False, True, True)] == [1, 1, 0]
