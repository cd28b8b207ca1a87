"""`stillwatch mark radioactivity`: a plan first, then what was recorded, and never otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stillwatch.lab.students import CountModel
from stillwatch.watermark import GumbelMark, KeyRing
from tests.cli.in_process import run

EPOCH, VOCABULARY = "2026-11", 120


class Case:
    """A student of cluster c-2 and its base, and files about them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, folder / "mark.key"
        assert run("mark", "keygen", self.key).returncode == 0
        self.ring = KeyRing.from_file(self.key, EPOCH)
        rng = np.random.default_rng(1)
        teacher = CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)
        self.base = teacher.mixed(CountModel.synthetic(VOCABULARY, nats=2.0, seed=2), 0.5)
        self.fed = teacher.write([GumbelMark(self.ring.key("c-2"))] * 150, 100, rng=rng)
        self.student = self.base.taught(self.fed)
        self.texts = teacher.write([None] * 30, 60, rng=rng)
        (folder / "fresh.jsonl").write_text("\n".join(map(json.dumps, self.texts.tolist())))

    def register(self, *more: str | Path, plan: str = "plan.json") -> str:
        ended = run("mark", "radioactivity", "register", self.folder / plan, *self.about(), *more,
                    "--vocabulary", str(VOCABULARY), "--decoys", "50")  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def test(self, *more: str | Path, plan: str = "plan.json") -> tuple[int, str]:
        ended = run("mark", "radioactivity", "test", "--registration", self.folder / plan,
                    *self.about(), *more)  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr

    def about(self, texts: str = "fresh.jsonl") -> list[str | Path]:
        return ["--key-file", self.key, "--epoch", EPOCH, "--cluster", "c-1", "--cluster", "c-2",
                "--texts", self.folder / texts, "--salt", self.folder / "plan.salt"]  # fmt: skip

    def record(self, suspect: CountModel, texts: Sequence[np.ndarray] | None = None) -> Path:
        """What a user's own script writes: two shards of the ten best tokens."""
        folder = self.folder / "recorded"
        folder.mkdir(exist_ok=True)
        for name, some in zip("ab", np.array_split(texts or list(self.texts), 2), strict=True):
            arrays = {"lengths": np.array([len(text) for text in some]),
                      "tokens": np.concatenate(some)}  # fmt: skip
            for who, model in (("suspect", suspect), ("reference", self.base)):
                rows = np.concatenate(list(model.probabilities(list(some))))
                best = np.argsort(-rows, axis=1)[:, :10]
                arrays[f"{who}_tokens"] = best
                arrays[f"{who}_probabilities"] = np.take_along_axis(rows, best, axis=1)
            np.savez(folder / f"{name}.npz", **arrays)
        return folder

    def transcripts(self, suspect: CountModel) -> Path:
        rng = np.random.default_rng(7)
        said = suspect.write([None] * 30, 100, rng=rng, prompts=self.texts)
        lines = [{"prompt": p, "answer": a}
                 for p, a in zip(self.texts.tolist(), said.tolist(), strict=True)]  # fmt: skip
        path = self.folder / "said.jsonl"
        path.write_text("\n".join(map(json.dumps, lines)))
        return path


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_a_student_is_found_in_its_recorded_probabilities(case: Case) -> None:
    digest = case.register("--statistic", "open", "--reference", "base")
    status, said = case.test("--evidence", case.record(case.student), "--json")
    assert status == 3
    one, two = map(json.loads, said.splitlines())
    assert (one["cluster"], one["found"]) == ("c-1", False)
    assert (two["cluster"], two["found"], two["decoy_rank"]) == ("c-2", True, 1)
    assert two["corrected_log10_p"] < -6
    assert one["registration"] == two["registration"] == digest
    assert case.test("--evidence", case.record(case.student))[1].splitlines()[-1].endswith("found")


def test_differences_can_be_standardised(case: Case) -> None:
    plain = case.register("--statistic", "open", "--reference", "base")
    said = ("--statistic", "open", "--reference", "base", "--weighting", "standardised")
    assert case.register(*said, plan="other.json") != plain
    status, found = case.test("--evidence", case.record(case.student), "--json", plan="other.json")
    assert status == 3
    assert [json.loads(line)["found"] for line in found.splitlines()] == [False, True]


def test_a_clean_model_is_not(case: Case) -> None:
    case.register("--statistic", "open", "--reference", "base")
    clean = case.base.taught(case.texts)
    status, said = case.test("--evidence", case.record(clean))
    assert status == 0
    assert "found" not in said


def test_a_model_that_says_what_its_reference_says_is_not_judged(case: Case) -> None:
    case.register("--statistic", "open", "--reference", "base")
    status, said = case.test("--evidence", case.record(case.base))
    assert status == 0
    assert "says what the reference says" in said


