"""What people hand in: each mistake has its own error, and nothing is lost or half-written."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.errors import (
    CommitmentError,
    InputError,
    LatePlanError,
    PlanError,
    StillwatchError,
    TamperedError,
    TranscriptError,
)
from stillwatch.ledger import Entry, Ledger
from stillwatch.provenance import Registration, read_transcripts
from stillwatch.provenance.bundle import Sealed, dated, seal, verify
from stillwatch.provenance.bundle.envelope import Envelope, Statement
from stillwatch.provenance.committing import commit_plan, find_commitment
from stillwatch.provenance.keyed import KeyedOutcome
from tests.provenance.bundle.conftest import KEY, Bench, sign_again
from tests.provenance.bundle.drafts import write
from tests.provenance.bundle.test_bundle import change_json
from tests.provenance.bundle.test_report import first_page, page
from tests.provenance.keyed.conftest import MARKS, PROBES, SALT, registered

FIRST = Path(__file__).parent / "data" / "first"


def changed(bench: Bench, path: Path, change: Callable[[list[str]], list[str]]) -> Path:
    path.write_text("".join(change(bench.files[0].read_text().splitlines(keepends=True))))
    return path


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda lines: lines[1:], "not asked 1 of 120 probes"),
        (lambda lines: [*lines, lines[5]], r"s\.jsonl:121: answers a prompt for the second time"),
        (lambda lines: [*lines, lines[5].replace("about 5", "about X")], "1 prompts that are no"),
        (lambda lines: [*lines[:-1], lines[-1][:20]], r"s\.jsonl:120: must be"),
        (lambda lines: [*lines[:-1], lines[-1].replace("suspect-7b", "x")], "is of x, those"),
        (lambda lines: [], "holds no answer"),
    ],
)  # fmt: skip
def test_transcripts_that_are_not_the_plans_are_told_and_left_as_they_are(
    bench: Bench, tmp_path: Path, change: Callable[[list[str]], list[str]], complaint: str
) -> None:
    path = changed(bench, tmp_path / "s.jsonl", change)
    before = path.read_bytes()
    with pytest.raises(TranscriptError, match=complaint):
        seal(tmp_path / "bundle", [bench.keyed(suspects=[path])], signing_key=KEY)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["s.jsonl"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I'm sorry, but I can't help with that.", "it refuses, or writes in another language"),
        ("Zuerst das eine, dann das andere. Folglich ist es so.", "or writes in another language"),
        ("", "it answered nothing"),
    ],
)
def test_a_suspect_that_shows_nothing_is_sealed_with_the_reason(
    bench: Bench, tmp_path: Path, answer: str, reason: str
) -> None:
    path = write(tmp_path / "mute.jsonl", dict.fromkeys(PROBES.prompts, answer))
    done = seal(tmp_path / "bundle", [bench.keyed(suspects=[path])], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    assert part.found == 0
    assert all(reason in row["abstained"] for row in part.value if row["role"] == "suspect")
    assert "Nothing can be said of mute" in first_page(page(done))
    assert len((done.path / "1-keyed/transcripts/suspect-1.jsonl").read_bytes().splitlines()) == 120


def test_a_plan_that_names_no_key_or_no_text_is_empty(tmp_path: Path) -> None:
    for name in ("marks", "texts"):
        plan = json.loads(registered().canonical()) | {name: []}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        with pytest.raises(PlanError, match=r"plan.json: is empty"):
            Registration.read(tmp_path / "plan.json")


def appended(state: Path, body: dict[str, Any], at: str = "2026-11-01T00:00:00Z") -> None:
    with Ledger.open(state, create=True) as ledger:
        ledger.append([Entry(kind="test_plan", at=at, by="somebody", body=body)])
        ledger.head()


def test_an_entry_that_says_something_else_of_the_plan_is_no_commitment(tmp_path: Path) -> None:
    made = registered()
    appended(tmp_path / "other", {"registration": made.digest(), "alpha": 0.5})
    with pytest.raises(CommitmentError, match="its alpha is another"):
        find_commitment(made, tmp_path / "other")
    appended(tmp_path / "empty", {})
    with pytest.raises(PlanError, match="not on this ledger"):
        find_commitment(made, tmp_path / "empty")


def test_two_entries_that_contradict_each_other_are_no_commitment(tmp_path: Path) -> None:
    made = registered()
    commit_plan(made, tmp_path / "state", by="ana")
    find_commitment(made, tmp_path / "state")
    appended(tmp_path / "state", {"registration": made.digest(), "suspects": 99})
    with pytest.raises(CommitmentError, match="its suspects is another"):
        find_commitment(made, tmp_path / "state")


def test_a_plan_with_another_salt_is_another_plan(bench: Bench, tmp_path: Path) -> None:
    twin = Registration.of(bench.registration.plan, MARKS, [PROBES.text_set()], salt=SALT[::-1])
    assert twin.digest() != bench.registration.digest()
    with pytest.raises(PlanError, match="not on this ledger"):
        find_commitment(twin, bench.state)
    with pytest.raises(PlanError, match="the salt are not those registered"):
        seal(tmp_path / "bundle", [bench.keyed(salt=SALT[::-1])], signing_key=KEY)
    assert not list(tmp_path.iterdir())


def test_a_commitment_to_another_plan_is_not_sealed(bench: Bench, tmp_path: Path) -> None:
    other = commit_plan(registered(alpha=0.01), tmp_path / "state", by="ana")
    with pytest.raises(CommitmentError, match="is not about the plan"):
        seal(tmp_path / "bundle", [bench.keyed(commitment=other)], signing_key=KEY)
    assert not (tmp_path / "bundle").exists()


def test_a_plan_that_was_committed_to_after_the_answers_is_not_sealed(
    bench: Bench, tmp_path: Path
) -> None:
    late = commit_plan(bench.registration, tmp_path / "state", by="ana")
    with pytest.raises(LatePlanError, match="after the first answer"):
        seal(tmp_path / "bundle", [bench.keyed(commitment=late)], signing_key=KEY)
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_a_signer_who_seals_a_late_plan_all_the_same_is_found(bundle: Path) -> None:
    early = "2020-01-01T00:00:00+00:00"
    path = bundle / "1-keyed" / "transcripts" / "suspect-1.jsonl"
    lines = [json.loads(line) | {"at": early} for line in path.read_bytes().splitlines()]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, lines)) + b"\n")
    from stillwatch.provenance.bundle.contents import transcript_root

    def date_back(predicate: dict[str, Any]) -> None:
        predicate["parts"][0]["models"][0].update(
            first_at=early, root=transcript_root(path.read_bytes())
        )

    sign_again(bundle, date_back)
    with pytest.raises(TamperedError, match=r"entry.json: .* after the first answer"):
        verify(bundle, KEY.public)
    sign_again(bundle, lambda predicate: predicate["parts"][0]["models"][0].update(first_at=None))
    with pytest.raises(TamperedError, match="is not what its file holds"):
        verify(bundle, KEY.public)


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "stamped", "first", "said"),
    [
        (None, None, NOW, "stands on no ledger"),
        ("2026-11-22T11:00:00Z", NOW, None, "do not all bear times"),
        ("2026-11-22T11:00:00Z", None, NOW, "no independent authority has stamped"),
        ("2026-11-22T11:00:00Z", NOW, NOW + timedelta(seconds=1), "the plan was there before it"),
        ("2026-11-22T11:00:00Z", NOW, NOW - timedelta(seconds=1), "rests on the clock"),
    ],
)
def test_whether_the_plan_was_first_is_said_as_far_as_it_is_known(
    entry: str | None, stamped: datetime | None, first: datetime | None, said: str
) -> None:
    assert said in dated(entry, stamped, first)


def test_answers_without_times_are_sealed_and_said_to_have_none(
    bench: Bench, tmp_path: Path
) -> None:
    def without(lines: list[str]) -> list[str]:
        each = json.loads(lines[7])
        del each["at"]
        return [*lines[:7], json.dumps(each) + "\n", *lines[8:]]

    path = changed(bench, tmp_path / "s.jsonl", without)
    done = seal(tmp_path / "bundle", [bench.keyed(suspects=[path])], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    assert part.first_at is None
    assert part.source is not None
    assert "the answers do not all bear times" in first_page(page(done))


def test_of_two_suspects_one_without_times_leaves_the_first_answer_unknown(
    bench: Bench, tmp_path: Path
) -> None:
    answers = read_transcripts(bench.files[0]).answers
    other = write(tmp_path / "other-7b.jsonl", answers)
    done = seal(
        tmp_path / "bundle", [bench.keyed(suspects=[bench.files[0], other])], signing_key=KEY
    )
    [part] = verify(done.path, KEY.public).parts
    assert [each.first_at is None for each in part.part.models[:2]] == [False, True]
    assert part.first_at is None


def test_a_bundle_of_the_first_form_is_read_for_ever() -> None:
    found = verify(FIRST, KEY.public)
    [part] = found.parts
    assert [(row["model"], row["found"]) for row in part.value] == [
        ("suspect-7b", False), ("suspect-7b", True), ("other-a", False), ("other-a", False)
    ]  # fmt: skip
    assert (part.part.kind, part.part.folder) == ("keyed", "")
    assert part.source == "the answers and the opened keys"
    assert part.head is not None
    assert not found.same_code


def test_a_release_that_says_more_of_a_test_still_reads_the_first_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = KeyedOutcome.said
    monkeypatch.setattr(KeyedOutcome, "said", lambda outcome: {**said(outcome), "more": 1})
    assert verify(FIRST, KEY.public).parts[0].source is not None


def test_a_bundle_of_the_first_form_is_not_believed_more_than_another(tmp_path: Path) -> None:
    shutil.copytree(FIRST, tmp_path / "first")
    change_json(tmp_path / "first" / "results.json", lambda rows: rows[0].update(found=True))
    with pytest.raises(TamperedError, match=r"results.json: is not what was sealed"):
        verify(tmp_path / "first", KEY.public)
    sign_again(tmp_path / "first")
    with pytest.raises(TamperedError, match="do not follow from the answers"):
        verify(tmp_path / "first", KEY.public)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_one_changed_byte_of_any_file_of_any_kind_is_noticed(
    whole: Sealed, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.getbasetemp() / "byte"
    if not copy.exists():
        shutil.copytree(whole.path, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    path.write_bytes(content[:place] + bytes([other]) + content[place + 1 :])
    try:
        with pytest.raises((TamperedError, InputError)) as caught:
            verify(copy, KEY.public)
        if path.name != "statement.json":
            assert isinstance(caught.value, TamperedError)
            assert str(path) in str(caught.value)
    finally:
        path.write_bytes(content)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_file_that_was_cut_anywhere_is_noticed(
    whole: Sealed, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.getbasetemp() / "cut"
    if not copy.exists():
        shutil.copytree(whole.path, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    try:
        with pytest.raises(StillwatchError):
            verify(copy, KEY.public)
    finally:
        path.write_bytes(content)


def test_a_link_in_a_bundle_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    path = bundle / "1-keyed" / "results.json"
    elsewhere = tmp_path / "elsewhere.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)  # the same bytes, today
    with pytest.raises(TamperedError, match=r"results.json: is no plain file"):
        verify(bundle, KEY.public)
    path.unlink()
    elsewhere.rename(path)
    verify(bundle, KEY.public)
    (bundle / "more").symlink_to(tmp_path)
    with pytest.raises(TamperedError, match="more: is no plain file"):
        verify(bundle, KEY.public)


@pytest.mark.parametrize("name", ["../outside.jsonl", "/etc/hostname", "a/../../x", "a\\b", ""])
def test_a_name_that_leads_out_of_the_bundle_is_not_read(bundle: Path, name: str) -> None:
    sign_again(bundle, lambda predicate: predicate["parts"][0]["models"][0].update(file=name))
    with pytest.raises(TamperedError, match="names a file outside"):
        verify(bundle, KEY.public)


@pytest.mark.parametrize("folder", ["..", "../x/", "/", "a/b/", "1-keyed", "x//"])
def test_a_folder_that_leads_out_of_the_bundle_is_not_read(bundle: Path, folder: str) -> None:
    sign_again(bundle, lambda predicate: predicate["parts"][0].update(folder=folder))
    with pytest.raises(TamperedError, match=r"outside|folder of their own"):
        verify(bundle, KEY.public)


def test_no_folder_and_a_folder_without_a_statement_are_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(InputError, match="there is no statement"):
        verify(tmp_path)


def test_a_statement_of_later_days_is_unreadable_and_not_tampered_with(bundle: Path) -> None:
    path = bundle / "statement.json"
    old = Envelope.parse(path.read_bytes()).statement()
    later = Statement(
        subject=old.subject, predicate_type="urn:stillwatch:evidence:3", predicate=old.predicate
    )
    path.write_bytes(Envelope.signed(later, KEY).encoded())
    with pytest.raises(InputError, match="its predicate is urn:stillwatch:evidence:3"):
        verify(bundle, KEY.public)
    envelope = json.loads(path.read_bytes())
    assert b"evidence:3" in base64.b64decode(envelope["payload"])
