"""Requests that share a batch: each is marked under its own key, however the rows are moved."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.watermark import GumbelMark, LayeredMark, detect
from stillwatch.watermark.hooks import Label, Marks
from stillwatch.watermark.hooks.sampling import Sampling
from stillwatch.watermark.hooks.sequence import MarkedSequence, followed
from stillwatch.watermark.hooks.vllm_rows import BatchRows
from tests.watermark.hooks.engine import Engine, Move, Request, Update, alone

ALICE, BOB, CAROL = "a" * 16, "b" * 16, "c" * 16
LABELS = [
    None, f"radioactive;normal;{ALICE}", f"radioactive;normal;{BOB}", "provenance;normal",
    f"both;normal;{CAROL}", "unheard-of;normal", "radioactive;normal",
]  # fmt: skip
#: no nucleus and no penalty: those the engine of these tests does not have
SAMPLINGS: list[dict[str, float]] = [{}, {"temperature": 0.0}, {"temperature": 0.5}]


@st.composite
def lives(draw: st.DrawFn) -> list[Request]:
    return [
        Request(
            number, draw(st.sampled_from(LABELS)), draw(st.integers(1, 12)),
            pieces=draw(st.integers(0, 2)), sampling=draw(st.sampled_from(SAMPLINGS)),
        )
        for number in range(draw(st.integers(1, 8)))
    ]  # fmt: skip


def twin(request: Request) -> Request:
    return Request(request.number, request.label, request.length, sampling=request.sampling)


@settings(max_examples=100, deadline=None)
@given(requests=lives(), seed=st.integers(0, 2**32 - 1), asynchronous=st.booleans())
def test_a_text_does_not_depend_on_who_shares_the_batch(
    marks: Marks, requests: list[Request], seed: int, asynchronous: bool
) -> None:
    chance = random.Random(seed)
    engine = Engine(BatchRows(marks), asynchronous=asynchronous)
    waiting, ended = list(requests), list[Request]()
    while len(ended) < len(requests):
        done = {i for i, r in enumerate(engine.batch) if len(r.output) >= r.length}
        preempted = {i for i in range(len(engine.batch)) if chance.random() < 0.1} - done
        ended += [engine.batch[i] for i in done]
        returning = [engine.batch[i] for i in preempted]
        coming, waiting = waiting[: (some := chance.randrange(3))], waiting[some:]
        swaps = [(chance.randrange(6), chance.randrange(6)) for _ in range(chance.randrange(3))]
        engine.step(leaving=done | preempted, coming=coming, swaps=swaps)
        for row, request in enumerate(engine.batch):
            held = engine.rows.get(row)
            assert held is None or held.output is request.output
        waiting += returning
    texts = {r.number: r.output for r in ended}
    assert texts == {r.number: alone(BatchRows(marks), twin(r)) for r in requests}


def test_each_customers_text_carries_that_customers_mark_and_no_other(marks: Marks) -> None:
    requests = [
        Request(i, f"radioactive;normal;{who}", 400) for i, who in enumerate([ALICE, BOB, CAROL])
    ]
    engine = Engine(BatchRows(marks))
    engine.step(leaving=set(), coming=requests)
    for step in range(400):
        engine.step(leaving=set(), coming=[], swaps=[(step % 3, (step + 1) % 3)])
    keys = [marks.mark_for("radioactive", cluster=who).mark for who in (ALICE, BOB, CAROL)]
    assert all(isinstance(key, GumbelMark) for key in keys)
    for request, own in zip(requests, keys, strict=True):
        for key in keys:
            assert isinstance(key, GumbelMark)
            (found,) = detect(np.array(request.output), [key])
            assert found.log10_p is not None
            assert (found.log10_p < -4) == (key == own)


def test_both_layers_are_found_in_one_text(marks: Marks) -> None:
    request = Request(0, f"both;normal;{ALICE}", 600)
    text = np.array(alone(BatchRows(marks), request))
    both = marks.mark_for("both", cluster=ALICE).mark
    assert isinstance(both, LayeredMark)
    found = detect(text, both.layers)
    assert [each.log10_p is not None and each.log10_p < -6 for each in found] == [True, True]


def test_a_row_whose_request_moved_away_is_nobodys() -> None:
    rows = batch_of(4)
    rows.update(Update([0], [], [(3, 0, Move.UNIDIRECTIONAL)]))
    assert {row: held.prompt for row, held in rows.items()} == {0: [3], 1: [1], 2: [2]}


def test_a_row_that_was_freed_is_nobodys() -> None:
    rows = batch_of(3)
    rows.update(Update([2, 0], [], []))
    assert list(rows) == [1]


def test_a_row_that_an_unmarked_request_moves_into_loses_its_mark() -> None:
    rows = batch_of(2)
    rows.update(Update([], [(2, Request(9, None, 1).params, [9], [])], []))
    rows.update(Update([], [], [(2, 0, Move.UNIDIRECTIONAL)]))
    assert {row: held.prompt for row, held in rows.items()} == {1: [1]}


def test_a_request_takes_the_row_of_one_that_went_without_being_removed() -> None:
    rows = batch_of(2)
    rows.update(Update([], [(1, Request(9, LABELS[2], 1).params, [9], [])], []))
    assert {row: held.prompt for row, held in rows.items()} == {0: [0], 1: [9]}
    rows.update(Update([], [(1, Request(9, None, 1).params, [8], [])], []))
    assert {row: held.prompt for row, held in rows.items()} == {0: [0]}


def batch_of(count: int) -> BatchRows:
    """So many marked requests, each with its row as its prompt."""
    rows = BatchRows(lookup())
    rows.update(
        Update([], [(i, Request(i, LABELS[1], 1).params, [i], []) for i in range(count)], [])
    )
    return rows


def lookup() -> Marks:
    from stillwatch.watermark import KeyRing
    from stillwatch.watermark.hooks import MarkSettings

    ring = KeyRing(bytes(range(32)), "2026-11")
    return Marks(ring, {"radioactive": MarkSettings(profile="radioactive")})


def test_why_requests_go_unmarked_is_counted_and_said_once(
    marks: Marks, caplog: pytest.LogCaptureFixture
) -> None:
    rows = BatchRows(marks)
    asked = [
        (LABELS[1], {}), (LABELS[1], {"temperature": 0.0}), (LABELS[1], {"top_k": 1}),
        ("unheard-of;normal", {}), ("radioactive;normal", {}), (None, {}),
    ]  # fmt: skip
    for row, (label, sampling) in enumerate(asked):
        rows.put(row, Request(row, label, 1, sampling=sampling).params, [1], [])
    assert list(rows) == [0]
    assert rows.unmarked == Counter({"greedy": 2, "unknown mark": 1, "no cluster": 1})
    assert len([each for each in caplog.messages if "go unmarked" in each]) == 3


def test_workers_of_one_model_draw_alike(marks: Marks) -> None:
    one, other = (BatchRows(marks).rng.random(5).tolist() for _ in range(2))
    assert one == other
    assert len(set(one)) == 5


@pytest.mark.parametrize("told", ["radioactive", "radioactive;normal;*", 7, {"key": "00ff"}])
def test_what_the_gateway_would_not_write_is_refused(marks: Marks, told: object) -> None:
    params = Request(0, None, 1).params
    params.extra_args = {"stillwatch_mark": told}
    with pytest.raises(ValueError, match="set by the gateway"):
        BatchRows(marks).put(0, params, [1], [])


def test_tokens_that_are_not_known_yet_are_waited_for_unmarked(marks: Marks) -> None:
    found = marks.of(Label("provenance"))
    sequence = MarkedSequence(found, output := [1, 2, 3, -1])
    assert sequence.place() is None
    output[3:] = [4, 5]
    place = sequence.place()
    assert place is not None
    assert place.context.tolist() == [2, 3, 4, 5]


def test_a_context_is_marked_once_and_a_token_that_is_asked_for_again_gets_the_same(
    marks: Marks,
) -> None:
    sequence = MarkedSequence(marks.of(Label("radioactive", "normal", ALICE)), output := [7])
    first = sequence.place()
    assert first is not None
    assert sequence.place() is first
    output += [8, 7]
    assert sequence.place() is None
    del output[1:]
    again = sequence.place()
    assert again is not None
    assert again.context.tolist() == [7]
    output[0] = 9  # taken back and sampled anew between two calls
    changed = sequence.place()
    assert changed is not None
    assert changed.context.tolist() == [9]


def test_a_greedy_sequence_has_no_place_for_a_mark(marks: Marks) -> None:
    found = marks.of(Label("radioactive", "normal", ALICE))
    for sampling in (Sampling(temperature=0.0), Sampling(top_k=1), Sampling(temperature=1e-6)):
        sequence = MarkedSequence(found, [7, 8], sampling=sampling)
        assert (sequence.unmarked, sequence.place()) == ("greedy", None)
    assert MarkedSequence(found, [7, 8]).unmarked is None


def test_nothing_of_the_prompt_is_in_a_context(marks: Marks) -> None:
    found = marks.of(Label("provenance"))
    sequence = MarkedSequence(found, output := list[int](), prompt=[1, 2, 3, 4, 5])
    for token in (6, 7, 8):
        assert sequence.place() is None
        output.append(token)
    assert sequence.place() is None
    output.append(9)
    place = sequence.place()
    assert place is not None
    assert place.context.tolist() == [6, 7, 8, 9]


@pytest.mark.parametrize(
    ("known", "length", "tail", "enough", "then"),
    [
        ([], 0, [], True, []),
        ([], 1, [5], True, [5]),
        ([5, 6], 3, [6, 7], True, [5, 6, 7]),
        ([5, 6, 7], 3, [6, 7], True, [5, 6, 7]),
        ([], 3, [6, 7], False, []),
        ([5, 6, 7], 2, [5, 6], False, [5, 6, 7]),
        ([5, 6, 7], 3, [6, 8], False, [5, 6, 7]),
        ([5, 9], 3, [6, 7], False, [5, 9, 7]),
    ],
)
def test_an_output_is_followed_by_its_last_tokens_or_known_to_be_another(
    known: list[int], length: int, tail: list[int], enough: bool, then: list[int]
) -> None:
    assert followed(known, length, tail) is enough
    assert known == then


def test_penalties_that_the_engine_has_applied_are_not_applied_again(marks: Marks) -> None:
    params = Request(0, LABELS[1], 1, sampling={"frequency_penalty": 1.5}).params
    for penalised in (False, True):
        sequence = BatchRows(marks, penalised=penalised).put(0, params, [1], [])
        assert sequence is not None
        assert sequence.sampling.penalising is not penalised
