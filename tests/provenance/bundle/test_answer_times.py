"""An answer that came before the plan is found, however its time is hidden."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import LatePlanError, TamperedError
from stillwatch.provenance import read_transcripts
from stillwatch.provenance.bundle import verify
from stillwatch.provenance.bundle.envelope import Envelope
from stillwatch.provenance.committing import commit_plan
from tests.provenance.bundle.conftest import KEY, Bench, sign_again
from tests.provenance.bundle.test_bundle import part, sign_as


def test_times_of_answers_that_a_signer_left_out_are_missed(bundle: Path) -> None:
    def hide(predicate: dict[str, Any]) -> None:
        for name in ("digest", "first_at"):
            del predicate["parts"][0]["models"][0][name]

    sign_again(bundle, hide)
    with pytest.raises(TamperedError, match="what the statement says of suspect-7b is not"):
        verify(bundle, KEY.public)


def test_an_answer_older_than_the_plan_is_not_hidden_behind_others_without_a_time(
    bench: Bench, tmp_path: Path
) -> None:
    late = commit_plan(bench.registration, tmp_path / "late", by="ana")
    lines = bench.files[0].read_text().splitlines()
    bare = re.sub(r',"at":"[^"]*"', "", lines[7])
    gap, mute = tmp_path / "gap.jsonl", tmp_path / "mute.jsonl"
    gap.write_text("\n".join([*lines[:7], bare, *lines[8:]]))
    mute.write_text(re.sub(r',"at":"[^"]*"', "", bench.files[1].read_text()))
    assert read_transcripts(gap).first_at is None
    for suspects in ([gap], [bench.files[0], mute]):
        with pytest.raises(LatePlanError, match="after the first answer"):
            bench.seal("hidden", commitment=late, suspects=suspects, controls=[])
    path = bench.seal("hidden", suspects=[gap]).path
    for name, data in (
        ("entry", late.entry + b"\n"), ("head", late.head.encoded()),
        ("proof", late.proof.encoded()),
    ):  # fmt: skip
        (part(path) / "ledger" / f"{name}.json").write_bytes(data)
    sign_again(path, lambda p: p["parts"][0].update(ledger=late.head.ledger))
    with pytest.raises(TamperedError, match="after the first answer"):
        verify(path, KEY.public)


def test_a_bundle_written_in_the_first_form_hides_no_times_either(
    bench: Bench, tmp_path: Path
) -> None:
    late = commit_plan(bench.registration, tmp_path / "late", by="ana")
    path = bench.seal("early").path
    old = Envelope.parse((path / "statement.json").read_bytes()).statement().predicate
    [only] = old["parts"]
    for each in [*(path / "1-keyed").iterdir()]:
        each.rename(path / each.name)
    (path / "1-keyed").rmdir()
    (path / "ledger" / "entry.json").write_bytes(late.entry + b"\n")
    (path / "ledger" / "head.json").write_bytes(late.head.encoded())
    (path / "ledger" / "proof.json").write_bytes(late.proof.encoded())
    models = [
        {name: each[name] for name in ("name", "role", "file", "answers", "root")}
        for each in only["models"]
    ]
    first = {"at": old["at"], "registration": only["registration"], "models": models,
             "code": "0" * 64, "opened": True, "ledger": late.head.ledger,
             "limits": only["limits"]}  # fmt: skip
    sign_as(path, "urn:stillwatch:evidence:1", first)
    with pytest.raises(TamperedError, match="after the first answer"):
        verify(path, KEY.public)
