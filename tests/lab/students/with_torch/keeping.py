"""What is kept of a long run (run in the proof's environment: `make smoke-proof`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.lab.students.kept import Kept
from stillwatch.lab.students.tokens import END, Tokens
from stillwatch.lab.students.training import Course


def never() -> Any:
    raise AssertionError("it was made again")


def test_what_was_made_is_not_made_again(tmp_path: Path) -> None:
    made = Kept(tmp_path).arrays("x", {"course": Course()}, lambda: {"a": np.arange(3)})
    again = Kept(tmp_path).arrays("x", {"course": Course()}, never)
    np.testing.assert_array_equal(again["a"], made["a"])


def test_other_settings_are_another_result(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.text("x", {"course": Course()}, lambda: "one")
    assert kept.text("x", {"course": Course(epochs=2)}, lambda: "two") == "two"
    assert kept.text("x", {"course": Course()}, never) == "one"


def test_what_failed_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(file: Any, **_: Any) -> None:
        file.write(b"half of it")
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", dies)
        with pytest.raises(OSError, match="no room"):
            Kept(tmp_path).arrays("x", {}, lambda: {"a": np.arange(3)})
    assert list(tmp_path.iterdir()) == []


def test_tokens_come_back_as_the_text_they_were() -> None:
    texts = ["The mark is put on the choice of tokens.", "Ein Schlüssel → a key; the key."] * 40
    tokens = Tokens.learned(texts, 300)
    ids = tokens.encode(texts[:2])
    assert (ids == END).sum() == 2
    assert tokens.decode(ids) == "".join(texts[:2])
    assert tokens.size <= 300 > ids.max()
    np.testing.assert_array_equal(Tokens.from_json(tokens.to_json()).encode(texts[:2]), ids)
    assert Tokens.learned(texts, 300).to_json() == tokens.to_json()
