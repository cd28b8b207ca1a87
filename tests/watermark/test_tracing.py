"""Tracing: whose keys fed a text is named, with one plan for one evidence, and nobody else is."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from stillwatch.errors import EvidenceSpentError
from stillwatch.statistics import gamma_tail, holm_log10
from stillwatch.watermark import (
    GLOBAL,
    ClusterHypothesis,
    Evidence,
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayeredMark,
    SglangMark,
    Trace,
    TracePlan,
    trace,
)
from tests.watermark.conftest import write

NAMES = [f"c-{i}" for i in range(40)]


def joined(name: str, *members: str) -> ClusterHypothesis:
    return ClusterHypothesis(name, members, "campaign 7 sha256:00")


@pytest.fixture
def mark(ring: KeyRing) -> GumbelMark:
    return GumbelMark(ring.key("any"), 1)


@pytest.fixture
def swarm(ring: KeyRing) -> Evidence:
    """Six clusters fed a little of a text each; most of it is of nobody."""
    fed = write([GumbelMark(ring.key(name), 1) for name in NAMES[:6]], 16)
    return Evidence.of_texts([*fed, *write([None] * 10, 100, seed=4)], 1)


def test_the_cluster_that_fed_a_text_is_named_and_no_other(ring: KeyRing, mark: GumbelMark) -> None:
    texts = write([GumbelMark(ring.key("c-7"), 1), None, None], 120)
    said = trace(Evidence.of_texts(texts, 1), TracePlan.of(ring, mark, NAMES), ring)
    assert [each.name for each in said.found] == ["c-7"]
    best = next(iter(said))
    assert best == said["c-7"]
    assert best.decoy_rank == 1
    assert best.decoys == 1_000
    assert len(said) == len(list(said)) == len(NAMES)
    assert min(each.decoy_rank or 0 for each in said if not each.found) > 1


def test_each_number_is_that_of_its_definition(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence
) -> None:
    right, wrong = joined("right", *NAMES[:6]), joined("wrong", *NAMES[10:16])
    said = trace(swarm, TracePlan.of(ring, mark, NAMES, hypotheses=[right, wrong]), ring)
    n = said.scored
    totals = [
        GumbelMark(ring.key(name), 1).scores(swarm.contexts, swarm.tokens).sum()
        for name in said.names
    ]
    assert said.names == tuple(sorted(NAMES))
    assert said.totals == pytest.approx(totals, rel=1e-6)
    assert said.log10_p == pytest.approx(gamma_tail(said.totals, n))
    own = [[said[name].total for name in each.members] for each in (right, wrong)]
    together = [float(gamma_tail(sum(some), n * 6)) for some in own]
    assert [each.log10_p for each in said.hypotheses] == pytest.approx(together)
    # two entries more, which are never rejected whole: the counts of members
    family = holm_log10([*said.log10_p, *together, 0.0, 0.0])
    assert [*said.corrected_log10_p] == pytest.approx(family[: len(NAMES)])
    assert [each.corrected_log10_p for each in said.hypotheses] == pytest.approx(
        family[len(NAMES) : -2]
    )
    # fewer than two took part: the most lenient of all sets of five
    for each, some in zip(said.hypotheses, own, strict=True):
        five = max(float(gamma_tail(sum(five), n * 5)) for five in combinations(some, 5))
        assert each.log10_p_beside == pytest.approx(five)


def test_what_no_member_shows_alone_their_sum_does(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence
) -> None:
    hypotheses = [joined("right", *NAMES[:6]), joined("wrong", *NAMES[10:16])]
    said = trace(swarm, TracePlan.of(ring, mark, NAMES, hypotheses=hypotheses), ring)
    right, wrong = said.hypotheses
    assert said.found == []
    assert right.found
    assert right.at_least >= 1
    assert right.decoy_rank == 1
    assert right.decoys == 1_000 // 6
    assert not wrong.found
    assert wrong.at_least == 0


def test_one_guilty_member_is_no_swarm(ring: KeyRing, mark: GumbelMark) -> None:
    texts = [*write([GumbelMark(ring.key("c-0"), 1)], 150), *write([None] * 2, 100, seed=4)]
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=[joined("six", *NAMES[:6])])
    [six] = trace(Evidence.of_texts(texts, 1), plan, ring).hypotheses
    assert six.found
    assert six.log10_p_beside > -2
    assert six.at_least == 1


def test_members_that_show_alone_are_counted(ring: KeyRing, mark: GumbelMark) -> None:
    """Two of many: the sum of the others with either of them drowns in what is chance."""
    texts = write([GumbelMark(ring.key(name), 1) for name in NAMES[:2]], 45)
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=[joined("all", *NAMES)])
    said = trace(Evidence.of_texts([*texts, *write([None], 40, seed=4)], 1), plan, ring)
    assert said.hypotheses[0].log10_p_beside > -3  # and 10^-3.6 is what it takes
    assert said.hypotheses[0].at_least == len(said.found) == 2


def test_the_order_of_clusters_texts_and_hypotheses_does_not_matter(
    ring: KeyRing, mark: GumbelMark
) -> None:
    texts = write([GumbelMark(ring.key(name), 1) for name in NAMES[:3]], 40)
    two = [joined("a", *NAMES[:3]), joined("b", *NAMES[2:5])]
    one = TracePlan.of(ring, mark, NAMES, hypotheses=two)
    turned = TracePlan.of(ring, mark, [*NAMES[::-1], *NAMES], hypotheses=two[::-1])
    assert one == turned
    assert one.digest == turned.digest
    evidences = [Evidence.of_texts(some, 1) for some in (texts, texts[::-1])]
    assert evidences[0].digest == evidences[1].digest
    said = [trace(evidence, one, ring) for evidence in evidences]
    assert list(said[0]) == list(said[1])
    assert said[0].hypotheses == said[1].hypotheses


def test_a_trace_in_blocks_of_keys_is_the_same(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=[joined("right", *NAMES[:6])], decoys=60)
    whole = trace(swarm, plan, ring)
    for block in (7, 40, 41):
        monkeypatch.setattr("stillwatch.watermark.tracing._BLOCK", block)
        parts = trace(swarm, plan, ring)
        assert list(parts) == list(whole)
        assert parts.hypotheses == whole.hypotheses


def test_progress_is_told_of_every_key(ring: KeyRing, mark: GumbelMark, swarm: Evidence) -> None:
    told: list[int] = []

    class Told:
        def step(self, name: str, total: int | None = None) -> None:
            told.append(-(total or 0))

        def advance(self, done: int) -> None:
            told.append(done)

    trace(swarm, TracePlan.of(ring, mark, NAMES, decoys=100), ring, progress=Told())
    assert told[0] == -140
    assert sum(told) == 0


@pytest.mark.parametrize("layered", [False, True])
def test_keys_of_several_epochs_are_weighed_together(ring: KeyRing, layered: bool) -> None:
    """Half of the text is of an epoch before; a layer's coin turns with the epoch."""

    def at(epoch: str) -> GumbelMark | LayeredMark:
        here = ring.at(epoch)
        mark = GumbelMark(here.key("c-3"), 1)
        return LayeredMark(GumbelMark(here.key(GLOBAL), 2), mark) if layered else mark

    texts = write([at("2026-10"), at("2026-11")] * 4, 50)
    evidence = Evidence.of_texts(texts, 1)
    plan = TracePlan.of(ring, at("2026-11"), NAMES, epochs=["2026-11", "2026-10"])
    said = trace(evidence, plan, ring)
    assert [each.name for each in said.found] == ["c-3"]
    if layered:
        assert 0.8 * len(evidence) < said.scored < 1.2 * len(evidence)
    else:
        assert said.scored == 2 * len(evidence)
    scores = 0.0
    for here in map(ring.at, plan.epochs):
        mark = plan.mark_at(here).with_key(here.key("c-3"))
        carried = mark.carries(evidence.contexts)
        scores += float(mark.scores(evidence.contexts[carried], evidence.tokens[carried]).sum())
    assert said["c-3"].total == pytest.approx(scores)


