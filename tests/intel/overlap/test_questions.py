"""A question is answered once, and a member so often: across restarts, and processes at once."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from stillwatch.errors import OutputError, OverlapError, ReplayedError, StoreFormatError
from stillwatch.intel.overlap import Questions
from stillwatch.intel.overlap.message import make_message
from tests.intel.conftest import NOW
from tests.intel.overlap.conftest import CARDS, OVERLAP, A, Answerer, cards, given, question


def test_a_question_is_answered_once(tmp_path: Path, answerer: Answerer) -> None:
    asked = question(tmp_path, CARDS)
    late = answerer.considers(asked.request)
    given(answerer.considers(asked.request), answerer)
    with pytest.raises(ReplayedError, match="was answered on 2026-11-22"):
        answerer.considers(asked.request)
    with pytest.raises(ReplayedError):  # looked at before the other was given
        given(late, answerer, "second")
    assert not (answerer.provider.folder / "second").exists()
    # the same number with other points is the same question
    header, points = asked.request.header, question(tmp_path, CARDS).request.points
    with pytest.raises(ReplayedError):
        answerer.considers(make_message(header, A.key, points))


def test_a_member_is_answered_so_often_in_so_many_days(tmp_path: Path, answerer: Answerer) -> None:
    twice = OVERLAP + "    questions: 2\n    days: 5\n"
    for turn in range(2):
        asked = question(tmp_path, cards(turn, number=3))
        given(answerer.considers(asked.request, extra=twice), answerer, f"{turn}")
    reply = answerer.considers(question(tmp_path, CARDS).request, extra=twice)
    assert reply.answered == 2
    assert reply.refused == (
        "questions: 2 of this member were answered within 5 days; 2 are allowed",
    )
    later = NOW + timedelta(days=5, seconds=1)
    again = question(tmp_path, CARDS, now=later)
    assert answerer.considers(again.request, now=later, extra=twice).refused == ()


ANSWERS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import msgspec
from stillwatch.errors import PolicyError
from stillwatch.intel.overlap import Message, Questions, read_message
from stillwatch.intel.policy import Overlap
request, rules, given = read_message(Path(sys.argv[1])), Overlap(asks=("which",), questions=30), 0
with Questions(Path(sys.argv[2]), create=True) as questions:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        header = msgspec.structs.replace(request.header, exchange=f"{sys.argv[3]}{number:063x}")
        try:
            questions.record(Message(header, request.points), "0" * 64, rules, datetime.now(UTC))
            given += 1
        except PolicyError:
            pass
print(given)
"""


def test_processes_that_answer_at_once_keep_the_limit_together(
    tmp_path: Path, answerer: Answerer
) -> None:
    """Three at once with twenty questions each, of which the policy allows thirty."""
    file = tmp_path / "one.overlap"
    question(tmp_path, CARDS).request.write(file)
    words = [sys.executable, "-c", ANSWERS, str(file), str(answerer.state)]
    running = [
        subprocess.Popen([*words, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(3)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [each.communicate(timeout=60)[0] for each in running]
    assert sum(int(number) for number in said) == 30


def test_an_answer_that_cannot_be_made_is_not_counted(tmp_path: Path, answerer: Answerer) -> None:
    asked = question(tmp_path, CARDS).request
    bad = make_message(asked.header, A.key, [*asked.points[:-1], b"\5" + bytes(32)])
    with pytest.raises(OverlapError, match="the request"):
        given(answerer.considers(bad), answerer)
    (answerer.provider.folder / "there").touch()
    with pytest.raises(OutputError):
        given(answerer.considers(asked), answerer, "there")
    assert answerer.considers(asked).answered == 0


def test_an_old_question_is_forgotten_when_no_limit_counts_it(
    tmp_path: Path, answerer: Answerer
) -> None:
    given(answerer.considers(question(tmp_path, CARDS).request), answerer)
    with Questions(answerer.state, create=True) as questions:
        assert questions.outlived(NOW) == 0
        assert questions.outlived(NOW + timedelta(seconds=1)) == 1
        assert questions.tidy(NOW + timedelta(seconds=1)) == 1
        assert questions.answered(A.identity, NOW - timedelta(days=1)) == 0


def test_a_register_of_another_version_or_damaged_is_told(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    Questions(tmp_path, create=True).close()
    with closing(sqlite3.connect(tmp_path / "overlaps.db")) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(StoreFormatError, match="of format 9"):
        Questions(tmp_path)
    (tmp_path / "overlaps.db").write_bytes(b"something else" * 100)
    with pytest.raises(StoreFormatError, match="damaged"):
        Questions(tmp_path)
