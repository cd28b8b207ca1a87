"""Answers are recorded one by one, asked once, and never guessed."""

from __future__ import annotations

import fcntl
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stillwatch.errors import InputError, OutputError, SuspectError, TranscriptError
from stillwatch.provenance import Transcripts, ask, read_transcripts


class Suspect:
    """Answers with the prompt reversed; breaks at one of them."""

    def __init__(self, breaks_at: str | None = None) -> None:
        self.asked: list[str] = []
        self.breaks_at = breaks_at

    def __call__(self, prompt: str) -> str:
        if prompt == self.breaks_at:
            raise SuspectError("is out of reach")
        self.asked.append(prompt)
        return prompt[::-1]


PROMPTS = [f"prompt {i}" for i in range(9)]


def test_what_was_asked_reads_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    said = ask(Suspect(), PROMPTS, path, model="s")
    assert read_transcripts(path).to(PROMPTS) == [p[::-1] for p in PROMPTS] == said.to(PROMPTS)
    assert path.stat().st_mode & 0o077 == 0


def test_a_broken_run_goes_on_where_it_broke_and_asks_nothing_twice(tmp_path: Path) -> None:
    path, first, second = tmp_path / "s.jsonl", Suspect(breaks_at="prompt 5"), Suspect()
    with pytest.raises(SuspectError):
        ask(first, PROMPTS, path, model="s", workers=2)
    assert len(first.asked) >= 5
    with path.open("ab") as file:  # a crash in the midst of a line
        file.write(b'{"prompt":"prompt 8","answer":"' + b"long " * 999)
    ask(second, PROMPTS, path, model="s")
    assert sorted(first.asked + second.asked) == PROMPTS
    assert len(read_transcripts(path).answers) == len(PROMPTS)


def test_each_answer_is_in_the_file_before_much_more_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    lines_seen = []

    def suspect(prompt: str) -> str:
        lines_seen.append(len(path.read_bytes().splitlines()))
        return "yes"

    ask(suspect, PROMPTS, path, model="s", workers=1)
    assert lines_seen == list(range(len(PROMPTS)))


def test_a_file_that_another_process_records_into_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another process"):
            ask(Suspect(), PROMPTS, path, model="s")


def test_another_models_file_is_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    ask(Suspect(), PROMPTS[:1], path, model="s")
    before = path.read_bytes()
    with pytest.raises(TranscriptError, match="holds answers of s, not of t"):
        ask(Suspect(), PROMPTS, path, model="t")
    assert path.read_bytes() == before


def test_a_prompt_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="twice"):
        ask(Suspect(), ["a", "a"], tmp_path / "s.jsonl", model="s")


LINE = {"prompt": "a", "answer": "b", "model": "s"}


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "holds no answer"),
        ([LINE, LINE], ":2: answers a prompt for the second time"),
        ([LINE, {**LINE, "prompt": "c", "model": "t"}], ":2: is of t, those before of s"),
        ([LINE, {"prompt": "c"}], ":2: must be"),
    ],
)
def test_a_file_that_is_not_of_one_model_and_of_each_prompt_once_is_refused(
    tmp_path: Path, lines: list[dict[str, str]], complaint: str
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(TranscriptError, match=complaint):
        read_transcripts(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text((json.dumps(LINE) + "\n") + json.dumps({**LINE, "prompt": "c"})[:-4])
    with pytest.raises(TranscriptError, match=":2: must be"):
        read_transcripts(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_transcripts(tmp_path / "s.jsonl")


def test_missing_prompts_are_an_error_and_not_named_in_clear() -> None:
    with pytest.raises(TranscriptError, match="was not asked 1 of 2 prompts") as told:
        Transcripts.of("s", {"a": "b"}).to(["a", "a secret prompt"])
    assert "secret" not in str(told.value)


def test_one_changed_answer_changes_the_digest() -> None:
    said = [("s", "x", "y"), ("s", "x", "z"), ("s", "xb", "y"), ("t", "x", "y")]
    assert len({Transcripts.of(model, {"a": a, "b": b}).digest for model, a, b in said}) == 4


def test_when_each_answer_came_is_recorded_and_read_back(tmp_path: Path) -> None:
    path, before = tmp_path / "s.jsonl", datetime.now(UTC)
    said = ask(Suspect(), PROMPTS, path, model="s", workers=1)
    times = [read_transcripts(path).times[prompt] for prompt in PROMPTS]
    assert before <= times[0] == said.first_at
    assert times == sorted(times)
    assert times[-1] <= datetime.now(UTC)


def test_of_a_file_with_an_answer_without_a_time_the_first_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    timed = {"answer": "a", "model": "s", "at": "2026-11-22T10:00:00+02:00"}
    path.write_text(json.dumps({"prompt": "p"} | timed) + "\n")
    found = read_transcripts(path)
    assert found.first_at == datetime(2026, 11, 22, 8, tzinfo=UTC)
    with path.open("a") as file:
        file.write('{"prompt": "q", "answer": "a", "model": "s"}\n')
    again = read_transcripts(path)
    assert (again.first_at, len(again.answers), len(again.times)) == (None, 2, 1)
    assert again.digest == Transcripts.of("s", {"p": "a", "q": "a"}).digest


@pytest.mark.parametrize("at", ["yesterday", "2026-11-22T10:00:00", 5])
def test_a_time_that_is_none_is_named_with_its_line(tmp_path: Path, at: object) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"prompt": "p", "answer": "a", "model": "s", "at": at}) + "\n")
    with pytest.raises(TranscriptError, match=r"s\.jsonl:1: must be"):
        read_transcripts(path)


def test_with_which_settings_it_was_asked_is_recorded_and_never_mixed(tmp_path: Path) -> None:
    path, cool, warm = tmp_path / "m.jsonl", {"temperature": 0.0}, {"temperature": 1.0}
    said = ask(str.upper, ["a", "b"], path, model="m", asked=cool)
    assert said.asked == read_transcripts(path).asked == cool
    for other, spoken in ((warm, "temperature 1.0"), (None, "none said")):
        with pytest.raises(TranscriptError, match=rf"begun with other settings .*{spoken}"):
            ask(str.upper, ["c"], path, model="m", asked=other)
    assert ask(str.upper, ["c"], path, model="m", asked=cool).asked == cool
    path.write_text(path.read_text().replace("0.0", "0.5", 1))
    with pytest.raises(TranscriptError, match="asked otherwise"):
        read_transcripts(path)


def test_progress_counts_what_was_answered_before(tmp_path: Path) -> None:
    path, told = tmp_path / "m.jsonl", list[int]()
    ask(str.upper, ["a", "b", "x"], path, model="m")
    ask(str.upper, ["a", "b", "c", "d"], path, model="m", advance=told.append)
    assert told == [2, 1, 1]


def test_a_record_that_began_without_settings_goes_on_and_says_none(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    ask(str.upper, ["a"], path, model="m")
    for prompts in (["b"], ["c"]):
        assert ask(str.upper, prompts, path, model="m", asked={"temperature": 1.0}).asked is None
    assert read_transcripts(path).asked is None
