"""The text that students are trained on."""

from __future__ import annotations

from itertools import islice

import pytest

from stillwatch.lab.students.text import documents, part_of


def test_documents_come_in_one_order_and_none_has_an_example() -> None:
    some = list(islice(documents(("scipy",), library=False), 40))
    assert some == list(islice(documents(("scipy",), library=False), 40))
    assert [d.path for d in some] == sorted(d.path for d in some)
    assert all(d.path.startswith("scipy/") and len(d.text) >= 160 for d in some)
    assert not any(">>>" in d.text for d in some)


def test_the_library_comes_first_and_has_no_packages_in_it() -> None:
    first = list(islice(documents(("numpy",)), 20))
    assert not any("site-packages" in d.path or d.path.startswith("numpy") for d in first)


def test_what_was_said_before_is_left_out() -> None:
    twice = list(documents(("msgspec", "msgspec"), library=False))
    assert twice
    assert twice == list(documents(("msgspec",), library=False))


def test_a_document_belongs_to_one_part_by_its_path_alone() -> None:
    parts = [part_of(f"numpy/{i}.py") for i in range(4_000)]
    shares = {part: parts.count(part) / 4_000 for part in ("teacher", "base", "prompts", "fresh")}
    assert shares == {
        "teacher": pytest.approx(1 / 2, abs=0.03), "base": pytest.approx(3 / 16, abs=0.03),
        "prompts": pytest.approx(1 / 8, abs=0.03), "fresh": pytest.approx(3 / 16, abs=0.03),
    }  # fmt: skip
    assert part_of("numpy/0.py") == parts[0]


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no_such_package"):
        list(documents(("no_such_package",), library=False))
