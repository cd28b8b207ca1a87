"""What will be measured is fixed before anybody is asked, and held against what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from stillwatch.errors import InputError, LatePlanError, OutputError, PlanError, TamperedError
from stillwatch.provenance.bundle import refusals_part, seal, triage_part, verify
from stillwatch.provenance.committing import commit_plan, find_commitment
from stillwatch.provenance.measurements import Measurement
from tests.provenance.bundle.conftest import KEY, sign_again
from tests.provenance.bundle.drafts import write
from tests.provenance.test_refusals import NO, OURS, yes


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    careful = {p.prompt: yes(p.prompt) if p.safe else NO for p in OURS.prompts}
    careless = {p.prompt: yes(p.prompt) for p in OURS.prompts}
    said = {"teacher": careful, "suspect": careless, "other": careful}
    return {name: write(tmp_path / f"{name}.jsonl", answers) for name, answers in said.items()}


def test_a_plan_reads_back_and_each_of_its_parts_has_a_say_in_the_digest(tmp_path: Path) -> None:
    plan = Measurement.of("refusals", None, alpha=0.001, controls=("b", "a"))
    plan.write(tmp_path / "plan.json")
    assert Measurement.read(tmp_path / "plan.json") == plan
    assert plan.controls == ("a", "b")
    others = [
        Measurement.of("neutrality", None, alpha=0.001, controls=("a", "b")),
        Measurement.of("refusals", None, alpha=0.01, controls=("a", "b")),
        Measurement.of("refusals", None, alpha=0.001, controls=("a",)),
        Measurement.of("refusals", None, alpha=0.001, controls=("a", "b"), base="c"),
        Measurement.of("refusals", None, alpha=0.001, controls=("a", "b"), labelled=True),
    ]
    assert len({plan.digest(), *(each.digest() for each in others)}) == 6
    with pytest.raises(OutputError, match="never overwritten"):
        plan.write(tmp_path / "plan.json")


def test_what_is_no_plan_is_told(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"format": "stillwatch.measurement/1"}))
    with pytest.raises(InputError, match="no plan of a measurement"):
        Measurement.read(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(InputError, match="not of the format"):
        Measurement.read(tmp_path / "plan.json")
    with pytest.raises(PlanError, match="named once"):
        Measurement.of("refusals", None, alpha=0.001, controls=("a", "a"))
    with pytest.raises(PlanError, match="base and a control"):
        Measurement.of("refusals", None, alpha=0.001, controls=("a",), base="a")
    with pytest.raises(PlanError, match="with no base"):
        Measurement.of("triage", None, alpha=0.001, base="a")
    with pytest.raises(PlanError, match="label refusals"):
        Measurement.of("neutrality", None, alpha=0.001, labelled=True)
    with pytest.raises(PlanError, match="no set of ours"):
        Measurement.of("triage", None, alpha=0.001)


def test_a_measurement_that_was_fixed_on_the_ledger_is_sealed_with_its_proof(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    plan = Measurement.of("refusals", None, alpha=0.001, controls=("other",))
    commit_plan(plan, tmp_path / "state", by="ana")
    found = find_commitment(plan, tmp_path / "state")
    draft = refusals_part(files["teacher"], files["suspect"], controls=[files["other"]],
                          plan=plan, commitment=found)  # fmt: skip
    done = seal(tmp_path / "bundle", [draft], signing_key=KEY)
    [part] = verify(done.path, KEY.public, ledger_key=found.head.key).parts
    assert part.head == found.head
    assert part.part.registration == plan.digest()
    page = " ".join((done.path / "report.html").read_text().split())
    assert "names of the controls are those of the plan" in page
    (done.path / "1-refusals" / "ledger" / "entry.json").write_bytes(b"{}\n")
    sign_again(done.path)
    with pytest.raises(TamperedError):
        verify(done.path, KEY.public)


@pytest.mark.parametrize(
    ("alpha", "controls", "what"), [(0.01, ("other",), "alpha"), (0.001, (), "controls")]
)
def test_what_was_measured_otherwise_is_not_sealed_under_the_plan(
    tmp_path: Path, files: dict[str, Path], alpha: float, controls: tuple[str, ...], what: str
) -> None:
    plan = Measurement.of("refusals", None, alpha=alpha, controls=controls)
    draft = refusals_part(files["teacher"], files["suspect"], controls=[files["other"]], plan=plan)
    with pytest.raises(PlanError, match=f"the {what} of this measurement"):
        seal(tmp_path / "bundle", [draft], signing_key=KEY)
    assert not (tmp_path / "bundle").exists()


def test_a_signer_who_changes_the_plan_of_a_measurement_is_found(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    plan = Measurement.of("refusals", None, alpha=0.001)
    draft = refusals_part(files["teacher"], files["suspect"], plan=plan)
    done = seal(tmp_path / "bundle", [draft], signing_key=KEY)
    other = Measurement.of("refusals", None, alpha=0.05)
    (done.path / "1-refusals" / "plan.json").write_bytes(other.canonical() + b"\n")
    sign_again(done.path)
    with pytest.raises(TamperedError, match="not the one that the statement names"):
        verify(done.path, KEY.public)
    sign_again(
        done.path,
        lambda predicate: predicate["parts"][0].update(registration=other.digest()),
    )
    with pytest.raises(TamperedError, match="the alpha of this measurement"):
        verify(done.path, KEY.public)


def test_a_measurement_that_was_announced_after_the_answers_is_not_sealed(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    lines = [json.loads(line) for line in files["suspect"].read_text().splitlines()]
    timed = ({**line, "at": "2020-01-01T00:00:00Z"} for line in lines)
    files["suspect"].write_text("".join(json.dumps(line) + "\n" for line in timed))
    plan = Measurement.of("refusals", None, alpha=0.001)
    late = commit_plan(plan, tmp_path / "state", by="ana")
    draft = refusals_part(files["teacher"], files["suspect"], plan=plan, commitment=late)
    with pytest.raises(LatePlanError, match="nothing was fixed beforehand"):
        seal(tmp_path / "bundle", [draft], signing_key=KEY)


def test_triage_fixes_its_problems_and_controls_and_finds_nothing(tmp_path: Path) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"prompt": p.prompt}) + "\n" for p in OURS.prompts))
    records = [
        write(tmp_path / f"m{k}.jsonl", {p.prompt: f"{'So ' * k}{p.prompt}" for p in OURS.prompts})
        for k in range(7)
    ]
    plan = Measurement.of(
        "triage", asked, alpha=0.001, controls=tuple(path.stem for path in records[2:])
    )
    assert plan.alpha is None
    draft = triage_part(records[0], records[1], records[2:], prompts=asked, plan=plan)
    done = seal(tmp_path / "bundle", [draft], signing_key=KEY)
    assert verify(done.path, KEY.public).parts[0].found == 0
    asked.write_text(asked.read_text() + '{"prompt": "One more?"}\n')
    assert Measurement.of("triage", asked, alpha=0.001).set_sha256 != plan.set_sha256


def test_a_base_is_neither_left_out_nor_brought_in_after_a_look(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    def sealed(plan: Measurement, base: Path | None, name: str) -> None:
        part = refusals_part(files["teacher"], files["suspect"], base, plan=plan)
        verify(seal(tmp_path / name, [part], signing_key=KEY).path, KEY.public)

    without = Measurement.of("refusals", None, alpha=0.001)
    beside = Measurement.of("refusals", None, alpha=0.001, base="other")
    sealed(without, None, "a")
    sealed(beside, files["other"], "b")
    for plan, base in ((without, files["other"]), (beside, None)):
        with pytest.raises(PlanError, match="the base of this measurement is not what the plan"):
            sealed(plan, base, "c")
    labelled = Measurement.of("refusals", None, alpha=0.001, labelled=True)
    with pytest.raises(PlanError, match="use of labels"):
        sealed(labelled, None, "d")


def test_a_plan_of_before_leaves_base_and_labels_open_and_keeps_its_digest(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    old = msgspec.structs.replace(
        Measurement.of("refusals", None, alpha=0.001), base=None, labelled=None
    )
    assert set(json.loads(old.canonical())) == {
        "format", "kind", "set_sha256", "alpha", "controls", "code"
    }  # fmt: skip
    for base in (None, files["other"]):
        part = refusals_part(files["teacher"], files["suspect"], base, plan=old)
        name = tmp_path / f"old-{base is None}"
        assert verify(seal(name, [part], signing_key=KEY).path, KEY.public).parts