def test_of_two_layers_only_the_clusters_own_contexts_are_scored(ring: KeyRing) -> None:
    marks = [
        LayeredMark(GumbelMark(ring.key(GLOBAL), 4), GumbelMark(ring.key(name), 1))
        for name in NAMES[:2]
    ]
    evidence = Evidence.of_texts(write([marks[0]] * 3, 80), 1)
    said = trace(evidence, TracePlan.of(ring, marks[1], NAMES), ring)
    assert [each.name for each in said.found] == [NAMES[0]]
    assert said.scored == int((~marks[0].coin.toss(evidence.contexts)).sum())


def test_a_green_list_is_traced_too(ring: KeyRing) -> None:
    mark = GreenListMark(ring.key("c-1", "green-list"), 1, delta=4.0)
    evidence = Evidence.of_texts(write([mark] * 3, 100), 1)
    said = trace(evidence, TracePlan.of(ring, mark, NAMES), ring)
    assert [each.name for each in said.found] == ["c-1"]


def test_a_second_plan_for_the_same_evidence_is_refused(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence
) -> None:
    plan = TracePlan.of(ring, mark, NAMES)
    first = trace(swarm, plan, ring)
    suggested = joined("suggested", *(each.name for each, _ in zip(first, "ab", strict=False)))
    second = TracePlan.of(ring, mark, NAMES, hypotheses=[suggested])
    for part in (swarm, *swarm.split(1)):
        with pytest.raises(EvidenceSpentError, match="held out"):
            trace(part, second, ring)
    assert list(trace(swarm, plan, ring)) == list(first)


