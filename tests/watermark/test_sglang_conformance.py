"""SGLang 0.5.23 and we give the same words, tokens and scores (data/SOURCE says how)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.watermark import GumbelMark, LayerMark, MarkKey, SglangMark, detect
from stillwatch.watermark.mark import Int64s, Logits
from stillwatch.watermark.prf import SGLANG, words

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def vectors() -> Any:
    packed = (Path(__file__).parent / "data" / "sglang_0_5_23.json.gz").read_bytes()
    return json.loads(gzip.decompress(packed))


def mark_of(key: str, context: int) -> GumbelMark:
    return GumbelMark(MarkKey(int(key, 16), "e", "c"), context, SGLANG)


def dual_of(vectors: Any, key: str, context: int) -> SglangMark:
    other = mark_of(vectors["key_b"], context)
    return SglangMark(other, mark_of(key, context), 1 - vectors["mixing"])


def logits_of(vectors: Any) -> Logits:
    row, token = np.arange(vectors["rows"])[:, None], np.arange(vectors["vocabulary"])
    out: Logits = (((token * token * 7919 + row * 104_729 + token * 31) % 65) / 4 - 8).astype("f4")
    return out


def test_words_are_those_of_sglang_bit_for_bit(vectors: Any) -> None:
    compared = 0
    for vector in vectors["words"]:
        contexts, theirs = np.array(vector["contexts"]), np.array(vector["words"])
        for token, column in zip(vectors["tokens"], theirs.T, strict=True):
            at = np.full(len(contexts), token)
            assert words(SGLANG, int(vector["key"], 16), contexts, at).tolist() == column.tolist()
            compared += len(column)
    assert compared == 5 * 7 * 6 * 7


def test_a_context_that_lacks_its_first_tokens_is_a_shorter_one() -> None:
    token = np.array([7])
    short = words(SGLANG, 5, np.array([[3, 4]]), token)
    assert words(SGLANG, 5, np.array([[-1, -1, 3, 4]]), token) == short
    assert words(SGLANG, 5, np.array([[0, 0, 3, 4]]), token) != short


def test_the_same_logits_give_the_token_that_sglang_selects(vectors: Any) -> None:
    logits = logits_of(vectors)
    for vector in vectors["sampled"]:
        contexts: Int64s = np.array(vector["contexts"])
        dual = vector["dual"]
        mark = (dual_of if dual else lambda _, *of: mark_of(*of))(  # type: ignore[no-untyped-call]
            vectors, vector["key"], contexts.shape[1]
        )
        said = mark.sample(logits, contexts, temperature=vector["temperature"], top_k=None, rng=RNG)
        assert said.tolist() == vector["tokens"]


def test_after_a_top_k_and_a_temperature_it_is_that_token_too(vectors: Any) -> None:
    row, token = np.arange(vectors["rows"])[:, None], np.arange(vectors["vocabulary"])
    logits = ((token * 7_919 + row * 31) % vectors["vocabulary"] / 100).astype(np.float32)
    for vector in vectors["top"]:
        contexts = np.array(vector["contexts"])
        mark = mark_of(vector["key"], contexts.shape[1])
        said = mark.sample(logits, contexts, temperature=0.75, top_k=vectors["top_k"], rng=RNG)
        assert said.tolist() == vector["tokens"]


def test_a_text_has_the_score_and_the_p_value_of_sglangs_detector(vectors: Any) -> None:
    for vector in vectors["detected"]:
        tokens, width = np.array(vector["tokens"]), vector["width"]
        marks: list[GumbelMark | LayerMark] = [mark_of(vector["key"], width)]
        theirs = [vector["a"]]
        if vector["dual"]:
            everybody, cluster = dual_of(vectors, vector["key"], width).layers
            marks += [cluster, everybody]
            theirs += [vector["a_part"], vector["b_part"]]
        found = detect(tokens, marks, decoys=0, prefix=False)
        for said, known in zip(found, theirs, strict=True):
            assert said.scored == known["scored"]
            assert said.total == pytest.approx(known["score"], rel=1e-12)
            assert said.log10_p is not None
            assert said.log10_p * np.log(10) == pytest.approx(known["ln_p"], rel=1e-9)


def test_what_sglang_cannot_mix_is_refused() -> None:
    one, wide = mark_of("1", 2), mark_of("2", 4)
    with pytest.raises(ValueError, match="one width"):
        SglangMark(one, wide)
    with pytest.raises(ValueError, match="nothing else"):
        SglangMark(one, GumbelMark(MarkKey(2, "e", "c"), 2))
    with pytest.raises(ValueError, match="keys of their own"):
        SglangMark(one, one)
    with pytest.raises(ValueError, match="share"):
        SglangMark(one, mark_of("2", 2), 1.0)
