"""Every kind of part: sealed, checked again, told by a dishonest signer, labelled as what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.errors import InputError, PlanError, TamperedError
from stillwatch.provenance import read_transcripts
from stillwatch.provenance.bundle import Draft, Outside, Sealed, seal, verify
from stillwatch.provenance.bundle.contents import rounded
from stillwatch.provenance.bundle.kinds import EVIDENCE, KINDS
from stillwatch.statistics import share_interval
from tests.provenance.bundle.conftest import KEY, folder, plain, sign_again
from tests.provenance.bundle.drafts import Measured, Radioactive
from tests.provenance.bundle.test_bundle import change_json
from tests.provenance.test_refusals import HARM, OURS

EVERY = pytest.mark.parametrize("kind", list(KINDS))
FOUND = {"keyed": 1, "radioactivity": 1, "refusals": 1, "neutrality": 1, "capability": 1,
         "triage": 0}  # fmt: skip
SOURCE = {
    "keyed": "the answers and the opened keys",
    "radioactivity": "what the suspect gave and the opened keys",
    "refusals": "the labels of each answer",
    "neutrality": "the answers",
    "capability": "the grades of each answer",
    "triage": "the answers",
}


def test_a_bundle_of_all_kinds_is_sound_and_every_result_is_accounted_for(whole: Sealed) -> None:
    found = verify(whole.path, KEY.public)
    assert {each.part.kind: each.found for each in found.parts} == FOUND
    assert {each.part.kind: each.source for each in found.parts} == SOURCE
    assert list(FOUND) == [each.part.kind for each in found.parts]
    assert found.same_code


@EVERY
def test_a_kind_alone_is_sound(kind: str, parts: dict[str, Draft], tmp_path: Path) -> None:
    done = seal(tmp_path / "one", [parts[kind]], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    assert (part.found, part.source, part.part.label) == (
        FOUND[kind], SOURCE[kind], KINDS[kind].label
    )  # fmt: skip


LIES: dict[str, Callable[[Any], None]] = {
    "keyed": lambda rows: rows[0].update(found=True),
    "radioactivity": lambda rows: rows[0].update(corrected_log10_p=-9.0),
    "refusals": lambda r: r["suspect"]["teacher"].update(log10_p=-99.0),
    "neutrality": lambda r: r["suspect"]["contrasts"][0].update(mean=1.5),
    "capability": lambda r: r["suspect"]["domains"][0]["stages"][0].update(recovered=0.99),
    "triage": lambda r: r["similarities"][0].update(p=0.0001),
}


@EVERY
def test_results_that_a_signer_made_up_are_found(kind: str, copy: Path) -> None:
    change_json(folder(copy, kind) / "results.json", LIES[kind])
    sign_again(copy)
    with pytest.raises(TamperedError, match=rf"{kind}/results.json: the results do not follow"):
        verify(copy, KEY.public)


def test_counts_of_safe_prompts_that_a_signer_changed_are_found(copy: Path) -> None:
    def lie(value: Any) -> None:
        share = value["suspect"]["over_refused"]["teacher"]
        share["hits"] += 1
        share["counted"] = rounded(share_interval(share["hits"], share["of"]))

    change_json(folder(copy, "refusals") / "results.json", lie)
    sign_again(copy)
    with pytest.raises(TamperedError, match="do not follow from the labels"):
        verify(copy, KEY.public)


@EVERY
@pytest.mark.parametrize(
    "junk",
    [
        "[]",
        "{}",
        "[{}]",
        "7",
        "[[1]]",
        '{"suspect":{"found":true}}',
        '[{"found":true,"model":"x","role":"suspect"}]',
    ],
)
def test_results_of_another_shape_are_told_and_break_nothing(
    kind: str, junk: str, copy: Path
) -> None:
    (folder(copy, kind) / "results.json").write_text(junk + "\n")
    if kind in ("keyed", "radioactivity"):  # with opened keys they would not follow anyway
        (folder(copy, kind) / "opened.json").unlink()
    place = list(KINDS).index(kind)
    sign_again(copy, lambda predicate: predicate["parts"][place].pop("opened", None))
    with pytest.raises((TamperedError, InputError)):
        verify(copy, KEY.public)


@pytest.mark.parametrize("kind", ["refusals", "neutrality", "capability", "triage"])
@pytest.mark.parametrize("settings", [{}, {"alpha": "x", "set_sha256": 7, "set": None}])
def test_settings_that_are_not_those_of_the_results_are_found(
    kind: str, settings: dict[str, Any], copy: Path
) -> None:
    place = list(KINDS).index(kind)
    sign_again(copy, lambda predicate: predicate["parts"][place].update(settings=settings))
    with pytest.raises(TamperedError, match=f"{kind}/results.json"):
        verify(copy, KEY.public)


@pytest.mark.parametrize("kind", ["refusals", "capability", "triage"])
def test_results_about_other_records_than_are_named_are_found(
    kind: str, parts: dict[str, Draft], measured: Measured, tmp_path: Path
) -> None:
    told = {**parts, "triage": measured.triage(with_transcripts=False)}
    done = seal(tmp_path / "one", [told[kind]], signing_key=KEY)
    sign_again(
        done.path, lambda predicate: predicate["parts"][0]["models"][1].update(digest="0" * 64)
    )
    with pytest.raises(TamperedError, match="about other records"):
        verify(done.path, KEY.public)


@EVERY
def test_a_kind_that_calls_itself_something_else_is_found(kind: str, copy: Path) -> None:
    place = list(KINDS).index(kind)
    label = "proof" if KINDS[kind].label == EVIDENCE else EVIDENCE
    sign_again(copy, lambda predicate: predicate["parts"][place].update(label=label))
    with pytest.raises(TamperedError, match="is labelled"):
        verify(copy, KEY.public)


@EVERY
def test_a_part_without_its_results_is_found(kind: str, copy: Path) -> None:
    (folder(copy, kind) / "results.json").unlink()
    sign_again(copy)
    with pytest.raises(TamperedError, match=r"results.json: was left out"):
        verify(copy, KEY.public)


def test_a_report_that_tells_something_else_than_the_results_is_found(copy: Path) -> None:
    page = copy / "report.html"
    page.write_text(page.read_text().replace("TRIAGE, not evidence", "proof"))
    sign_again(copy)
    with pytest.raises(TamperedError, match=r"report.html: does not tell"):
        verify(copy, KEY.public)


def test_no_answer_and_no_prompt_of_refusals_gets_into_a_bundle(
    parts: dict[str, Draft], tmp_path: Path
) -> None:
    done = seal(tmp_path / "one", [parts["refusals"]], signing_key=KEY)
    texts = [path.read_text() for path in done.path.rglob("*") if path.is_file()]
    assert not any(HARM in text for text in texts)
    assert not [p.prompt for p in OURS.prompts for text in texts if p.prompt in text]


def test_who_holds_the_records_computes_refusals_from_the_answers(
    parts: dict[str, Draft], measured: Measured, copy: Path
) -> None:
    assert parts["refusals"].kind == "refusals"  # which wrote the records
    outside = Outside.of([read_transcripts(path) for path in measured.records])
    found = verify(copy, KEY.public, outside=outside)
    [part] = [each for each in found.parts if each.part.kind == "refusals"]
    assert part.source == "the answers, which are not in the bundle"
    # labels that agree with each other, and not with the answers
    change_json(folder(copy, "refusals") / "results.json", blame)
    sign_again(copy)
    report_of(copy)
    verify(copy, KEY.public)
    with pytest.raises(TamperedError, match="do not follow from the answers"):
        verify(copy, KEY.public, outside=outside)


def blame(value: Any) -> None:
    """An answer less useful than it was, which labels do not tell."""
    value["suspect"]["shape"]["words"] += 1


def report_of(bundle: Path) -> None:
    """The report that belongs to changed results, signed."""
    from stillwatch.provenance.bundle.contents import read_predicate
    from stillwatch.provenance.bundle.envelope import Envelope
    from stillwatch.provenance.bundle.report import render

    statement = Envelope.parse((bundle / "statement.json").read_bytes()).statement()
    predicate = read_predicate(statement.predicate_type, statement.predicate, str)
    (bundle / "report.html").write_bytes(render(bundle, predicate, KEY.public))
    sign_again(bundle)


def test_without_answers_neutrality_and_triage_are_counted_from_what_is_told(
    measured: Measured, tmp_path: Path
) -> None:
    drafts = [measured.neutrality(with_transcripts=False), measured.triage(with_transcripts=False)]
    done = seal(tmp_path / "told", drafts, signing_key=KEY)
    assert not list(done.path.rglob("*.jsonl"))
    found = verify(done.path, KEY.public)
    assert [each.source for each in found.parts] == [
        "the differences of each pair", "the similarities told"
    ]  # fmt: skip
    records = [read_transcripts(path) for path in measured.pair_records]
    outside = Outside.of(records, measured.folder / "many.jsonl")
    assert [each.source for each in verify(done.path, outside=outside).parts] == [
        "the answers, which are not in the bundle", "the similarities told"
    ]  # fmt: skip


def test_what_is_no_evidence_says_so_on_every_page(parts: dict[str, Draft], tmp_path: Path) -> None:
    done = seal(tmp_path / "one", [parts["triage"]], signing_key=KEY)
    page = (done.path / "report.html").read_text()
    assert "Nothing here is evidence that a model learnt from another" in plain(done.path)
    assert "learn from our answers?" not in page
    # of what is printed every section has it; a table's head is printed on each page
    sections = page.split("<section")[1:]
    assert len(sections) == 3
    assert all("TRIAGE, not evidence" in each for each in sections)
    assert '<thead><tr><th><p class="label">TRIAGE, not evidence' in page


def test_beside_evidence_the_rest_is_set_apart(whole: Sealed) -> None:
    said = plain(whole.path)
    for words in (
        "1 of 2: keyed test", "2 of 2: radioactivity", "Also in this bundle, and no evidence",
        "leans towards the words that this key favours", "Paraphrase, and further training.",
        "Similarity is not descent.", "The controls were chosen by the accuser.",
        "It calls no view right.", "The judge errs.", "finds no key in other-a",
        "finds a key by mistake: at most 1 in 500 cases",
    ):  # fmt: skip
        assert words in said
    first = said.partition("The keyed tests")[0]
    assert first.index("carries the mark") < first.index("Also in this bundle")


def test_closed_suspects_are_tested_again_from_their_answers(
    radioactive: Radioactive, tmp_path: Path
) -> None:
    done = seal(tmp_path / "closed", [radioactive.closed], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    assert [(r["model"], r["cluster"], r["found"]) for r in part.value] == [
        ("student", "c-1", False), ("student", "c-2", True),
        ("stranger", "c-1", False), ("stranger", "c-2", False),
    ]  # fmt: skip
    served = seal(tmp_path / "served", [radioactive.served], signing_key=KEY)
    [part] = verify(served.path, KEY.public).parts
    assert {r["statistic"] for r in part.value} == {"closed, windows served"}
    assert part.source is not None


def test_marks_of_every_scheme_are_made_again_from_plan_and_key(
    radioactive: Radioactive, tmp_path: Path
) -> None:
    done = seal(tmp_path / "schemes", [radioactive.green], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    assert [r["scheme"] for r in part.value] == ["green-list", "tournament", "gumbel-murmur3"]
    assert part.source is not None


def test_a_clean_control_that_carries_the_mark_silences_its_key(
    radioactive: Radioactive, tmp_path: Path
) -> None:
    made = radioactive.registered("open", reference="base", seed=7)
    guilty = radioactive.shards("innocent", radioactive.student)
    draft = radioactive.part(made, radioactive.folder / "suspect-7b", guilty)
    done = seal(tmp_path / "doubt", [draft], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    by = {(r["model"], r["cluster"]): r for r in part.value}
    assert by["innocent", "c-2"]["found"]
    assert by["suspect-7b", "c-2"]["log10_p"] is None
    assert "innocent is found under this key" in by["suspect-7b", "c-2"]["abstained"]
    assert done.found == 0
    assert "Nothing is claimed under that key" in plain(done.path)


def gathered(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder(bundle, "radioactivity") / "evidence" / "suspect-1.npz"
    with np.load(path) as shard:
        arrays = dict(shard)
    change(arrays)
    np.savez_compressed(path, **arrays)
    sign_again(bundle)


def test_a_window_that_a_signer_lets_count_twice_is_found(copy: Path) -> None:
    def twice(arrays: dict[str, Any]) -> None:
        for name in arrays:
            arrays[name] = np.concatenate([arrays[name], arrays[name]])

    gathered(copy, twice)
    with pytest.raises(InputError, match="nothing that was gathered"):
        verify(copy, KEY.public)


def test_who_holds_the_probabilities_gathers_them_again(
    radioactive: Radioactive, copy: Path, tmp_path: Path
) -> None:
    done = seal(tmp_path / "one", [radioactive.open], signing_key=KEY)
    shards = (radioactive.folder / "suspect-7b", radioactive.folder / "other-a")
    [part] = verify(done.path, KEY.public, outside=Outside(shards=shards)).parts
    assert part.source == "the recorded probabilities and the opened keys"
    [part] = verify(done.path, KEY.public, outside=Outside(shards=shards[:1])).parts
    assert part.source == SOURCE["radioactivity"]

    def one_token(arrays: dict[str, Any]) -> None:
        [name] = [name for name in arrays if name.endswith("weights")]
        arrays[name][0, 0] *= np.float32(1.001)

    gathered(done.path, one_token)
    with pytest.raises(TamperedError, match="was not gathered from what was"):
        verify(done.path, KEY.public, outside=Outside(shards=shards))


def test_weights_that_a_signer_changed_do_not_give_the_results(copy: Path) -> None:
    def more(arrays: dict[str, Any]) -> None:
        [name] = [name for name in arrays if name.endswith("weights")]
        arrays[name] = arrays[name] * np.float32(0.5)

    gathered(copy, more)
    with pytest.raises(TamperedError, match="do not follow from what the suspect gave"):
        verify(copy, KEY.public)


def test_texts_that_are_not_those_of_the_plan_are_found(copy: Path) -> None:
    path = folder(copy, "radioactivity") / "texts" / "1.jsonl"
    path.write_bytes(path.read_bytes() + b"[1, 2, 3]\n")
    sign_again(copy)
    with pytest.raises(TamperedError, match=r"1.jsonl: is not the texts"):
        verify(copy, KEY.public)


def test_a_plan_of_radioactivity_with_other_texts_or_marks_is_not_sealed(
    radioactive: Radioactive,
) -> None:
    made = radioactive.registered("closed", seed=8)
    answers = radioactive.answers("again", radioactive.student)
    radioactive.marks.reverse()
    try:
        with pytest.raises(PlanError, match="not what was registered"):
            radioactive.part(made, answers)
    finally:
        radioactive.marks.reverse()


def test_times_of_answers_in_tokens_are_told_too(radioactive: Radioactive, tmp_path: Path) -> None:
    made = radioactive.registered("closed", seed=9)
    timed = radioactive.answers("timed", radioactive.student, at="2099-01-01T00:00:00Z")
    done = seal(tmp_path / "timed", [radioactive.part(made, timed)], signing_key=KEY)
    [part] = verify(done.path, KEY.public).parts
    assert part.first_at is not None
    assert part.first_at.year == 2099
    lines = timed.read_text().splitlines()
    del (untimed := json.loads(lines[3]))["at"]
    some = radioactive.folder / "some.jsonl"
    some.write_text("\n".join([*lines[:3], json.dumps(untimed), *lines[4:]]))
    done = seal(tmp_path / "some", [radioactive.part(made, some)], signing_key=KEY)
    assert verify(done.path, KEY.public).parts[0].first_at is None
    early = radioactive.answers("early", radioactive.student, at="2020-01-01T00:00:00Z")
    with pytest.raises(PlanError, match="after the first answer"):
        seal(tmp_path / "early", [radioactive.part(made, early)], signing_key=KEY)


def test_a_bundle_of_no_parts_or_of_an_unknown_kind_is_none(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no part"):
        seal(tmp_path / "none", [], signing_key=KEY)
    sign_again(copy, lambda predicate: predicate["parts"][4].update(kind="oracle"))
    with pytest.raises(InputError, match="unknown kind 'oracle'"):
        verify(copy, KEY.public)
    sign_again(copy, lambda predicate: predicate.update(parts=[]))
    with pytest.raises(InputError, match="no part"):
        verify(copy, KEY.public)


def test_a_small_error_rate_stays_what_it_is() -> None:
    assert rounded({"alpha": 1e-7, "p": (0.1 + 0.2, 1e-17, -0.0)}) == {
        "alpha": 1e-7, "p": [0.3, 0.0, 0.0]
    }  # fmt: skip


def test_results_hold_labels_and_digests_that_others_can_read(whole: Sealed) -> None:
    rows = json.loads((folder(whole.path, "refusals") / "results.json").read_bytes())
    assert {label for row in rows["suspect"]["rows"] for label in row["labels"]} <= {
        "answered", "refused", "unjudged"
    }  # fmt: skip
    assert rows["controls"][0]["models"][1] == "other-a"