def test_what_one_half_suggests_the_other_half_may_test(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence
) -> None:
    ours, held_out = swarm.split(9)
    assert len(ours) + len(held_out) == len(swarm)
    assert {*map(bytes, ours.contexts)} & {*map(bytes, held_out.contexts)} == set()
    assert 0.4 < len(ours) / len(swarm) < 0.6
    plans = [TracePlan.of(ring, mark, NAMES[:n]) for n in (10, 20, 30)]
    trace(ours, plans[0], ring)
    trace(held_out, plans[1], ring)
    quarter, _ = ours.split(9)
    other_split, _ = swarm.split(10)
    for part in (ours, held_out, swarm, quarter, other_split):
        with pytest.raises(EvidenceSpentError):
            trace(part, plans[2], ring)


def test_nothing_is_said_of_an_evidence_that_is_refused_or_too_small(
    ring: KeyRing, mark: GumbelMark
) -> None:
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=[joined("h", *NAMES[:3])])
    for text in ([], [3], [1, 2, 3, 4]):
        said = trace(Evidence.of_texts([np.array(text, np.int64)], 1), plan, ring)
        assert said.abstained is not None
        assert "windows to score" in said.abstained
        assert list(said) == said.found == list(said.hypotheses) == []
        with pytest.raises(KeyError):
            said["c-1"]


def test_a_plan_is_held_against_ring_epoch_and_context(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence
) -> None:
    plan = TracePlan.of(ring, mark, NAMES)
    with pytest.raises(ValueError, match="another master"):
        trace(swarm, plan, KeyRing(bytes(32), ring.epoch))
    with pytest.raises(ValueError, match="another master"):
        trace(swarm, plan, KeyRing(bytes(range(32)), ring.epoch, tenant="else"))
    with pytest.raises(ValueError, match="the ring is of 2027-01, the plan asks of 2026-11"):
        trace(swarm, plan, ring.at("2027-01"))
    with pytest.raises(ValueError, match="contexts of 1 tokens, the mark of 2"):
        trace(swarm, TracePlan.of(ring, GumbelMark(mark.key, 2), NAMES), ring)
    # none of these was a look
    trace(swarm, TracePlan.of(ring, mark, NAMES[:5]), ring)


def test_a_plan_that_asks_nothing_sensible_is_refused(ring: KeyRing, mark: GumbelMark) -> None:
    for wrong, clusters, rest in (
        ("names the clusters", [], {}),
        ("traces nobody", [*NAMES, GLOBAL], {}),
        ("called ''", [*NAMES, ""], {}),
        ("called '\\*x'", [*NAMES, "*x"], {}),
        ("is no cluster of the plan", NAMES, {"hypotheses": [joined("h", "c-1", "who")]}),
        ("are called 'h'", NAMES, {"hypotheses": [joined("h", *NAMES[:2])] * 2}),
        ("alpha lies", NAMES, {"alpha": 1.0}),
        ("fewer decoys", NAMES, {"decoys": -1}),
    ):
        with pytest.raises(ValueError, match=wrong):
            TracePlan.of(ring, mark, clusters, **rest)  # type: ignore[arg-type]


