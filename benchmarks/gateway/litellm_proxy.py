"""LiteLLM's proxy in front of the same model server, for whoever has installed it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.gateway.children import Child, free_port

__all__ = ["LiteLLM", "program_of"]

_CONFIG = """
model_list:
  - model_name: model
    litellm_params:
      {{model: openai/model, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
litellm_settings: {{telemetry: false, set_verbose: false}}
"""
_VERSION = "import importlib.metadata; print(importlib.metadata.version('litellm'))"


def program_of(venv: Path) -> Path:
    """Where the program is, if it is installed there."""
    return venv / "bin" / "litellm"


class LiteLLM(Child):
    """One worker without a database and without keys, which it would look up there.

    Args:
        venv: where `litellm[proxy]` is installed.
    """

    def __init__(self, venv: Path, folder: Path, upstream: int, *, core: int) -> None:
        asked = [str(venv / "bin" / "python"), "-c", _VERSION]
        self.version = subprocess.check_output(asked, text=True).strip()
        config = folder / "litellm.yaml"
        config.write_text(_CONFIG.format(upstream=upstream))
        self.port = free_port()
        command = [str(program_of(venv)), "--config", str(config), "--host", "127.0.0.1",
                   "--port", str(self.port), "--num_workers", "1"]  # fmt: skip
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR",
                 "LITELLM_TELEMETRY": "False",
                 "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}  # fmt: skip
        super().__init__(command, folder / "litellm.log", core=core, environment=quiet)

    def wait(self) -> None:
        """Until it answers."""
        self.answers(f"http://127.0.0.1:{self.port}/health/liveliness")
