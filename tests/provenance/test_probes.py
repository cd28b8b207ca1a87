"""Probes and the program: what a plan commits to, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.errors import InputError, PlanError
from stillwatch.provenance import Plan, Probes, Registration, code_digest
from stillwatch.provenance import code as code_module
from tests.provenance.keyed.conftest import MARKS, SALT


def test_probes_are_read_as_they_were_written(tmp_path: Path) -> None:
    probes = Probes.of(["Why?", "What is „süß“?", "a\nb"], canaries=["a\nb"])
    path = tmp_path / "probes.jsonl"
    path.write_bytes(probes.encoded())
    assert Probes.read(path) == probes
    assert Probes.read(path).text_set().digest() == probes.text_set().digest()


def test_order_text_and_canaries_change_the_digest() -> None:
    variants = [
        Probes.of(["a", "b"]), Probes.of(["b", "a"]), Probes.of(["ab"]), Probes.of(["a", "b", "c"]),
        Probes.of(["a", "b"], ["a"]), Probes.of(["a", "b"], ["b"]),
        Probes.of(["a", "b"], ["a", "b"]),
    ]  # fmt: skip
    assert len({each.text_set().digest() for each in variants}) == len(variants)


def test_a_plan_holds_for_its_own_probes_alone() -> None:
    one, two = Probes.of(["a"]), Probes.of(["b"])
    plan = Registration.of(Plan(statistic="keyed-majority"), MARKS, [one.text_set()], salt=SALT)
    one.check(plan)
    with pytest.raises(PlanError, match="not those of the plan"):
        two.check(plan)


def test_probes_that_are_none_are_refused(tmp_path: Path) -> None:
    for prompts, canaries, complaint in (
        ([], [], "no probes"), (["a", "a"], [], "twice"), (["a"], ["b"], "one of the probes")
    ):  # fmt: skip
        with pytest.raises(PlanError, match=complaint):
            Probes.of(prompts, canaries)
    path = tmp_path / "probes.jsonl"
    for line in ('{"prompt": 1}', "[]", '{"prompt": "a", "answer": "b"}', "\x00"):
        path.write_text('{"prompt": "x"}\n' + line)
        with pytest.raises(InputError, match=r"probes\.jsonl:2"):
            Probes.read(path)
    with pytest.raises(InputError, match="cannot be read"):
        Probes.read(tmp_path / "nowhere")


def test_the_digest_of_the_program_is_that_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "a.py").write_text("a = 1\n")
    (tmp_path / "b.py").write_text("b = 1\n")
    monkeypatch.setattr(code_module, "files", lambda _: tmp_path)

    def digest() -> str:
        code_digest.cache_clear()
        return code_digest()

    try:
        before = digest()
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"x")
        assert digest() == before
        (tmp_path / "room" / "a.py").write_text("a = 2\n")
        changed = digest()
        (tmp_path / "room" / "a.py").rename(tmp_path / "room" / "c.py")
        assert len({before, changed, digest()}) == 3
    finally:
        code_digest.cache_clear()
