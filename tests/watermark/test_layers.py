"""Two layers: a global key proves theft, a cluster key says whose, each on its own contexts."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.watermark import GLOBAL, GumbelMark, KeyRing, LayeredMark, detect
from stillwatch.watermark.windows import contexts_of, counted
from tests.watermark.conftest import VOCABULARY, write

RNG = np.random.default_rng(0)


def layered(
    ring: KeyRing, cluster: str, *, wide: int = 4, narrow: int = 1, share: float = 0.5
) -> LayeredMark:
    return LayeredMark(
        GumbelMark(ring.key(GLOBAL), wide), GumbelMark(ring.key(cluster), narrow), share
    )


@pytest.mark.parametrize(("wide", "narrow"), [(4, 1), (1, 2), (2, 2)])
def test_a_text_shows_the_global_key_and_its_own_cluster_alone(
    ring: KeyRing, wide: int, narrow: int
) -> None:
    mine, other = (layered(ring, c, wide=wide, narrow=narrow) for c in ("mine", "other"))
    [text] = write([mine], 250)
    theft, whose, theft_again, not_theirs = detect(text, [mine, other])
    assert theft == theft_again
    assert theft.mark.key.cluster == GLOBAL
    assert whose.mark.key.cluster == "mine"
    assert (theft.corrected_log10_p or 0) < -20
    assert (whose.corrected_log10_p or 0) < -20
    assert (not_theirs.log10_p or 0) > -4
    assert theft.decoy_rank == whose.decoy_rank == 1
    for said in (theft, whose):
        contexts = contexts_of(text, said.mark.context, counted(text, said.mark.context))
        assert said.scored == said.mark.carries(contexts).sum() < len(contexts)


def test_each_context_belongs_to_one_layer_and_each_layer_has_its_share(ring: KeyRing) -> None:
    for share in (0.5, 0.2):
        mark = layered(ring, "c", share=share)
        contexts = RNG.integers(0, VOCABULARY, (20_000, 4))
        first, second = (layer.carries(contexts[:, -layer.context :]) for layer in mark.layers)
        assert (first ^ second).all()
        # one coin for each last token, so that few of them decide
        assert first.mean() == pytest.approx(share, abs=5 * 0.5 / np.sqrt(VOCABULARY))
        wide = layered(ring, "c", narrow=4, share=share).layers[0].carries(contexts)
        assert wide.mean() == pytest.approx(share, abs=5 * 0.5 / np.sqrt(20_000))


def test_each_row_is_sampled_under_the_layer_of_its_context(ring: KeyRing) -> None:
    mark = layered(ring, "c", wide=2)
    logits = RNG.normal(0, 1, (200, VOCABULARY)).astype(np.float32)
    contexts = RNG.integers(0, VOCABULARY, (200, 2))
    said = mark.sample(logits, contexts, rng=RNG)
    heads = mark.coin.toss(contexts)
    assert 20 < heads.sum() < 180
    by_global = mark.global_mark.sample(logits, contexts, rng=RNG)
    by_cluster = mark.cluster_mark.sample(logits, contexts[:, 1:], rng=RNG)
    assert said.tolist() == np.where(heads, by_global, by_cluster).tolist()
    assert [m.key.cluster for m in mark.layer_of(contexts)] == [
        GLOBAL if head else "c" for head in heads
    ]


def test_another_key_of_a_layer_leaves_the_coin_where_it_was(ring: KeyRing) -> None:
    for layer in layered(ring, "c").layers:
        decoy = layer.with_key(ring.key("decoy"))
        contexts = RNG.integers(0, VOCABULARY, (500, layer.context))
        assert decoy.key == ring.key("decoy")
        assert (decoy.carries(contexts) == layer.carries(contexts)).all()


def test_layers_that_cannot_be_are_refused(ring: KeyRing) -> None:
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match="share"):
            layered(ring, "c", share=share)
    with pytest.raises(ValueError, match="keys of their own"):
        layered(ring, GLOBAL)
    logits = np.zeros((2, VOCABULARY), np.float32)
    with pytest.raises(ValueError, match="contexts are"):
        layered(ring, "c").sample(logits, np.zeros((2, 3), np.int64), rng=RNG)