def test_the_digest_of_a_plan_changes_with_everything_that_is_asked(
    ring: KeyRing, mark: GumbelMark
) -> None:
    two = joined("h", *NAMES[:2])
    plans = [
        TracePlan.of(ring, mark, NAMES),
        TracePlan.of(ring, mark, NAMES[1:]),
        TracePlan.of(ring, mark, NAMES, alpha=0.02),
        TracePlan.of(ring, mark, NAMES, decoys=999),
        TracePlan.of(ring, mark, NAMES, hypotheses=[two]),
        TracePlan.of(ring, mark, NAMES, hypotheses=[joined("g", *NAMES[:2])]),
        TracePlan.of(ring, mark, NAMES, hypotheses=[ClusterHypothesis("h", two.members, "else")]),
        TracePlan.of(ring, mark, NAMES, epochs=["2026-10"]),
        TracePlan.of(ring, GumbelMark(mark.key, 2), NAMES),
        TracePlan.of(ring, GumbelMark(mark.key, 1, "premix-v1"), NAMES),
        TracePlan.of(KeyRing(bytes(32), "2026-11"), mark, NAMES),
        TracePlan.of(ring, LayeredMark(GumbelMark(ring.key(GLOBAL), 2), mark), NAMES),
        TracePlan.of(ring, LayeredMark(GumbelMark(ring.key(GLOBAL), 2), mark, 0.4), NAMES),
    ]
    assert len({plan.digest for plan in plans}) == len(plans)
    assert TracePlan.of(ring, mark.with_key(ring.key("other")), NAMES).digest == plans[0].digest


def test_decoys_may_be_left_out(ring: KeyRing, mark: GumbelMark, swarm: Evidence) -> None:
    hypotheses = [joined("h", *NAMES[:3])]
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=hypotheses, decoys=0)
    said: Trace = trace(swarm, plan, ring)
    assert {each.decoy_rank for each in said} == {None} == {said.hypotheses[0].decoy_rank}


def test_a_large_hypothesis_has_decoys_enough(
    ring: KeyRing, mark: GumbelMark, swarm: Evidence
) -> None:
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=[joined("all", *NAMES)], decoys=100)
    said = trace(swarm, plan, ring)
    assert said.hypotheses[0].decoys == 99
    assert {each.decoys for each in said} == {100}


def test_looks_at_a_file_are_kept_for_those_who_come_later(
    ring: KeyRing, mark: GumbelMark, tmp_path: Path
) -> None:
    record = tmp_path / "texts.jsonl.looks"
    texts = write([None] * 3, 60)
    plans = [TracePlan.of(ring, mark, NAMES[:n]) for n in (10, 20)]

    def look(some: object, plan: TracePlan) -> None:
        trace(Evidence.of_texts(some, 1), plan, ring, record=record)  # type: ignore[arg-type]

    look(texts, plans[0])
    look(texts, plans[0])
    assert len(record.read_text().splitlines()) == 1
    with pytest.raises(EvidenceSpentError, match="under another plan") as spent:
        look(texts, plans[1])
    assert spent.value.code == "SW110"
    for plan in plans:
        with pytest.raises(EvidenceSpentError, match="held something else"):
            look(texts[:2], plan)
    assert len(record.read_text().splitlines()) == 1


def test_halves_of_a_file_are_two_looks(ring: KeyRing, mark: GumbelMark, tmp_path: Path) -> None:
    record = tmp_path / "looks"
    texts = write([None] * 3, 60)
    plans = [TracePlan.of(ring, mark, NAMES[:n]) for n in (10, 20)]
    for half in (0, 1):
        trace(Evidence.of_texts(texts, 1).split(3)[half], plans[half], ring, record=record)
    for part in (Evidence.of_texts(texts, 1), Evidence.of_texts(texts, 1).split(4)[0]):
        with pytest.raises(EvidenceSpentError):
            trace(part, plans[0], ring, record=record)


def test_a_suspect_that_copies_marked_prompts_is_not_traced_to_their_readers(
    ring: KeyRing, mark: GumbelMark
) -> None:
    """It was never trained on them: it was asked about them."""
    prompts = write([GumbelMark(ring.key("c-7"), 1)] * 4, 100)
    rng = np.random.default_rng(3)
    answers = [np.concatenate([text[20:60], rng.integers(0, 500, 40)]) for text in prompts]
    plan = TracePlan.of(ring, mark, NAMES)
    said = trace(Evidence.of_answers(zip(prompts, answers, strict=True), 1), plan, ring)
    assert said.scored > 100
    assert said.found == []
    copied = trace(Evidence.of_texts(answers, 1), plan, ring)
    assert [each.name for each in copied.found] == ["c-7"]


def test_layers_whose_coin_is_the_clusters_own_are_refused(ring: KeyRing) -> None:
    prf = "murmur3-32-sglang-v1"
    marks = [GumbelMark(ring.key(name, "gumbel-murmur3"), 2, prf) for name in (GLOBAL, "c-1")]
    with pytest.raises(ValueError, match="look for each with detect"):
        TracePlan.of(ring, SglangMark(*marks), NAMES)
