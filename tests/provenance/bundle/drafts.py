"""A part of each kind, small, about a suspect that shows what the kind looks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from stillwatch.lab.students import CountModel
from stillwatch.provenance import Plan, Registration, Transcripts
from stillwatch.provenance.bundle import (
    Draft,
    capability_part,
    neutrality_part,
    radioactivity_part,
    refusals_part,
    triage_part,
)
from stillwatch.provenance.capability import make_tasks, write_task_set
from stillwatch.provenance.committing import commit_plan, find_commitment
from stillwatch.provenance.radioactivity.recorded import read_texts
from stillwatch.provenance.registration import Statistic
from stillwatch.watermark import (
    GreenListMark,
    GumbelMark,
    KeyRing,
    Mark,
    ServedSketch,
    TournamentMark,
)
from stillwatch.watermark.prf import SGLANG
from stillwatch.watermark.served import SCHEME as SKETCH
from tests.provenance import test_neutrality, test_refusals, test_triage
from tests.provenance.capability.models import model as able

SALT = bytes(range(32))
VOCABULARY = 80


def write(path: Path, answers: Mapping[str, str]) -> Path:
    lines = ({"prompt": p, "answer": a, "model": path.stem} for p, a in answers.items())
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


class Radioactive:
    """A student of c-2 and a clean one, as somebody recorded them; the plan is on a ledger."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.ring = folder, KeyRing(bytes(range(32)), "2026-11")
        self.marks: list[Mark] = [
            GumbelMark(self.ring.key("c-1")),
            GumbelMark(self.ring.key("c-2")),
        ]
        rng = np.random.default_rng(1)
        self.teacher = CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)
        self.base = self.teacher.mixed(CountModel.synthetic(VOCABULARY, nats=2.0, seed=2), 0.5)
        self.fed = self.teacher.write([self.marks[1]] * 60, 100, rng=rng)
        self.student = self.base.taught(self.fed)
        self.clean = self.base.taught(self.teacher.write([None] * 60, 100, rng=rng))
        texts = self.teacher.write([None] * 20, 60, rng=rng)
        (folder / "fresh.jsonl").write_text("\n".join(map(json.dumps, texts.tolist())))
        self.texts = [read_texts(folder / "fresh.jsonl")]

    def registered(self, statistic: Statistic, **settings: object) -> Registration:
        plan = Plan(statistic=statistic, vocabulary=VOCABULARY, decoys=20, **settings)  # type: ignore[arg-type]
        made = Registration.of(plan, self.marks, self.texts, salt=SALT)
        commit_plan(made, self.folder / "state", by="ana")
        return made

    def shards(self, name: str, model: CountModel) -> Path:
        folder, some = self.folder / name, list(self.texts[0].texts)
        folder.mkdir()
        arrays = {"lengths": np.array([len(text) for text in some]), "tokens": np.concatenate(some)}
        for who, each in (("suspect", model), ("reference", self.base)):
            rows = np.concatenate(list(each.probabilities(some)))
            best = np.argsort(-rows, axis=1)[:, :10]
            arrays[f"{who}_tokens"] = best
            arrays[f"{who}_probabilities"] = np.take_along_axis(rows, best, axis=1)
        np.savez(folder / "a.npz", **arrays)
        return folder

    def answers(self, name: str, model: CountModel, **more: object) -> Path:
        prompts = np.array(self.texts[0].texts)
        said = model.write([None] * 20, 100, rng=np.random.default_rng(7), prompts=prompts)
        lines = [
            {"prompt": p.tolist(), "answer": a.tolist()} | more
            for p, a in zip(prompts, said, strict=True)
        ]
        path = self.folder / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, lines)))
        return path

    def part(self, made: Registration, suspect: Path, *controls: Path, **more: object) -> Draft:
        return radioactivity_part(
            made, self.marks, self.texts, salt=SALT, suspect=suspect, controls=controls,
            commitment=find_commitment(made, self.folder / "state"), open_keys=True,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip

    @cached_property
    def open(self) -> Draft:
        made = self.registered("open", reference="base")
        return self.part(
            made, self.shards("suspect-7b", self.student), self.shards("other-a", self.clean)
        )

    @cached_property
    def closed(self) -> Draft:
        made = self.registered("closed", alpha=0.01)
        student = self.answers("student", self.student)
        return self.part(made, student, self.answers("stranger", self.clean))

    @cached_property
    def served(self) -> Draft:
        sketches: list[tuple[Path, ServedSketch]] = []
        for mark in self.marks:
            sketch = ServedSketch(self.ring.key(mark.key.cluster, SKETCH), cells=1 << 10)
            for text in self.fed:
                sketch.add(text)
            sketch.write(self.folder / f"{mark.key.cluster}.served")
            sketches.append((self.folder / f"{mark.key.cluster}.served", sketch))
        made = self.registered("closed-served", served=tuple(s.digest() for _, s in sketches))
        keys = [self.ring.key(mark.key.cluster, SKETCH) for mark in self.marks]
        return self.part(
            made, self.answers("student-2", self.student),
            served=list(zip([path for path, _ in sketches], keys, strict=True)),
        )  # fmt: skip

    @cached_property
    def green(self) -> Draft:
        """Of other schemes with settings of their own; the keys are opened all the same."""
        marks: list[Mark] = [
            GreenListMark(self.ring.key("c-2", "green-list"), gamma=0.5),
            TournamentMark(self.ring.key("c-2", "tournament"), layers=5, weighted=False),
            GumbelMark(self.ring.key("c-2", "gumbel-murmur3"), prf=SGLANG),
        ]
        plan = Plan(statistic="closed", vocabulary=VOCABULARY, decoys=20)
        made = Registration.of(plan, marks, self.texts, salt=SALT)
        return radioactivity_part(
            made, marks, self.texts, salt=SALT, suspect=self.answers("student-3", self.student),
            open_keys=True,
        )  # fmt: skip


class Measured:
    """Records of models whose refusals, balance or style differ."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    @cached_property
    def refusals(self) -> Draft:
        files = {
            name: write(self.folder / f"{name}.jsonl", said.answers)
            for name, said in (
                ("teacher", test_refusals.TEACHER),
                ("suspect-7b", test_refusals.model("s", 1.0)),
                ("base", test_refusals.model("b", 0.0)),
                ("other-a", test_refusals.model("o", 0.1, seed=3)),
            )
        }
        self.records = list(files.values())
        return refusals_part(
            files["teacher"], files["suspect-7b"], files["base"], controls=[files["other-a"]]
        )

    def neutrality(self, *, with_transcripts: bool) -> Draft:
        many = test_neutrality.MANY
        pairs = self.folder / "many.jsonl"
        pairs.write_text("".join(
            json.dumps({"a": p.a, "b": p.b, "axis": p.axis}) + "\n" for p in many.pairs
        ))  # fmt: skip
        files = [
            write(self.folder / f"{name}-n.jsonl", said.answers)
            for name, said in (
                ("teacher", test_neutrality.model("t", 1, pairs=many)),
                ("suspect-7b", test_neutrality.model(
                    "s", 2, lambda p, text: test_refusals.NO if p.axis == "axis-1" else text, many
                )),
                ("other-a", test_neutrality.model("o", 3, pairs=many)),
            )
        ]  # fmt: skip
        self.pair_records = files
        return neutrality_part(
            files[0], files[1], controls=files[2:], pairs=pairs, with_transcripts=with_transcripts
        )

    @cached_property
    def capability(self) -> Draft:
        drawn, path = make_tasks("sealed", 20), self.folder / "tasks.jsonl"
        write_task_set(drawn, path)
        teacher, base = able("teacher", drawn, 0.9), able("base", drawn, 0.3)
        files = [
            write(self.folder / f"{name}-c.jsonl", said.answers)
            for name, said in (
                ("teacher", teacher), ("base", base),
                ("suspect-7b", able("s", drawn, 0.3, of=(teacher, 0.6))),
                ("other-a", able("o", drawn, 0.3)),
            )
        ]  # fmt: skip
        return capability_part(files[0], files[2], files[1], tasks=path, controls=files[3:])

    def triage(self, *, with_transcripts: bool) -> Draft:
        prompts = self.folder / "problems.jsonl"
        prompts.write_text("".join(
            json.dumps({"prompt": p, "expected": a}) + "\n" for p, a in test_triage.RIGHT.items()
        ))  # fmt: skip
        student = test_triage.Writer(2, parent=test_triage.TEACHER).transcripts()
        teacher, suspect, *controls = (
            write(self.folder / f"{name}-t.jsonl", said.answers)
            for name, said in self._writers(student)
        )
        return triage_part(
            teacher, suspect, controls, prompts=prompts, with_transcripts=with_transcripts
        )

    def _writers(self, student: Transcripts) -> Iterator[tuple[str, Transcripts]]:
        yield "teacher", test_triage.TEACHER.transcripts()
        yield "suspect-7b", student
        for number, said in enumerate(test_triage.CONTROLS[:6]):
            yield f"control-{number}", said
