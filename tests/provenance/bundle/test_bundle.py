"""A bundle is verified by itself; what was changed is found, also where the signer changed it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.errors import (
    InputError,
    OutputError,
    PlanError,
    StillwatchError,
    TamperedError,
)
from stillwatch.ledger import Ledger, canonical, parsed
from stillwatch.ledger.timestamps import read_roots, stamp
from stillwatch.provenance import Registration, ask, read_transcripts
from stillwatch.provenance.bundle import Sealed, verify
from stillwatch.provenance.bundle.envelope import Envelope, Statement, Subject
from stillwatch.provenance.bundle.files import digest_file
from stillwatch.provenance.committing import commit_plan, find_commitment, record_seal
from tests.ledger.authority import Authority, serving
from tests.provenance.bundle.conftest import KEY, OTHER, Bench, sign_again
from tests.provenance.keyed.conftest import PROBES, registered


def test_a_sealed_bundle_is_sound_and_its_results_come_out_again(
    sealed: Sealed, bench: Bench
) -> None:
    found = verify(sealed.path, KEY.public, ledger_key=bench.commitment.head.key)
    [part] = found.parts
    assert [(row["model"], row["found"]) for row in part.value] == [
        ("suspect-7b", False), ("suspect-7b", True), ("other-a", False), ("other-a", False)
    ]  # fmt: skip
    assert part.source == "the answers and the opened keys"
    assert (part.found, sealed.found) == (1, 1)
    assert (found.signer, found.same_code) == (KEY.public, True)
    assert part.part == sealed.parts[0]
    assert part.part.registration == bench.registration.digest()
    assert part.head == bench.commitment.head


def test_another_key_of_the_signer_or_the_ledger_is_noticed(bundle: Path) -> None:
    with pytest.raises(TamperedError, match="not signed with the key"):
        verify(bundle, OTHER.public)
    with pytest.raises(TamperedError, match="head is signed with the key"):
        verify(bundle, KEY.public, ledger_key=OTHER.public)


def files(bundle: Path) -> list[Path]:
    return sorted(path for path in bundle.rglob("*") if path.is_file())


def test_one_changed_bit_of_any_file_is_noticed(bundle: Path) -> None:
    for path in files(bundle):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 2):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises((TamperedError, InputError)) as caught:
                verify(bundle, KEY.public)
            if path.name != "statement.json":
                assert isinstance(caught.value, TamperedError)
                assert path.name in str(caught.value)
        path.write_bytes(whole)
    assert verify(bundle, KEY.public).parts[0].source


def test_a_file_that_is_missing_cut_or_added_is_noticed(bundle: Path) -> None:
    for path in files(bundle):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(StillwatchError):
            verify(bundle, KEY.public)
        path.unlink()
        with pytest.raises(InputError if path.name == "statement.json" else TamperedError):
            verify(bundle, KEY.public)
        path.write_bytes(whole)
    (bundle / "note.txt").write_text("x")
    with pytest.raises(TamperedError, match=r"note.txt: was not sealed"):
        verify(bundle, KEY.public)


def part(bundle: Path) -> Path:
    return bundle / "1-keyed"


def change_json(path: Path, change: Callable[[Any], None]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    path.write_bytes(canonical(value) + b"\n")


def test_results_that_a_signer_made_up_do_not_follow_from_the_records(bundle: Path) -> None:
    change_json(part(bundle) / "results.json", lambda r: r[0].update(found=True, log10_p=-9.0))
    sign_again(bundle)
    with pytest.raises(TamperedError, match=r"results.json: the results do not follow"):
        verify(bundle, KEY.public)


def test_answers_that_a_signer_swapped_do_not_give_the_results(bundle: Path) -> None:
    first, second = (part(bundle) / "transcripts" / f"{n}-1.jsonl" for n in ("suspect", "control"))
    text = second.read_text().replace("other-a", "suspect-7b")
    first.write_text(text)
    sign_again(bundle)
    with pytest.raises(TamperedError, match="do not have the root"):
        verify(bundle, KEY.public)


def test_a_plan_that_a_signer_changed_is_not_the_one_on_the_ledger(bundle: Path) -> None:
    change_json(part(bundle) / "plan.json", lambda plan: plan["plan"].update(alpha=0.05))
    sign_again(bundle)
    with pytest.raises(TamperedError, match="not the one that the statement names"):
        verify(bundle, KEY.public)
    digest = Registration.read(part(bundle) / "plan.json").digest()
    sign_again(bundle, lambda predicate: predicate["parts"][0].update(registration=digest))
    with pytest.raises(TamperedError, match="another plan than this one"):
        verify(bundle, KEY.public)


def test_an_entry_that_a_signer_changed_is_not_under_the_head(bundle: Path) -> None:
    change_json(
        part(bundle) / "ledger" / "entry.json",
        lambda entry: entry.update(at="2020-01-01T00:00:00Z"),
    )
    sign_again(bundle)
    with pytest.raises(TamperedError, match="is not this one"):
        verify(bundle, KEY.public)


def test_a_head_that_was_dated_back_does_not_hold(bundle: Path) -> None:
    change_json(
        part(bundle) / "ledger" / "head.json",
        lambda h: h.update(at="2020-01-01T00:00:00.000Z"),
    )
    sign_again(bundle)
    with pytest.raises(TamperedError, match="signature of the head"):
        verify(bundle, KEY.public)


def test_keys_that_are_not_those_committed_to_are_noticed(bundle: Path) -> None:
    change_json(part(bundle) / "opened.json", lambda o: o["keys"][0].update(value="00" * 8))
    sign_again(bundle)
    with pytest.raises(TamperedError, match="cannot be carried out"):
        verify(bundle, KEY.public)


def test_probes_that_are_not_those_of_the_plan_are_noticed(bundle: Path) -> None:
    path = part(bundle) / "probes.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    sign_again(bundle)
    with pytest.raises(TamperedError, match="probes are not those"):
        verify(bundle, KEY.public)


def test_a_report_of_another_release_is_not_taken_at_its_word(bundle: Path) -> None:
    true = (bundle / "report.html").read_bytes()
    (bundle / "report.html").write_bytes(true.replace(b"1 in 1,000", b"1 in 1 billion"))
    sign_again(bundle)
    with pytest.raises(TamperedError, match=r"report.html: does not tell what was sealed"):
        verify(bundle, KEY.public)
    sign_again(bundle, lambda predicate: predicate.update(code="0" * 64))
    found = verify(bundle, KEY.public)
    assert (found.same_code, found.same_page) == (False, False)
    assert found.page == true.replace(found_code(), b"0" * 64)
    (bundle / "report.html").write_bytes(found.page or b"")
    sign_again(bundle)
    assert verify(bundle, KEY.public).same_page


def found_code() -> bytes:
    from stillwatch.provenance import code_digest

    return code_digest().encode()


def sign_as(path: Path, kind: str, predicate: dict[str, Any], *, twice: bool = False) -> None:
    """A statement of this kind over the files as they are."""
    subjects = [
        Subject(str(each.relative_to(path)), {"sha256": digest_file(each)})
        for each in files(path)
        if each.name != "statement.json"
    ]
    statement = Statement(
        subject=tuple(subjects + subjects[:1] * twice), predicate_type=kind, predicate=predicate
    )
    (path / "statement.json").write_bytes(Envelope.signed(statement, KEY).encoded())


def test_a_file_that_is_named_twice_is_noticed(bundle: Path) -> None:
    old = Envelope.parse((bundle / "statement.json").read_bytes()).statement()
    sign_as(bundle, old.predicate_type, old.predicate, twice=True)
    with pytest.raises(TamperedError, match="names a file twice"):
        verify(bundle, KEY.public)


def test_a_file_that_a_signer_left_out_is_noticed(bundle: Path) -> None:
    (bundle / "environment.json").unlink()
    sign_again(bundle)
    with pytest.raises(TamperedError, match="left out"):
        verify(bundle, KEY.public)


def test_a_statement_about_something_else_is_unreadable(bundle: Path) -> None:
    sign_again(bundle, lambda predicate: predicate.clear())
    with pytest.raises(InputError, match="no evidence bundle"):
        verify(bundle, KEY.public)


def test_without_opened_keys_a_bundle_shows_none_and_says_so(bench: Bench, tmp_path: Path) -> None:
    closed = bench.seal("closed", open_keys=False)
    assert not (closed.path / "1-keyed" / "opened.json").exists()
    assert verify(closed.path, KEY.public).parts[0].source is None
    key = f"{bench_key():016x}".encode()
    assert all(key not in path.read_bytes() for path in files(closed.path))
    assert key in (bench.seal("open").path / "1-keyed" / "opened.json").read_bytes()


def bench_key() -> int:
    from tests.provenance.keyed.conftest import MARKS

    return MARKS[1].key.value


def test_without_a_ledger_nothing_dates_the_plan(bench: Bench) -> None:
    found = verify(bench.seal("undated", commitment=None).path, KEY.public)
    assert found.parts[0].head is None
    assert found.parts[0].source
    with pytest.raises(InputError, match="no plan stands on a ledger"):
        verify(bench.folder / "undated", KEY.public, roots=[])


def test_a_bundle_is_never_overwritten_and_left_to_its_owner(sealed: Sealed, bench: Bench) -> None:
    with pytest.raises(OutputError, match="never overwritten"):
        bench.seal()
    assert sealed.path.stat().st_mode & 0o077 == 0


def test_a_folder_of_somebody_else_beside_the_bundle_is_left_alone(bench: Bench) -> None:
    theirs = bench.folder / "beside.new"
    theirs.mkdir()
    (theirs / "notes").write_text("mine")
    before = {*bench.folder.iterdir()}
    bench.seal("beside")
    assert (theirs / "notes").read_text() == "mine"
    assert {*bench.folder.iterdir()} - before == {bench.folder / "beside"}


def test_two_files_of_one_model_are_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="as another file is"):
        bench.seal("twice", suspects=[bench.files[0], bench.files[0]])


def test_a_plan_is_committed_to_once_and_found_under_its_first_head(
    bench: Bench, tmp_path: Path
) -> None:
    with pytest.raises(PlanError, match="already"):
        commit_plan(bench.registration, bench.state, by="ben")
    record_seal("0" * 64, [bench.registration.digest()], bench.state, by="ben")
    with Ledger.open(bench.state) as ledger:
        ledger.head()
        assert ledger.entry(len(ledger) - 1).kind == "evidence"
    found = find_commitment(bench.registration, bench.state)
    assert found == bench.commitment
    assert parsed(found.entry)["body"]["registration"] == bench.registration.digest()
    with pytest.raises(PlanError, match="not on this ledger"):
        find_commitment(registered(alpha=0.5), bench.state)


def test_the_environment_lock_names_what_computed_the_results(bundle: Path) -> None:
    lock = json.loads((bundle / "environment.json").read_bytes())
    packages = {each["name"]: each for each in lock["packages"]}
    assert {"stillwatch", "numpy", "scipy", "jinja2"} <= set(packages)
    assert "pytest" not in packages
    assert all(each["version"] for each in packages.values())
    assert len(packages["numpy"]["record"]) == 64
    assert len(lock["code"]) == 64


@pytest.mark.service
def test_a_plan_that_an_authority_stamped_is_dated_by_it(bench: Bench, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    with serving(authority) as address:
        committed = commit_plan(bench.registration, tmp_path / "state", by="ana", authority=address)
    assert find_commitment(bench.registration, tmp_path / "state") == committed
    suspect = tmp_path / "suspect.jsonl"
    answers = read_transcripts(bench.files[0]).answers
    ask(answers.__getitem__, PROBES.prompts, suspect, model="suspect-7b", workers=1)
    path = bench.seal("stamped", commitment=committed, suspects=[suspect]).path
    found = verify(path, KEY.public, roots=read_roots(authority.root))
    stamped = found.parts[0].stamped
    assert stamped is not None
    assert abs(stamped - datetime.now(UTC)) < timedelta(minutes=1)
    page = " ".join((path / "report.html").read_text().split())
    assert "time stamp of an independent authority" in page
    # the stamp is in whole seconds, and may seem older than the entry
    first = found.parts[0].first_at
    assert first is not None
    assert ("after the time stamp: the plan was there before it" in page) == (stamped <= first)
    stranger = read_roots(Authority(tmp_path / "stranger", "Another").root)
    with pytest.raises(TamperedError, match="time stamp"):
        verify(path, KEY.public, roots=stranger)


@pytest.mark.service
def test_of_all_heads_over_a_plan_the_one_that_was_stamped_first_is_taken(
    bench: Bench, tmp_path: Path
) -> None:
    first = commit_plan(bench.registration, tmp_path / "state", by="ana").head
    with Ledger.open(tmp_path / "state") as ledger:
        second = ledger.head()
        time.sleep(0.002)  # heads are told apart by their milliseconds
        third = ledger.head()
    assert find_commitment(bench.registration, tmp_path / "state").head == first
    authority = Authority(tmp_path / "authority")
    with serving(authority) as address, Ledger.open(tmp_path / "state") as ledger:
        early = stamp(third, address)
        time.sleep(1.1)  # stamps are in whole seconds
        late = stamp(second, address)
        for head in (early, late):
            ledger.keep_stamped(head)
    # neither the first head nor the first with a time stamp: that of the earliest one
    found = find_commitment(bench.registration, tmp_path / "state")
    assert found.head == early
    found.proof.check(found.entry, found.head)


def test_what_stands_for_a_time_stamp_and_is_none_is_passed_over(
    bench: Bench, tmp_path: Path
) -> None:
    first = commit_plan(bench.registration, tmp_path / "state", by="ana").head
    with Ledger.open(tmp_path / "state") as ledger:
        ledger.keep_stamped(msgspec.structs.replace(ledger.head(), timestamp="00ff"))
    assert find_commitment(bench.registration, tmp_path / "state").head == first
