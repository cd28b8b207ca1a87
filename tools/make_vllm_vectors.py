"""Conformance vectors of vLLM's Gumbel watermark, made by running the published wheel's own code.

    python tools/make_vllm_vectors.py vllm-0.33.0-cp38-abi3-manylinux_2_28_x86_64.whl

Needs numpy and torch (CPU). Of the wheel only ``vllm/v1/watermarking`` and
``vllm/config/watermarking.py`` are run, on the CPU path; what they import beyond that (loggers,
pydantic's decorators) is replaced by empty stand-ins, since none of it takes part in a number. The
logits of the sampling vectors come from a formula, so that only what was chosen is stored.
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

TARGET = Path(__file__).parents[1] / "tests" / "watermark" / "data" / "vllm_0_33_0.json.gz"
VERSION = "0.33.0"
KEYS = (0, 1, 0x0123456789ABCDEF, 0xFEDCBA9876543210, 2**64 - 1)
WIDTHS = (1, 2, 3, 4, 5, 6, 9, 16)
CONTEXTS, ROWS, VOCABULARY = 6, 24, 1031
TOKENS = (0, 1, 2, 3, 4, 31_999, 128_255, 2**31 - 1)


def load(wheel: Path, folder: Path) -> tuple[Any, Any]:
    """The wheel's modules of the Gumbel scheme and of Philox."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("vllm/v1/watermarking/") or name == "vllm/config/watermarking.py":
                archive.extract(name, folder)

    def package(name: str) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__path__ = [str(folder.joinpath(*name.split(".")))]
        return sys.modules.setdefault(name, module)

    def stand_in(name: str, **members: Any) -> None:
        module = types.ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module

    for name in ("vllm", "vllm.config", "vllm.v1", "vllm.v1.watermarking", "vllm.v1.worker",
                 "vllm.v1.worker.gpu", "vllm.v1.worker.gpu.sample"):  # fmt: skip
        package(name)
    stand_in("vllm.v1.worker.gpu.sample.gumbel", gumbel_sample=None)  # the unmarked sampler
    stand_in("vllm.config.utils", config=lambda kind: kind)
    stand_in("vllm.logger", init_logger=lambda _: None)
    stand_in(
        "pydantic", Field=lambda **_: None, model_validator=lambda **_: lambda function: function
    )
    from vllm.v1.watermarking import gumbel
    from vllm.v1.watermarking.prfs import philox

    return gumbel, philox


def logits(rows: int, vocabulary: int) -> torch.Tensor:
    """Quarters between -8 and 8 that a formula gives: exact in float32."""
    row = np.arange(rows, dtype=np.int64)[:, None]
    token = np.arange(vocabulary, dtype=np.int64)
    values = (token * token * 7_919 + row * 104_729 + token * 31) % 65
    return torch.from_numpy((values / 4 - 8).astype(np.float32))


def make(gumbel: Any, philox: Any) -> dict[str, Any]:
    """Every vector, as what JSON can hold."""
    rng = np.random.default_rng(33)
    uniforms, sampled, detected = [], [], []
    for key in KEYS:
        for width in WIDTHS:
            contexts = rng.integers(0, 128_256, (CONTEXTS, width))
            contexts[0] = -1
            contexts[1, : (width + 1) // 2] = -1
            drawn = philox.PhiloxPRF(key).uniform(torch.from_numpy(contexts), torch.tensor(TOKENS))
            uniforms.append({"key": key, "contexts": contexts.tolist(), "uniforms": drawn.tolist()})
        for width in (1, 4):
            contexts = rng.integers(0, VOCABULARY, (ROWS, width))
            for temperature in (1.0, 0.5):
                scaled = logits(ROWS, VOCABULARY) / temperature
                chosen = gumbel.GumbelWatermarker(key, width)._sample_watermarked(
                    scaled, torch.from_numpy(contexts)
                )
                sampled.append(
                    {"key": key, "contexts": contexts.tolist(), "temperature": temperature,
                     "tokens": chosen.token_ids.tolist()}
                )  # fmt: skip
            text = written(gumbel.GumbelWatermarker(key, width), rng, width)
            for tested in (key, key ^ 1):
                for once in (True, False):
                    said = gumbel.GumbelWatermarkDetector(
                        tested, width, deduplicate_contexts=once
                    ).detect(text)
                    detected.append(
                        {"key": tested, "width": width, "deduplicated": once, "tokens": text,
                         "score": said.score, "p": said.p_value, "scored": said.num_scored_tokens}
                    )  # fmt: skip
    return {
        "source": f"vllm {VERSION}, Apache-2.0, CPU path",
        "vocabulary": VOCABULARY, "rows": ROWS, "tokens": list(TOKENS),
        "uniforms": uniforms, "sampled": sampled, "detected": detected,
    }  # fmt: skip


def written(watermarker: Any, rng: np.random.Generator, width: int) -> list[int]:
    """120 tokens that the watermarker chose, of 200, with all -1 before the first."""
    text = [-1] * width
    for _ in range(120):
        scores = torch.from_numpy(rng.normal(0, 1.5, (1, 200)).astype(np.float32))
        context = torch.tensor([text[-width:]])
        text.append(int(watermarker._sample_watermarked(scores, context).token_ids[0]))
    return text[width:]


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
