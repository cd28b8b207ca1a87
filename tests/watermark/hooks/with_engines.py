"""The hooks for vLLM and SGLang, within what their wheels have. Not collected: run it by hand with

    VLLM_SOURCE=… SGLANG_SOURCE=… python -m pytest tests/watermark/hooks/with_engines.py

in an environment with torch and what `requirements/` has of numpy, numba and scipy. The variables
name folders that the wheels of vLLM 0.33 and SGLang 0.5.23 were unpacked into: their interfaces,
the builder of batch updates and what reads the configurations of marks are taken from there, not
the engines, which need a GPU.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from stillwatch.watermark import GumbelMark
from stillwatch.watermark.hooks import Label, Marks
from stillwatch.watermark.hooks.native import sglang_config, vllm_config
from stillwatch.watermark.hooks.sglang import watermark_field
from tests.watermark.hooks.engine import VOCABULARY, Request, alone

ALICE, BOB = "a" * 16, "b" * 16
SOURCE = Path(os.environ.get("VLLM_SOURCE", "/nowhere"))
SGLANG = Path(os.environ.get("SGLANG_SOURCE", "/nowhere"))
SETTINGS = """
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    provenance: {profile: provenance, strong: radioactive}
    radioactive: {profile: radioactive}
    both: {profile: both, context: 2, share: 0.375}
