"""What provenance gathers of an open suspect can be traced: the clusters whose keys fed it."""

from __future__ import annotations

import numpy as np

from stillwatch.lab.students import CountModel
from stillwatch.provenance import TextSet
from stillwatch.provenance.radioactivity.evidence import View, gather
from stillwatch.watermark import ClusterHypothesis, Evidence, GumbelMark, KeyRing, TracePlan, trace


def test_clusters_that_fed_an_open_suspect_are_found_alone_and_together() -> None:
    ring, rng = KeyRing(bytes(range(32)), "2026-11"), np.random.default_rng(1)
    names = [f"c-{i}" for i in range(24)]
    teacher = CountModel.synthetic(200, nats=2.5)
    big, small = ring.key(names[0]), [ring.key(name) for name in names[1:9]]
    marks = [GumbelMark(big)] * 40 + [GumbelMark(key) for key in small] * 10
    fed = teacher.write(marks, 50, rng=rng)
    clean = teacher.write([None] * 400, 50, rng=rng)
    suspect = teacher.taught([np.concatenate([*fed, *clean])])
    reference = teacher.taught([clean.ravel()])
    fresh = TextSet.of("fresh", teacher.write([None] * 60, 50, rng=rng))
    view = View(1, served=False)
    gathered = gather(suspect, fresh, [view], reference=reference, kept=32)[view]
    evidence = Evidence.of_weights(gathered.contexts, gathered.tokens, gathered.weights)
    hypotheses = [
        ClusterHypothesis("small", tuple(names[1:9]), "a scan"),
        ClusterHypothesis("none", tuple(names[12:20]), "a scan"),
    ]
    plan = TracePlan.of(ring, GumbelMark(big), names, hypotheses=hypotheses)
    said = trace(evidence, plan, ring)
    assert said.found[0].name == names[0]
    assert {each.name for each in said.found} <= {*names[:9]}
    assert {each.hypothesis.name: each.found for each in said.hypotheses} == {
        "small": True, "none": False,
    }  # fmt: skip