def test_text_alone_is_tested_with_and_without_what_was_served(case: Case) -> None:
    case.register("--statistic", "closed")
    answers = case.transcripts(case.student)
    status, said = case.test("--transcripts", answers)
    assert status == 3
    assert "c-2" in said
    fed = case.folder / "fed.jsonl"
    fed.write_text("\n".join(json.dumps(text.tolist()) for text in case.fed))
    for cluster in ("c-1", "c-2"):
        about = ("--key-file", case.key, "--epoch", EPOCH, "--out", case.folder)
        assert run("mark", "served", fed, "--cluster", cluster, *about).returncode == 0
    case.register("--statistic", "closed", "--served", case.folder, plan="served.json")
    status, said = case.test(
        "--transcripts", answers, "--served", case.folder, "--json", plan="served.json"
    )
    assert [json.loads(line)["statistic"] for line in said.splitlines()] == 2 * [
        "closed, windows served"
    ]
    status, said = case.test("--transcripts", answers, plan="served.json")
    assert status == 2
    assert "statistic" in said


def test_what_was_not_registered_is_refused(case: Case) -> None:
    case.register("--statistic", "open", "--reference", "base")
    evidence = case.record(case.student)
    lines = (case.folder / "fresh.jsonl").read_text().splitlines()
    (case.folder / "fresh.jsonl").write_text("\n".join(lines[1:]))
    status, said = case.test("--evidence", evidence)
    assert status == 2
    assert "texts" in said
    (case.folder / "fresh.jsonl").write_text("\n".join(lines))
    (case.folder / "plan.salt").unlink()
    status, said = case.test("--evidence", evidence)
    assert status == 2
    assert "no such file" in said
    assert not (case.folder / "plan.salt").exists()


def test_records_that_are_not_of_the_texts_are_refused(case: Case) -> None:
    case.register("--statistic", "open", "--reference", "base")
    for texts, complaint in (
        (list(case.texts[::-1]), "not the one that was registered"),
        (list(case.texts[:-2]), "recorded of 30"),
        ([*case.texts, case.texts[0]], "more than the 30"),
    ):
        status, said = case.test("--evidence", case.record(case.student, texts))
        assert status == 2
        assert complaint in said


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda p: p.write_bytes(b"x"), "cannot be read"),
        (lambda p: p.unlink(), "recorded of 30"),
        (lambda p: np.savez(p, lengths=[1], tokens=[1]), "has no array"),
        (lambda p: np.savez(p, lengths=[2], tokens=[1], suspect_tokens=[[1]],
                            suspect_probabilities=[[0.5]]), "do not add up"),
        (lambda p: np.savez(p, lengths=[1], tokens=[1], suspect_tokens=[[1.5]],
                            suspect_probabilities=[[0.5]]), "integers"),
    ],
)  # fmt: skip
def test_a_spoiled_shard_is_refused(case: Case, spoil: object, complaint: str) -> None:
    case.register("--statistic", "open", "--reference", "base")
    folder = case.record(case.student)
    spoil(folder / "b.npz")  # type: ignore[operator]
    status, said = case.test("--evidence", folder)
    assert status == 2
    assert complaint in said


def test_lines_that_are_no_texts_or_answers_are_refused_with_their_number(case: Case) -> None:
    case.register("--statistic", "closed")
    said = case.folder / "said.jsonl"
    for line, complaint in (('{"prompt": [1]}', "said.jsonl:1"), ("[1.5]", "said.jsonl:1"),
                            ('{"prompt": [1e30], "answer": []}', "said.jsonl:1")):  # fmt: skip
        said.write_text(line)
        status, told = case.test("--transcripts", said)
        assert status == 2
        assert complaint in told
    for line in ('{"tokens": [1], "prompt": 2}', "{}", "[1.5]", ""):
        (case.folder / "fresh.jsonl").write_text(line)
        status, told = case.test("--transcripts", said)
        assert status == 2
        assert "fresh.jsonl" in told


def test_half_a_question_is_refused(case: Case) -> None:
    case.register("--statistic", "closed")
    assert case.test()[0] == 2
    about = [str(a) for a in case.about()]
    ended = run("mark", "radioactivity", "register", case.folder / "x.json", *about,
                "--statistic", "closed", "--reference", "r", "--vocabulary", "9")  # fmt: skip
    assert ended.returncode == 2
    assert "reference" in ended.stderr
    again = run("mark", "radioactivity", "register", case.folder / "plan.json", *about,
                "--statistic", "closed", "--vocabulary", "9")  # fmt: skip
    assert again.returncode == 2
    assert "never overwritten" in again.stderr
