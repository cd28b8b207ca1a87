"""vLLM 0.33.0 and we give the same numbers, tokens and scores (data/SOURCE says how they came)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.watermark import GumbelMark, MarkKey, detect
from stillwatch.watermark.prf import uniforms

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def vectors() -> Any:
    packed = (Path(__file__).parent / "data" / "vllm_0_33_0.json.gz").read_bytes()
    return json.loads(gzip.decompress(packed))


def test_uniform_numbers_are_those_of_vllm_bit_for_bit(vectors: Any) -> None:
    compared = 0
    for vector in vectors["uniforms"]:
        contexts, theirs = np.array(vector["contexts"]), np.array(vector["uniforms"], np.float32)
        for token, column in zip(vectors["tokens"], theirs.T, strict=True):
            at = np.full(len(contexts), token)
            ours = uniforms("philox4x32-10-v1", vector["key"], contexts, at)
            assert ours.tolist() == column.tolist()
            compared += len(ours)
    assert compared == 5 * 8 * 6 * 8


def test_the_same_logits_give_the_token_that_vllm_samples(vectors: Any) -> None:
    row = np.arange(vectors["rows"])[:, None]
    token = np.arange(vectors["vocabulary"])
    logits = (((token * token * 7919 + row * 104_729 + token * 31) % 65) / 4 - 8).astype(np.float32)
    for vector in vectors["sampled"]:
        contexts = np.array(vector["contexts"])
        mark = GumbelMark(MarkKey(vector["key"], "e", "c"), contexts.shape[1])
        said = mark.sample(logits, contexts, temperature=vector["temperature"], top_k=None, rng=RNG)
        assert said.tolist() == vector["tokens"]


def test_a_text_has_the_score_and_the_p_value_of_vllms_detector(vectors: Any) -> None:
    for vector in vectors["detected"]:
        mark = GumbelMark(MarkKey(vector["key"], "e", "c"), vector["width"])
        once = "context" if vector["deduplicated"] else "never"
        [said] = detect(np.array(vector["tokens"]), [mark], once=once, decoys=0)
        assert said.scored == vector["scored"]
        assert said.total == pytest.approx(vector["score"], rel=1e-7)
        assert said.log10_p is not None
        assert 10**said.log10_p == pytest.approx(vector["p"], rel=1e-4)
