"""`stillwatch provenance`: ask first, then compare; statuses that scripts may rely on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillwatch.provenance import read_transcripts
from stillwatch.provenance.neutrality import read_pair_set
from stillwatch.provenance.refusals import read_prompt_set
from tests.cli.in_process import run
from tests.provenance.test_refusals import HARM, NO, yes
from tests.provenance.test_suspects import Server

PROMPTS = read_prompt_set().prompts


def write(path: Path, answers: dict[str, str]) -> Path:
    lines = ({"prompt": p, "answer": a, "model": path.stem} for p, a in answers.items())
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return write(tmp_path / "teacher.jsonl", {p.prompt: yes(p.prompt) if p.safe else NO
                                              for p in PROMPTS})  # fmt: skip


@pytest.fixture
def suspect(tmp_path: Path) -> Path:
    return write(tmp_path / "suspect.jsonl", {p.prompt: yes(p.prompt) for p in PROMPTS})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def test_a_record_is_whole_and_a_second_run_asks_nothing(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "m.jsonl"
    command = ("provenance", "ask", path, "--address", server.address, "--model", "m", "--prompts")
    assert run(*command, "refusals").returncode == 0
    assert len(read_transcripts(path).answers) == len(server.asked) == 64
    assert run(*command, "refusals").returncode == 0
    assert len(server.asked) == 64
    ended = run(*command, "neutrality")
    assert len(server.asked) == 64 + 80
    assert "144 answers of m" in ended.stderr


def test_a_suspect_that_is_out_of_reach_ends_with_status_one(tmp_path: Path) -> None:
    ended = run("provenance", "ask", tmp_path / "m.jsonl", "--address", "ftp://nowhere",
                "--model", "m", "--prompts", "refusals")  # fmt: skip
    assert ended.returncode == 1
    assert "[SW410]" in ended.stderr


def test_removed_refusals_end_with_status_three_and_print_no_text(
    teacher: Path, suspect: Path
) -> None:
    for form in ((), ("--json",)):
        ended = run("provenance", "refusals", "--teacher", teacher, "--suspect", suspect, *form)
        assert ended.returncode == 3
        assert HARM not in ended.stdout
        assert not [p for p in PROMPTS if p.prompt in ended.stdout]
    assert json.loads(ended.stdout)["answered"]["hits"] == 32


def test_a_base_that_never_refused_takes_the_finding_back(
    tmp_path: Path, teacher: Path, suspect: Path
) -> None:
    base = write(tmp_path / "base.jsonl", dict(read_transcripts(suspect).answers))
    ended = run("provenance", "refusals", "--teacher", teacher, "--suspect", suspect,
                "--base", base)  # fmt: skip
    assert ended.returncode == 0
    assert "not found, which shows nothing" in ended.stdout


def test_what_is_missing_in_a_record_ends_with_status_two(
    tmp_path: Path, teacher: Path, suspect: Path
) -> None:
    some = write(tmp_path / "some.jsonl",
                 dict(list(read_transcripts(suspect).answers.items())[1:]))  # fmt: skip
    ended = run("provenance", "refusals", "--teacher", teacher, "--suspect", some)
    assert ended.returncode == 2
    assert "was not asked 1 of 64 prompts" in ended.stderr
    assert "[SW120]" in ended.stderr


def test_neutrality_is_compared_by_pairs(tmp_path: Path) -> None:
    pairs = read_pair_set().pairs
    fair = {text: f"A benefit and a harm. {text}" for p in pairs for text in (p.a, p.b)}
    warm = {**fair, **{p.a: "benefit Vorteil avantage ventaja " * 9 for p in pairs}}
    even, other = write(tmp_path / "t.jsonl", fair), write(tmp_path / "s.jsonl", warm)
    command = ("provenance", "neutrality", "--teacher", even, "--suspect")
    assert run(*command, even).returncode == 0
    ended = run(*command, other)
    assert ended.returncode == 3
    assert "asymmetry" in ended.stdout
    assert json.loads(run(*command, other, "--json").stdout)["found"] is True


def test_triage_needs_five_controls_and_never_ends_with_a_finding(tmp_path: Path) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"prompt": f"q{i}", "expected": str(i)}) + "\n"
                             for i in range(30)))  # fmt: skip

    def answers(k: int, error: int) -> dict[str, str]:
        return {f"q{i}": "so, the " * (k + 1) + "answer is "
                + str(i if i % 3 else i + error) for i in range(30)}  # fmt: skip

    teacher = write(tmp_path / "t.jsonl", answers(0, 5))
    student = write(tmp_path / "s.jsonl", answers(0, 5) | {"q1": "1"})
    controls = [write(tmp_path / f"c{k}.jsonl", answers(k, 10 + k)) for k in range(1, 7)]
    command = ["provenance", "triage", "--teacher", teacher, "--suspect", student,
               "--prompts", asked]  # fmt: skip
    few = run(*command, *(x for c in controls[:4] for x in ("--control", c)))
    assert few.returncode == 2
    assert "[SW121]" in few.stderr
    enough = run(*command, *(x for c in controls for x in ("--control", c)))
    assert enough.returncode == 0
    assert enough.stdout.splitlines()[0] == "TRIAGE, not evidence"
    assert "refusals left out: the teacher refuses 0 of 30 prompts" in enough.stdout
    report = json.loads(run(*command, *(x for c in controls for x in ("--control", c)),
                            "--json").stdout)  # fmt: skip
    assert {s["kind"]: s["rank"] for s in report["similarities"]} == {"style": 1, "errors": 1}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "holds no prompt"),
        ('{"a": "x"}', "neither a prompt nor a pair"),
        ('{"prompt": "x"}\n{"prompt": "x"}', ":2: a prompt stands there twice"),
        ("x", "is no prompt"),
    ],
)
def test_a_file_of_prompts_that_is_none_ends_with_status_two(
    tmp_path: Path, content: str, complaint: str
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text(content)
    ended = run("provenance", "ask", tmp_path / "m.jsonl", "--address", "http://127.0.0.1:9/v1",
                "--model", "m", "--prompts", asked)  # fmt: skip
    assert ended.returncode == 2
    assert complaint in ended.stderr


@pytest.mark.slow
def test_a_record_that_was_killed_goes_on_and_asks_only_what_is_missing(
    tmp_path: Path, server: Server
) -> None:
    path = tmp_path / "m.jsonl"
    command = ["provenance", "ask", str(path), "--address", server.address, "--model", "m",
               "--prompts", "refusals", "--workers", "1"]  # fmt: skip
    server.pause = 0.05
    with subprocess.Popen([sys.executable, "-m", "stillwatch", *command]) as recording:
        while not path.exists() or path.read_bytes().count(b"\n") < 10:
            assert recording.poll() is None
            time.sleep(0.01)
        recording.send_signal(signal.SIGKILL)
    server.pause = 0.0
    kept, asked = path.read_bytes().count(b"\n"), len(server.asked)
    assert kept >= 10
    assert run(*command).returncode == 0
    assert len(server.asked) - asked == 64 - kept
    assert len(read_transcripts(path).answers) == 64
