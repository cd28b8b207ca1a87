"""Actions: a reason, an end, an undo, a person behind a suspension; on each database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from stillwatch.access.actions import Action
from stillwatch.access.database import Database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.narrowing import narrowing
from stillwatch.access.schema import ACTIONS
from stillwatch.access.surface import CLOSED, OPEN, Bias, Reasoning, Surface
from stillwatch.errors import InputError, StorageError
from tests.access.conftest import put_shut

NOW = 1_790_000_000
DAY = 86_400
Build = Callable[..., Action]


def test_an_action_is_kept_as_it_was_put(actions: ActionStore, action: Build) -> None:
    fields = {"logprobs": 0, "models": ["small-*"], "reasoning": "none"}
    put = actions.put(action(kind="narrow", surface=fields, by="scan", subject_kind="org"))
    assert put.id
    assert put.created_at == NOW
    assert actions.in_force() == list(actions.history()) == [put]
    assert put.surface == fields


@pytest.mark.parametrize("at", [NOW - 1, NOW, NOW + DAY - 1, NOW + DAY])
def test_an_action_is_in_force_from_its_making_to_its_end(
    actions: ActionStore, action: Build, at: int
) -> None:
    put = actions.put(action())
    assert actions.in_force(at) == ([put] if NOW <= at < NOW + DAY else [])
    assert list(actions.history()) == [put]


def test_an_action_that_is_undone_stays_as_history(
    actions: ActionStore, action: Build, clock: Any
) -> None:
    put = actions.put(action())
    clock.now += 60
    undone = actions.undo(put.id, "bo")
    assert (undone.undone_at, undone.undone_by) == (NOW + 60, "bo")
    assert actions.in_force() == []
    assert actions.in_force(NOW + 59) == list(actions.history()) == [undone]


def test_nothing_is_undone_twice_or_by_nobody(actions: ActionStore, action: Build) -> None:
    put = actions.put(action())
    with pytest.raises(InputError, match="by: give 1"):
        actions.undo(put.id, "")
    actions.undo(put.id, "bo")
    with pytest.raises(InputError, match="was undone before, by bo"):
        actions.undo(put.id, "bo")
    with pytest.raises(InputError, match="there is no action 'act-x'"):
        actions.undo("act-x", "bo")


def test_a_suspension_without_a_person_is_refused(
    database: Database, actions: ActionStore, action: Build
) -> None:
    with pytest.raises(InputError, match="a suspension needs a person"):
        put_shut(database, action(kind="suspend"), NOW)
    with pytest.raises(InputError, match="by: give 1"):
        put_shut(database, action(kind="suspend", by="", person=True), NOW)
    assert put_shut(database, action(kind="suspend", person=True), NOW).person
    assert len(actions.in_force()) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "suspend"}, "a suspension takes two people"),
        (
            {"kind": "verify", "seconds": 86_399.0},
            "with a grace below 24 hours takes two",
        ),
        ({"id": "case-5f2a11c09d3e.7.slow.1"}, "would be that of a case"),
    ],
)
def test_what_only_a_case_may_write_is_refused_put_and_imported(
    actions: ActionStore, action: Build, tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    given = action(**{"person": True, "expires_at": NOW + 3 * DAY} | fields)
    with pytest.raises(InputError, match=said):
        actions.put(given)
    with pytest.raises(InputError, match=said):
        actions.import_file(listed(tmp_path / "list", msgspec.to_builtins(given)))
    assert list(actions.history()) == []


def test_an_owner_with_a_day_to_verify_may_be_asked_by_one(
    actions: ActionStore, action: Build
) -> None:
    asked = action(kind="verify", seconds=float(DAY), person=True, expires_at=NOW + 2 * DAY)
    assert actions.put(asked).in_force(NOW)


def test_the_table_itself_refuses_a_suspension_without_a_person(
    database: Database, action: Build
) -> None:
    """Whatever program writes it: a rule that stands in one place only can be walked around."""
    row = msgspec.structs.asdict(action(kind="suspend", id="a", created_at=NOW))
    with (
        pytest.raises(StorageError, match=r"(?i)a_person_suspends"),
        database.writing() as (connection, version),
    ):
        connection.execute(insert(ACTIONS).values(row | {"version": version}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"subject": ""}, "subject: give 1"),
        ({"reason": "Case 1"}, "reason: 'Case 1' is no code"),
        ({"message": " "}, "message: tell the owner"),
        ({"by": "\n"}, "by: "),
        ({"expires_at": NOW}, "in the past"),
        ({"expires_at": NOW + 91 * DAY}, "more than 90 days away"),
        ({"expires_at": (NOW + DAY) * 1000}, "milliseconds"),
        ({"created_at": NOW + DAY - 1}, "lies in the future"),
        ({"undone_at": NOW}, "by undoing it"),
        ({"undone_by": "bo"}, "by undoing it"),
        ({"kind": "slow"}, "seconds: needed to slow"),
        ({"kind": "slow", "seconds": 0.0}, "seconds: 0.0 is not above 0"),
        ({"kind": "slow", "seconds": 61.0}, "at most 60"),
        ({"kind": "verify", "seconds": float(DAY)}, "this needs a person"),
        ({"kind": "verify", "person": True}, "seconds: needed to slow and to verify"),
        ({"kind": "verify", "person": True, "seconds": float(DAY)}, "must end before the action"),
        ({"kind": "slow", "seconds": float("nan")}, "seconds: nan"),
        ({"seconds": 1.0}, "for nothing else"),
        ({"kind": "narrow"}, "surface: needed to narrow"),
        ({"surface": {"logprobs": 0}}, "for nothing else"),
        ({"kind": "narrow", "surface": {"logprops": 0}}, "there is no field 'logprops'"),
    ],
)
def test_an_action_that_cannot_stand_is_refused_and_says_why(
    actions: ActionStore, action: Build, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        actions.put(action(**fields))
    assert said in str(refused.value)
    assert list(actions.history()) == []


def test_the_same_action_under_its_id_may_be_sent_twice(
    actions: ActionStore, action: Build
) -> None:
    first = actions.put(action(id="v-1"))
    assert actions.put(action(id="v-1")) == first
    undone = actions.undo("v-1", "bo")
    assert actions.put(action(id="v-1")) == undone
    with pytest.raises(InputError, match="v-1 is that of another action"):
        actions.put(action(id="v-1", subject="other"))


def listed(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


LINE = {
    "subject_kind": "account", "subject": "a", "kind": "slow", "seconds": 2, "reason": "r-1",
    "message": "m", "by": "scan", "expires_at": NOW + DAY,
}  # fmt: skip


def test_a_list_may_be_imported_twice_and_counts_once(actions: ActionStore, tmp_path: Path) -> None:
    path = listed(tmp_path / "list", LINE | {"id": "v-1"}, LINE | {"id": "v-2", "subject": "b"})
    assert [a.id for a in actions.import_file(path)] == ["v-1", "v-2"]
    assert actions.import_file(path) == []
    assert [a.seconds for a in actions.in_force()] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (LINE | {"kind": "ban"}, "ban"),
        (LINE | {"colour": "red"}, "colour"),
        ({k: v for k, v in LINE.items() if k != "expires_at"}, "expires_at"),
        ({k: v for k, v in LINE.items() if k != "reason"}, "reason"),
        (LINE | {"expires_at": NOW}, "in the past"),
        (LINE | {"kind": "suspend", "seconds": None}, "a suspension takes two people"),
        (LINE | {"id": "v-1", "subject": "other"}, "that of another action"),
    ],
)
def test_one_bad_line_and_nothing_of_a_list_is_written(
    actions: ActionStore, tmp_path: Path, bad: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        actions.import_file(listed(tmp_path / "list", LINE | {"id": "v-1"}, bad))
    assert str(refused.value).startswith(f"{tmp_path}/list:2: ")
    assert said in str(refused.value)
    assert list(actions.history()) == []


def test_what_is_narrowed_is_less_and_everything_else_stays_open() -> None:
    narrowed = narrowing({"logprobs": 1, "reasoning": "summary", "models": ["small-*"]})
    assert (narrowed.logprobs, narrowed.reasoning) == (1, Reasoning.SUMMARY)
    assert narrowed.allows_model("small-7b")
    assert not narrowed.allows_model("large")
    assert msgspec.structs.replace(narrowed, logprobs=5, reasoning=2, models=()) == OPEN


@pytest.mark.parametrize("field", [f for f in Surface.__struct_fields__ if f != "models"])
def test_every_field_of_a_surface_can_be_narrowed(field: str) -> None:
    closed = {"max_tokens": 1, "min_temperature": 0.5, "response_fields": []}
    value = closed.get(field, getattr(CLOSED, field))
    written = value.name.lower() if hasattr(value, "name") else value
    assert narrowing({field: written}) <= OPEN
    assert narrowing({field: written}) != OPEN


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "narrows nothing"),
        ({"logprobs": 99}, "narrows nothing"),
        ({"logprobs": -1}, "logprobs: -1 is out of range"),
        ({"n": 0}, "n: 0 is out of range"),
        ({"logprobs": True}, "surface: "),
        ({"reasoning": 0}, "reasoning: 0 is none of none, summary, full"),
        ({"logit_bias": "some"}, "is none of none, ban, any"),
        ({"models": "small"}, "models: give a list"),
        ({"models": [1]}, "surface: "),
        ({"models": []}, "models: give a list"),
        ({"min_temperature": 3}, "out of range"),
        ({"min_temperature": float("nan")}, "out of range"),
    ],
)
def test_a_narrowing_that_means_nothing_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        narrowing(fields)
    assert said in str(refused.value)


def test_the_bound_of_an_action_is_what_it_narrows(action: Build) -> None:
    bound = action(kind="narrow", surface={"logit_bias": "ban"}).bound()
    assert bound == msgspec.structs.replace(OPEN, logit_bias=Bias.BAN)