"""


# ---- vLLM, from the wheel's own files


@pytest.fixture(scope="module")
def vllm() -> Iterator[Any]:
    """The interfaces and the batch updates of the wheel; what they import besides is empty."""
    before = set(sys.modules)

    def empty(name: str, **attributes: Any) -> None:
        module = ModuleType(name)
        module.__path__ = []
        for key, value in attributes.items():
            setattr(module, key, value)
        sys.modules[name] = module

    def loaded(name: str) -> Any:
        path = SOURCE.joinpath(*name.split(".")).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    empty("vllm", SamplingParams=SimpleNamespace)
    for name in ("v1", "v1.sample", "v1.sample.logits_processor", "v1.worker", "v1.worker.gpu",
                 "v1.worker.gpu.sample", "v1.worker.gpu.sample.logits_processor"):  # fmt: skip
        empty(f"vllm.{name}")
    yield SimpleNamespace(
        interface=loaded("vllm.v1.sample.logits_processor.interface"),
        state=loaded("vllm.v1.sample.logits_processor.state"),
        second=loaded("vllm.v1.worker.gpu.sample.logits_processor.interface"),
    )
    for name in set(sys.modules) - before:
        if name.startswith("vllm"):
            del sys.modules[name]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mark.key").write_bytes(bytes(range(32)))
    (tmp_path / "mark.key").chmod(0o600)
    (tmp_path / "stillwatch.yaml").write_text(SETTINGS)
    monkeypatch.setenv("STILLWATCH_CONFIG", str(tmp_path / "stillwatch.yaml"))


LABELS = [
    f"radioactive;normal;{ALICE}", f"both;normal;{BOB}", None, f"radioactive;normal;{BOB}",
    "provenance;normal", f"provenance;strong;{ALICE}", "provenance;normal",
]  # fmt: skip
CPU = torch.device("cpu")


def requests() -> list[Request]:
    return [
        Request(i, label, 10 + 5 * i, sampling={"temperature": 0.0} if i == 6 else {})
        for i, label in enumerate(LABELS)
    ]


def own(request: Request, row: torch.Tensor) -> int:
    """The token that an engine takes from the logits that the hook leaves."""
    forced = (row == 0).sum() == 1 and torch.isneginf(row).sum() == VOCABULARY - 1
    return int(row.argmax()) if forced else request.own_token(len(request.output))


def test_the_first_runners_batch_updates_never_mix_keys(
    vllm: Any, configured: None, marks: Marks
) -> None:
    from stillwatch.watermark.hooks.vllm import MarkProcessor as Processor
    from stillwatch.watermark.hooks.vllm_rows import BatchRows

    hook, builder = Processor(SimpleNamespace(), CPU, False), vllm.state.BatchUpdateBuilder()
    swap, one_way = vllm.interface.MoveDirectionality.SWAP, vllm.interface.MoveDirectionality(1)
    assert isinstance(hook, vllm.interface.LogitsProcessor)
    assert one_way.name == "UNIDIRECTIONAL"
    waiting, batch, chance = requests(), list[Any](), np.random.default_rng(0)
    ended: list[Request] = []
    while len(ended) < len(LABELS):
        for row, request in enumerate(batch):  # as the wheel's InputBatch: remove, add, condense
            if len(request.output) >= request.length:
                ended.append(request)
                builder.removed_append(row)
                batch[row] = None
        for _ in range(min(len(waiting), int(chance.integers(0, 3)))):
            request = waiting.pop(0)
            row = builder.pop_removed()
            row = len(batch) if row is None else row
            batch[row : row + 1] = [request]
            builder.added.append((row, request.params, [1, 2], request.output))
        last = len(batch) - 1
        while empty := builder.removed:
            while last in empty:
                last -= 1
            if builder.peek_removed() >= last:
                break
            row = builder.pop_removed()
            batch[row], batch[last] = batch[last], None
            builder.moved.append((last, row, one_way))
        batch = [request for request in batch if request is not None]
        if len(batch) > 1:
            a, b = chance.permutation(len(batch))[:2].tolist()
            batch[a], batch[b] = batch[b], batch[a]
            builder.moved.append((a, b, swap))
        hook.update_state(builder.get_and_reset(len(batch)))
        if batch:
            logits = torch.tensor(np.stack([each.logits(len(each.output)) for each in batch]))
            for request, row in zip(batch, hook.apply(logits), strict=True):
                request.output.append(own(request, row))
    expected = {r.number: alone(BatchRows(marks), r) for r in requests()}
    assert {r.number: r.output for r in ended} == expected
    assert hook.rows.unmarked == {"greedy": 1}


def test_the_second_runner_marks_as_the_first_does(
    vllm: Any, configured: None, marks: Marks
) -> None:
    from stillwatch.watermark.hooks.vllm_rows import BatchRows
    from stillwatch.watermark.hooks.vllm_v2 import MarkProcessor as Processor

    tokens, prompts = torch.zeros((4, 80), dtype=torch.int32), np.zeros(4, np.int32)
    states = vllm.second.LogitsProcRequestState(
        device=CPU, max_num_reqs=4, vocab_size=VOCABULARY,
        all_token_ids=SimpleNamespace(gpu=tokens), prompt_len=SimpleNamespace(np=prompts),
        prefill_len=None, total_len=None,
    )  # fmt: skip
    hook = Processor(SimpleNamespace(speculative_config=None), states)
    waiting, chance = requests(), np.random.default_rng(1)
    slots: dict[int, Request] = {}
    ended: list[Request] = []
    while len(ended) < len(LABELS):
        done = [s for s, r in slots.items() if len(r.output) >= r.length]
        preempted = [s for s in slots if s not in done and chance.random() < 0.05]
        ended += [slots.pop(slot) for slot in done]
        waiting += [slots.pop(slot) for slot in preempted]
        for slot in set(range(4)) - set(slots):
            if waiting:
                request = slots[slot] = waiting.pop(0)
                prompts[slot] = 1 + request.number
                tokens[slot] = 99
                history = torch.tensor(request.output, dtype=torch.int32)
                tokens[slot, prompts[slot] : prompts[slot] + len(history)] = history
                hook.add_request(slot, request.params)
        if not slots:
            continue
        order = chance.permutation(list(slots)).astype(np.int32)
        lengths = np.array([prompts[s] + len(slots[s].output) for s in order], np.int32)
        step = vllm.second.LogitsContext(
            expanded_idx_mapping=None, idx_mapping=None, idx_mapping_np=order,
            expanded_local_pos=None, input_ids=None, pos=None, seq_lens_upper_bound_np=lengths,
        )  # fmt: skip
        batch = [slots[s] for s in order]
        logits = torch.tensor(np.stack([each.logits(len(each.output)) for each in batch]))
        for slot, request, row in zip(order, batch, hook.apply(logits, step), strict=True):
            request.output.append(own(request, row))
            tokens[slot, prompts[slot] + len(request.output) - 1] = request.output[-1]
    expected = {r.number: alone(BatchRows(marks), r) for r in requests()}
    assert {r.number: r.output for r in ended} == expected
    with pytest.raises(ValueError, match="speculative"):
        Processor(SimpleNamespace(speculative_config=object()), states)


def test_vllm_reads_the_configuration_that_is_written_for_it(vllm: Any, marks: Marks) -> None:
    import pydantic

    sys.modules["vllm.config"] = ModuleType("vllm.config")
    sys.modules["vllm.config.utils"] = SimpleNamespace(config=pydantic.dataclasses.dataclass)  # type: ignore[assignment]
    sys.modules["vllm.logger"] = SimpleNamespace(init_logger=lambda name: None)  # type: ignore[assignment]
    path = SOURCE / "vllm" / "config" / "watermarking.py"
    spec = importlib.util.spec_from_file_location("vllm.config.watermarking", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = vllm_config(marks, "provenance")
    config = module.WatermarkConfig(**written)
    assert {name: getattr(config, name) for name in written} == written
    assert isinstance(mark := marks.mark_for("provenance").mark, GumbelMark)
    assert config.key == mark.key.value


# ---- SGLang, from the wheel's own files


def test_sglang_reads_what_is_written_for_it(
    marks: Marks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = ModuleType("watermarking")
    package.__path__ = [str(SGLANG / "sglang" / "srt" / "sampling" / "watermarking")]
    monkeypatch.setitem(sys.modules, "watermarking", package)
    from watermarking.config import load_watermark_config
    from watermarking.core import normalize_watermark_request, resolve_watermark_request

    for name in ("provenance", "radioactive", "both"):
        file = tmp_path / name
        file.write_text(json.dumps(sglang_config(marks, name)))
        file.chmod(0o600)
        server = load_watermark_config(str(file))
        field = watermark_field(marks, name, "normal", ALICE)
        assert isinstance(field, dict)
        key, window, enabled = resolve_watermark_request(
            normalize_watermark_request(field), server_enabled=True, default_key=server.key,
            default_context_window=server.context_window, default_enabled=False, enforce_all=False,
        )  # fmt: skip
        assert (window, enabled) == (server.context_window, True)
        assert key == (server.key if name == "provenance" else field["key"])


def test_what_no_gateway_wrote_is_refused_before_it_reaches_the_engine(
    vllm: Any, configured: None
) -> None:
    from stillwatch.watermark.hooks import vllm as first
    from stillwatch.watermark.hooks import vllm_v2 as second

    for hook in (first.MarkProcessor, second.MarkProcessor):
        hook.validate_params(Request(0, str(Label("both", "normal", BOB)), 1).params)
        with pytest.raises(ValueError, match="set by the gateway"):
            hook.validate_params(Request(0, "both;normal;*", 1).params)
