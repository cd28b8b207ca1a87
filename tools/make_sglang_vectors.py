"""Conformance vectors of SGLang's watermark, made by running the published wheel's own code.

    python tools/make_sglang_vectors.py sglang-0.5.23-cp311-cp311-manylinux_2_34_x86_64.whl

Needs numpy, msgspec and torch (CPU). Of the wheel only ``sglang/srt/sampling/watermarking`` is run:
the selection in PyTorch, which the package has as the reference of its CUDA kernels, and the
detector, which needs no torch. The logits come from a formula, so that only what was chosen is
stored; the keys stand as SGLang takes them, in hexadecimal digits.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

TARGET = Path(__file__).parents[1] / "tests" / "watermark" / "data" / "sglang_0_5_23.json.gz"
VERSION = "0.5.23"
PACKAGE = "sglang/srt/sampling/watermarking/"
KEYS = (0, 1, 0x0123456789ABCDEF, 0xFEDCBA9876543210, 2**64 - 1)
KEY_B, MIXING = 0x5EED5EED5EED5EED, 0.375
WIDTHS = (1, 2, 3, 4, 5, 8, 16)
CONTEXTS, ROWS, VOCABULARY, TOP_K = 6, 24, 1031, 50
TOKENS = (0, 1, 2, 3, 31_999, 128_255, 2**31 - 1)


def load(wheel: Path, folder: Path) -> tuple[Any, Any]:
    """The wheel's modules of selection and of detection."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(PACKAGE):
                archive.extract(name, folder)
    for name in ("sglang", "sglang.srt", "sglang.srt.sampling"):
        module = types.ModuleType(name)
        module.__path__ = [str(folder.joinpath(*name.split(".")))]
        sys.modules.setdefault(name, module)
    from sglang.srt.sampling.watermarking import core, detector

    return core, detector


def logits(rows: int, vocabulary: int) -> torch.Tensor:
    """Quarters between -8 and 8 that a formula gives: exact in float32, and seldom equal."""
    row = np.arange(rows, dtype=np.int64)[:, None]
    token = np.arange(vocabulary, dtype=np.int64)
    values = (token * token * 7_919 + row * 104_729 + token * 31) % 65
    return torch.from_numpy((values / 4 - 8).astype(np.float32))


def selected(
    core: Any, scores: torch.Tensor, contexts: np.ndarray, key: str, temperature: float, dual: bool
) -> list[int]:
    """What the reference selection chooses among all tokens."""
    rows, lengths = len(scores), torch.full((len(scores),), contexts.shape[1])
    hashes = core._hash_contexts(torch.from_numpy(contexts), lengths)
    chances = torch.softmax(scores / temperature, dim=-1)
    keys = torch.full((rows,), core.parse_watermark_key(key))
    if not dual:
        return core.select_watermark_tokens_torch(chances, hashes, keys).tolist()
    keys_b = torch.full((rows,), core.parse_watermark_key(f"{KEY_B:016x}"))
    thresholds = torch.full((rows,), int(MIXING * 2**32))
    return core.select_watermark_tokens_torch(chances, hashes, keys, keys_b, thresholds).tolist()


def cut(core: Any, scores: torch.Tensor, contexts: np.ndarray, key: str) -> list[int]:
    """What is forced where a request has a temperature, a top k and nothing else."""
    rows = len(scores)
    hashes = core._hash_contexts(torch.from_numpy(contexts), torch.full((rows,), contexts.shape[1]))
    forced = scores.clone()
    core.force_watermark_tokens(
        forced, hashes, torch.ones(rows, dtype=torch.bool), torch.full((rows, 1), 0.75),
        torch.full((rows,), TOP_K), torch.ones(rows), torch.zeros(rows),
        torch.full((rows,), core.parse_watermark_key(key)),
    )  # fmt: skip
    return forced.argmax(dim=-1).tolist()


def written(core: Any, rng: np.random.Generator, key: str, width: int, dual: bool) -> list[int]:
    """120 tokens of 200 that were selected, after `width` random ones."""
    text = rng.integers(0, 200, width).tolist()
    for _ in range(120):
        scores = torch.from_numpy(rng.normal(0, 1.5, (1, 200)).astype(np.float32))
        text += selected(core, scores, np.array([text[-width:]]), key, 1.0, dual)
    return text


def said(statistics: Any) -> dict[str, Any]:
    return {
        "scored": statistics.num_contexts,
        "score": statistics.score,
        "ln_p": statistics.log_p_value,
    }


def make(core: Any, detector: Any) -> dict[str, Any]:
    """Every vector, as what JSON can hold."""
    rng = np.random.default_rng(23)
    words, sampled, top, detected = [], [], [], []
    for value in KEYS:
        key = f"{value:016x}"
        signed = core.parse_watermark_key(key)
        for width in WIDTHS:
            contexts = rng.integers(0, 128_256, (CONTEXTS, width))
            drawn = [
                [
                    detector.watermark_hash(signed, detector.hash_context(context), token)
                    for token in TOKENS
                ]
                for context in contexts.tolist()
            ]
            words.append({"key": key, "contexts": contexts.tolist(), "words": drawn})
        for width in (1, 4):
            contexts = rng.integers(0, VOCABULARY, (ROWS, width))
            scores = logits(ROWS, VOCABULARY)
            for temperature in (1.0, 0.5):
                for dual in (False, True):
                    chosen = selected(core, scores, contexts, key, temperature, dual)
                    sampled.append(
                        {"key": key, "contexts": contexts.tolist(), "temperature": temperature,
                         "dual": dual, "tokens": chosen}
                    )  # fmt: skip
            # without ties, where SGLang's sort and ours may keep different tokens
            apart = torch.from_numpy(
                ((np.arange(VOCABULARY) * 7_919 + np.arange(ROWS)[:, None] * 31) % VOCABULARY / 100)
                .astype(np.float32)
            )  # fmt: skip
            top.append(
                {"key": key, "contexts": contexts.tolist(),
                 "tokens": cut(core, apart, contexts, key)}
            )  # fmt: skip
            for dual in (False, True):
                text = written(core, rng, key, width, dual)
                for tested in (key, f"{value ^ 1:016x}"):
                    found = detector.WatermarkDetector(
                        tested, key_b=f"{KEY_B:016x}" if dual else None,
                        mixing_probability=MIXING, context_window=width,
                    ).detect_tokens(text)  # fmt: skip
                    each = {"key": tested, "width": width, "dual": dual, "tokens": text}
                    each["a"] = said(found.key_a_all_positions)
                    if dual:
                        each["a_part"] = said(found.key_a_partition)
                        each["b_part"] = said(found.key_b_partition)
                    detected.append(each)
    return {
        "source": f"sglang {VERSION}, Apache-2.0, PyTorch reference and torch-free detector",
        "key_b": f"{KEY_B:016x}", "mixing": MIXING, "vocabulary": VOCABULARY, "rows": ROWS,
        "tokens": list(TOKENS), "top_k": TOP_K,
        "words": words, "sampled": sampled, "top": top, "detected": detected,
    }  # fmt: skip


def main() -> None:
    """Write the vectors beside the tests."""
    with tempfile.TemporaryDirectory() as folder:
        vectors = make(*load(Path(sys.argv[1]), Path(folder)))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    plain = json.dumps(vectors, separators=(",", ":")).encode()
    TARGET.write_bytes(gzip.compress(plain, mtime=0))
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
