"""A sketch of what was served: never a wrong no, few wrong yeses, safe in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import InputError, OutputError
from stillwatch.watermark import KeyRing, ServedSketch
from stillwatch.watermark.served import SCHEME

RING = KeyRing(bytes(range(32)), "2026-11")
KEY = RING.key("c-812", SCHEME)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 200_000), min_size=0, max_size=30), max_size=8),
    st.integers(1, 3),
    st.integers(0, 4),
)
def test_every_context_that_was_served_is_known(
    texts: list[list[int]], context: int, prompt: int
) -> None:
    sketch = ServedSketch(KEY, context, cells=64)
    served: dict[tuple[int, ...], int] = {}
    for text in texts:
        first = min(prompt, len(text))
        sketch.add(np.array(text, np.int64), prompt=first)
        found = {tuple(text[p - context : p]) for p in range(max(first, context), len(text))}
        served |= {each: served.get(each, 0) + 1 for each in found}
    if served:
        counts = sketch.counts(np.array(list(served)))
        assert (counts >= np.array(list(served.values()))).all()
        assert sketch.contains(np.array(list(served))).all()
    assert sketch.texts == len(texts)


@pytest.mark.parametrize("context", [1, 2, 5])
def test_as_many_others_are_taken_for_served_as_it_says(context: int) -> None:
    sketch = ServedSketch(KEY, context, cells=1 << 12)
    rng = np.random.default_rng(1)
    sketch.add(rng.integers(0, 10**6, 2_000 + context))
    others = rng.integers(10**6, 2 * 10**6, (60_000, context))
    wrong = sketch.contains(others).mean()
    assert 0.01 < sketch.false_positives < 0.05
    assert wrong == pytest.approx(sketch.false_positives, rel=0.2)
    roomy = ServedSketch(KEY, context, cells=1 << 16)
    roomy.add(rng.integers(0, 10**6, 2_000 + context))
    assert roomy.contains(others).mean() < 1e-4


def test_where_there_is_room_counts_are_those_of_texts() -> None:
    sketch = ServedSketch(KEY)
    for text in ([1, 2, 1, 2, 1], [2, 9], [2]):
        sketch.add(np.array(text))
    assert sketch.counts(np.array([[1], [2], [9]])).tolist() == [1, 2, 0]


def test_contexts_of_the_prompt_are_not_noted_but_for_its_last_one() -> None:
    sketch = ServedSketch(KEY)
    sketch.add(np.array([4, 5, 6, 7, 8]), prompt=3)
    assert sketch.contains(np.array([[4], [5], [6], [7], [8]])).tolist() == [
        False, False, True, True, False,
    ]  # fmt: skip


def test_without_the_key_it_says_nothing_of_a_context() -> None:
    one, two = (
        ServedSketch(KEY, cells=1 << 12),
        ServedSketch(RING.key("c-9", SCHEME), cells=1 << 12),
    )
    text = np.arange(200)
    one.add(text)
    two._counts[:] = one._counts
    assert one.contains(text[:-1, None]).all()
    assert not two.contains(text[:-1, None]).any()


def test_merged_sketches_are_the_sketch_of_both() -> None:
    rng = np.random.default_rng(2)
    texts = rng.integers(0, 3_000, (6, 100))
    parts = [ServedSketch(KEY, cells=1 << 10) for _ in range(3)]
    for i, text in enumerate(texts):
        parts[i % 2].add(text)
        parts[2].add(text)
    parts[0].merge(parts[1])
    assert parts[0].digest() == parts[2].digest()
    assert parts[0].texts == 6
    with pytest.raises(ValueError, match="one key"):
        parts[0].merge(ServedSketch(RING.key("c-9", SCHEME), cells=1 << 10))
    with pytest.raises(ValueError, match="size"):
        parts[0].merge(ServedSketch(KEY, cells=1 << 11))


def test_counters_do_not_begin_again_at_their_end() -> None:
    one, two = ServedSketch(KEY, cells=16), ServedSketch(KEY, cells=16)
    one.add(np.array([1, 2]))
    one._counts[one._counts > 0] = 2**32 - 1
    two.add(np.array([1, 2]))
    one.merge(two)
    one.add(np.array([1, 2]))
    assert one.counts(np.array([[1]])) == [2**32 - 1]


def test_a_file_keeps_it_and_knows_its_key(tmp_path: Path) -> None:
    path, sketch = tmp_path / "c-812.served", ServedSketch(KEY, 2, cells=256, rows=3)
    sketch.add(np.arange(40), prompt=7)
    sketch.write(path)
    again = ServedSketch.read(path, KEY)
    assert again.digest() == sketch.digest()
    assert (again.texts, again.context) == (1, 2)
    with pytest.raises(InputError, match="another key"):
        ServedSketch.read(path, RING.at("2026-12").key("c-812", SCHEME))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda b: b[:-1], "cut short"),
        (lambda b: b + b"x", "longer"),
        (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "damaged"),
        (lambda b: b.replace(b'"texts":1', b'"texts":"'), "no sketch"),
        (lambda b: b.replace(b"served/1", b"served/9"), "format"),
        (lambda b: b.replace(b'"cells":256', b'"cells":255'), "no sketch"),
        (lambda b: b.replace(b'"cells":256', b'"cells":' + str(1 << 40).encode()), "no sketch"),
        (lambda b: b"", "no sketch"),
    ],
)
def test_a_file_that_was_spoiled_is_refused(tmp_path: Path, spoil: object, complaint: str) -> None:
    path, sketch = tmp_path / "c-812.served", ServedSketch(KEY, cells=256)
    sketch.add(np.arange(40))
    sketch.write(path)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=complaint):
        ServedSketch.read(path, KEY)


def test_files_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        ServedSketch.read(tmp_path / "nothing", KEY)
    with pytest.raises(OutputError, match="cannot be written"):
        ServedSketch(KEY, cells=16).write(tmp_path / "nowhere" / "x")


def test_sizes_that_cannot_be_are_refused() -> None:
    for sizes in ({"cells": 1000}, {"cells": 1}, {"rows": 0}, {"rows": 9}, {"context": 0}):
        with pytest.raises(ValueError, match=r"sketch has|at least one"):
            ServedSketch(KEY, **sizes)
    with pytest.raises(ValueError, match="contexts are"):
        ServedSketch(KEY, 2, cells=16).counts(np.array([[1]]))
    with pytest.raises(ValueError, match="prompt"):
        ServedSketch(KEY, cells=16).add(np.array([1]), prompt=2)
