"""The hook for Hugging Face within `generate`. Not collected: `make smoke-proof` runs it, in an
environment that has torch and transformers.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from stillwatch.watermark import detect
from stillwatch.watermark.hooks import Marks
from stillwatch.watermark.hooks.huggingface import MarkingConfig, MarkProcessor

ALICE, BOB = "a" * 16, "b" * 16


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=512, initializer_range=0.3,
        bos_token_id=0, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def written(model: Any, config: Any, prompts: Any, **fields: Any) -> Any:
    out = model.generate(
        prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=200,
        watermarking_config=config, **fields,
    )  # fmt: skip
    return out[:, prompts.shape[1] :].numpy()


PROMPTS = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])


@pytest.mark.parametrize(
    "warped", [{}, {"temperature": 0.8, "top_k": 40}, {"top_p": 0.9, "top_k": 0}]
)
def test_each_row_of_generate_carries_its_own_mark(
    model: Any, marks: Marks, warped: dict[str, Any]
) -> None:
    found = [marks.mark_for("radioactive", cluster=who) for who in (ALICE, BOB)]
    config = MarkingConfig(found, greedy=False)
    texts = written(model, config, PROMPTS, do_sample=True, **warped)
    assert config.processor.unmarked == [None, None]
    for row, text in enumerate(texts):
        for at, each in enumerate(found):
            (seen,) = detect(text.astype(np.int64), [each.mark])
            assert (seen.log10_p < -6) == (row == at), (row, at, seen)


def test_no_token_is_forced_that_the_warpers_ruled_out(model: Any, marks: Marks) -> None:
    config = MarkingConfig([marks.mark_for("provenance")], greedy=False)
    texts = written(model, config, PROMPTS, do_sample=True, top_k=3)
    logits = model(torch.cat([PROMPTS, torch.from_numpy(texts)], 1)).logits[:, 3:-1]
    ranks = (logits > logits.gather(2, torch.from_numpy(texts)[..., None])).sum(-1)
    assert ranks.max() < 3


def test_greedy_rows_are_left_as_they_are_and_recorded(model: Any, marks: Marks) -> None:
    config = MarkingConfig([marks.mark_for("provenance")], greedy=True)
    plain = written(model, None, PROMPTS, do_sample=False)
    assert (written(model, config, PROMPTS, do_sample=False) == plain).all()
    assert config.processor.unmarked == ["greedy"]


def test_several_answers_to_one_prompt_differ_and_each_is_marked(model: Any, marks: Marks) -> None:
    found = marks.mark_for("radioactive", cluster=ALICE)
    texts = written(
        model, MarkingConfig([found], greedy=False), PROMPTS[:1], do_sample=True, top_k=0,
        num_return_sequences=4,
    )  # fmt: skip
    assert len({tuple(text.tolist()) for text in texts}) == 4
    for text in texts:
        assert detect(text.astype(np.int64), [found.mark])[0].log10_p < -4


def test_a_processor_is_for_one_call(marks: Marks) -> None:
    processor = MarkProcessor([marks.mark_for("provenance")], greedy=False)
    processor(torch.zeros((1, 5), dtype=torch.long), torch.zeros((1, 9)))
    with pytest.raises(ValueError, match="a processor is for one"):
        processor(torch.zeros((1, 4), dtype=torch.long), torch.zeros((1, 9)))
    with pytest.raises(ValueError, match="one word about greedy"):
        MarkProcessor([marks.mark_for("provenance")], greedy=[True, False])


def test_keys_are_in_no_copy_of_the_configuration(marks: Marks) -> None:
    config = GenerationConfig(
        watermarking_config=MarkingConfig([marks.mark_for("provenance")], greedy=False)
    )
    key = marks.mark_for("provenance").mark.key.value  # type: ignore[union-attr]
    shown = repr(config.watermarking_config) + str(dict(config.watermarking_config))
    assert "stillwatch" in shown
    assert not {str(key), f"{key:x}"} & set(re.findall(r"\w+", shown))
