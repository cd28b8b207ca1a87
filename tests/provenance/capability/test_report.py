"""What a suspect made up of its teacher's lead: found, bounded, and never one number for all."""

from __future__ import annotations

import msgspec
import pytest

from stillwatch.errors import InputError, TranscriptError
from stillwatch.provenance import Transcripts
from stillwatch.provenance.capability import compare_capability, make_tasks
from stillwatch.provenance.capability.report import CapabilityReport, recount

from .models import model

TASKS = make_tasks("report", 40)
TEACHER, BASE = model("teacher", TASKS, 0.9), model("base", TASKS, 0.3)


def student(name: str, share: float) -> Transcripts:
    return model(name, TASKS, 0.3, of=(TEACHER, share))


def test_a_student_of_half_of_the_answers_made_up_half_of_the_lead() -> None:
    report = compare_capability(TASKS, TEACHER, BASE, [student("s", 0.5)])
    [stage] = report.domains[0].stages
    assert report.found
    assert stage.recovered == pytest.approx(0.5, abs=0.12)
    assert stage.interval[0] < 0.5 < stage.interval[1]
    assert stage.log10_p < -10
    assert stage.ahead > 30


def test_another_model_of_the_base_made_up_nothing() -> None:
    report = compare_capability(TASKS, TEACHER, BASE, [model("other", TASKS, 0.3)])
    [stage] = report.domains[0].stages
    assert not report.found
    assert stage.interval[0] <= 0 <= stage.interval[1] < 0.3


def test_each_domain_stands_alone_beside_the_whole() -> None:
    report = compare_capability(TASKS, TEACHER, BASE, [student("s", 0.5)])
    names = [domain.name for domain in report.domains]
    assert names == ["all", "stories", "units", "sequences", "orders", "calendars", "letters"]
    whole, *parts = report.domains
    assert whole.teacher.of == sum(part.teacher.of for part in parts)
    assert whole.teacher.right == sum(part.teacher.right for part in parts)


def test_the_cost_of_a_share_is_that_of_the_stage_that_reached_it() -> None:
    stages = [student("march", 0.1), student("june", 0.65), student("sept", 1.0)]
    spent = [{"exchanges": 1e4, "usd": 50.0}, {"exchanges": 1e5}, {"exchanges": 1e6}]
    report = compare_capability(TASKS, TEACHER, BASE, stages, spent=spent)
    half, most, nearly = report.reached
    assert (half.level, half.shown, half.possible) == (0.5, "june", "june")
    assert (most.shown, most.possible) == ("sept", "june")
    assert nearly.possible == "sept"
    assert report.spent[0] == {"exchanges": 1e4, "usd": 50.0}


def test_without_a_lead_of_the_teacher_nothing_is_said_of_it() -> None:
    report = compare_capability(TASKS, model("t", TASKS, 0.3), BASE, [student("s", 0.5)])
    whole = report.domains[0]
    assert whole.abstained is not None
    assert "not beyond doubt better" in whole.abstained
    assert whole.stages[0].recovered is None
    assert all((each.shown, each.possible) == (None, None) for each in report.reached)


def test_few_tasks_say_nothing() -> None:
    few = make_tasks("few", 4)
    report = compare_capability(
        few, model("t", few, 1.0), model("b", few, 0.0), [model("s", few, 0.9)]
    )
    assert report.domains[0].abstained == "24 tasks are too few, 30 are needed"


def test_an_answer_that_is_none_counts_as_wrong_and_is_told() -> None:
    silent = model("s", TASKS, 0.3, silent=True)
    share = compare_capability(TASKS, TEACHER, BASE, [silent]).domains[0].stages[0].share
    assert share.none > 50
    assert share.right + share.none < share.of


def test_versions_of_the_base_itself_are_found_no_oftener_than_promised() -> None:
    few = make_tasks("null", 10)
    teacher, found = model("t", few, 0.9), 0
    for turn in range(60):
        base, *versions = (model(f"{turn}-{each}", few, 0.4) for each in range(5))
        found += compare_capability(few, teacher, base, versions, alpha=0.2).found
    # 60 tries at 0.2: more than 21 would come once in 200 runs
    assert found <= 21


def test_the_report_holds_no_text_and_comes_again_from_its_rows() -> None:
    report = compare_capability(TASKS, TEACHER, BASE, [student("s", 0.5)], spent=[{"usd": 1.0}])
    told = msgspec.json.encode(report)
    assert TASKS.tasks[0].prompt.encode() not in told
    assert recount(msgspec.json.decode(told, type=CapabilityReport)) == report


def test_what_was_not_asked_and_costs_of_nobody_are_told() -> None:
    half = Transcripts.of("half", dict(list(BASE.answers.items())[:10]))
    with pytest.raises(TranscriptError, match="was not asked 230 of 240"):
        compare_capability(TASKS, TEACHER, BASE, [half])
    with pytest.raises(InputError, match="there is no suspect"):
        compare_capability(TASKS, TEACHER, BASE, [])
    with pytest.raises(InputError, match="2 costs are given for 1 suspects"):
        compare_capability(TASKS, TEACHER, BASE, [BASE], spent=[{}, {}])
