"""`stillwatch evidence seal … KIND … KIND …`: radioactivity, and what is no evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillwatch.ledger import Ledger
from stillwatch.provenance.refusals import read_prompt_set
from tests.cli.in_process import run
from tests.cli.test_mark_radioactivity import Case as Radioactive
from tests.cli.test_provenance import write
from tests.provenance.test_refusals import NO, yes

PROMPTS = read_prompt_set().prompts


@pytest.fixture
def refusing(tmp_path: Path) -> tuple[Path, Path]:
    """Records of a teacher that refuses, and of a suspect that does not."""
    teacher = {p.prompt: yes(p.prompt) if p.safe else NO for p in PROMPTS}
    return (
        write(tmp_path / "teacher.jsonl", teacher),
        write(tmp_path / "suspect-7b.jsonl", {p.prompt: yes(p.prompt) for p in PROMPTS}),
    )


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "sign.key"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o600)
    return path


def seal(folder: Path, *words: str | Path) -> tuple[int, str]:
    ended = run("evidence", "seal", "--out", folder, *words)
    return ended.returncode, ended.stdout + ended.stderr


def test_radioactivity_goes_from_a_plan_on_the_ledger_into_a_bundle(tmp_path: Path) -> None:
    case = Radioactive(tmp_path)
    state = ("--state", tmp_path / "state")
    case.register("--statistic", "open", "--reference", "base", *state)
    recorded = case.record(case.student)
    part = ("radioactivity", "--registration", tmp_path / "plan.json", *case.about(),
            "--suspect", recorded)  # fmt: skip
    status, said = seal(tmp_path / "bundle", *state, "--open-keys", *part)
    assert (status, "sealed, 1 found" in said) == (0, True)
    ended = run("evidence", "verify", tmp_path / "bundle")
    assert ended.returncode == 0
    assert "radioactivity: computed again from what the suspect gave" in ended.stdout
    assert "do not all bear times" in ended.stdout
    with Ledger.open(tmp_path / "state", read_only=True) as ledger:
        assert [entry.kind for _, entry in ledger.entries()] == ["test_plan", "evidence"]
    # without its key a test of what others recorded says that it was not made again
    assert seal(tmp_path / "closed", *state, *part)[0] == 0
    ended = run("evidence", "verify", tmp_path / "closed")
    assert "not computed again; they say 1 found" in ended.stdout


def test_what_was_served_goes_into_a_bundle_as_a_sketch(tmp_path: Path) -> None:
    case = Radioactive(tmp_path)
    fed = tmp_path / "fed.jsonl"
    fed.write_text("\n".join(json.dumps(text.tolist()) for text in case.fed))
    for cluster in ("c-1", "c-2"):
        about = ("--key-file", case.key, "--epoch", "2026-11", "--out", tmp_path / "sketches")
        ended = run("mark", "served", fed, "--cluster", cluster, "--cells", "1024", *about)
        assert ended.returncode == 0
    served = ("--served", tmp_path / "sketches")
    state = ("--state", tmp_path / "state")
    case.register("--statistic", "closed", *served, *state)
    said = case.transcripts(case.student)
    status, told = seal(
        tmp_path / "bundle", *state, "--open-keys", "radioactivity", "--registration",
        tmp_path / "plan.json", *case.about(), *served, "--suspect", said,
    )  # fmt: skip
    assert status == 0, told
    ended = run("evidence", "verify", tmp_path / "bundle")
    assert "computed again from what the suspect gave" in ended.stdout


def test_refusals_are_counted_again_and_computed_again_by_who_has_the_answers(
    tmp_path: Path, refusing: tuple[Path, Path], key: Path
) -> None:
    teacher, suspect = refusing
    status, said = seal(tmp_path / "bundle", "--signing-key", key,
                        "refusals", "--teacher", teacher, "--suspect", suspect)  # fmt: skip
    assert status == 0, said
    ended = run("evidence", "verify", tmp_path / "bundle")
    assert ended.returncode == 0
    assert "refusals: A MEASUREMENT of refusals, no evidence of where" in ended.stdout
    assert "computed again from the labels of each answer" in ended.stdout
    ended = run("evidence", "verify", tmp_path / "bundle", "--record", teacher,
                "--record", suspect)  # fmt: skip
    assert "computed again from the answers, which are not in the bundle" in ended.stdout


def test_kinds_stand_one_after_the_other_in_one_bundle(
    tmp_path: Path, refusing: tuple[Path, Path], key: Path
) -> None:
    teacher, suspect = refusing
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"prompt": p.prompt}) + "\n" for p in PROMPTS))
    controls = [
        write(tmp_path / f"c{k}.jsonl", {p.prompt: f"{'So ' * k}{p.prompt}" for p in PROMPTS})
        for k in range(1, 6)
    ]
    named = [word for each in controls for word in ("--control", each)]
    models = ("--teacher", teacher, "--suspect", suspect)
    status, said = seal(
        tmp_path / "bundle", "--signing-key", key,
        "triage", *models, *named, "--prompts", asked, "refusals", *models,
    )  # fmt: skip
    assert status == 0, said
    assert sorted(p.name for p in (tmp_path / "bundle").iterdir() if p.is_dir()) == [
        "1-refusals", "2-triage"
    ]  # fmt: skip
    said = run("evidence", "verify", tmp_path / "bundle").stdout
    assert "triage: TRIAGE, not evidence" in said
    assert "triage: computed again from the similarities told: done" in said
    few = seal(tmp_path / "few", "--signing-key", key, "triage", *models, *named[:8],
               "--prompts", asked)  # fmt: skip
    assert (few[0], "SW121" in few[1], (tmp_path / "few").exists()) == (2, True, False)


def test_a_bundle_needs_a_name_a_key_and_a_part(
    tmp_path: Path, refusing: tuple[Path, Path], key: Path
) -> None:
    part = ("refusals", "--teacher", refusing[0], "--suspect", refusing[1])
    ended = run("evidence", "seal", "--signing-key", key, *part)
    assert (ended.returncode, "--out" in ended.stderr) == (2, True)
    status, said = seal(tmp_path / "bundle", *part)
    assert (status, "--signing-key" in said) == (2, True)
    assert seal(tmp_path / "bundle", "--signing-key", key)[0] == 2
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    "kind", ["keyed", "radioactivity", "refusals", "neutrality", "capability", "triage"]
)
def test_the_help_of_a_kind_teaches_with_an_example(kind: str) -> None:
    ended = run("evidence", "seal", kind, "--help")
    assert ended.returncode == 0
    assert "stillwatch evidence seal --out bundle" in ended.stdout


def test_a_measurement_is_announced_on_the_ledger_and_sealed_with_its_plan(
    tmp_path: Path, refusing: tuple[Path, Path]
) -> None:
    teacher, suspect = refusing
    state = ("--state", tmp_path / "state")
    ended = run("provenance", "announce", tmp_path / "plan.json", "refusals", *state)
    assert (ended.returncode, len(ended.stdout.strip())) == (0, 64)
    part = ("refusals", "--teacher", teacher, "--suspect", suspect, "--plan",
            tmp_path / "plan.json")  # fmt: skip
    assert seal(tmp_path / "bundle", *state, *part)[0] == 0
    said = run("evidence", "verify", tmp_path / "bundle").stdout
    assert f"refusals: the plan {ended.stdout[:16]}… is under the head" in said
    status, said = seal(tmp_path / "other", *state, *part, "--alpha", "0.05")
    assert (status, "SW122" in said) == (2, True)
    assert run("provenance", "announce", tmp_path / "p.json", "refusals", "--timestamp",
               "http://127.0.0.1:1/").returncode == 2  # fmt: skip
