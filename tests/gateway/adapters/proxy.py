"""LiteLLM's proxy as a process of its own, in its own environment, configured as our page says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[3]
#: Made by `.ci/run`: `sh tools/setup.sh python3 .venv-litellm requirements/litellm.txt`.
LITELLM = PROJECT / ".venv-litellm" / "bin" / "litellm"
MASTER_KEY = "sk-0f3c9a17b2d84e65a1c7f09b3e52d846"


def page_says() -> tuple[dict[str, Any], dict[str, Any]]:
    """LiteLLM's configuration and ours, from docs/litellm.md."""
    page = (PROJECT / "docs" / "litellm.md").read_text()
    first, second = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(first), yaml.safe_load(second)


class Proxy:
    def __init__(self, process: subprocess.Popen[bytes], base: str, log: Path) -> None:
        self.process, self.base, self._log = process, base, log

    def log(self) -> str:
        return self._log.read_text()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.base + "/health/liveliness", timeout=2):
                return True
        except OSError:
            return False

    def wait(self, seconds: float = 120) -> Proxy:
        """Until it answers."""
        limit = time.monotonic() + seconds
        while not self.answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < limit, self.log()
            time.sleep(0.1)
        return self


@contextmanager
def proxy(folder: Path, litellm: dict[str, Any], stillwatch: dict[str, Any]) -> Iterator[Proxy]:
    """A proxy that has been started; its state folder is ``state`` in `folder`."""
    (folder / "litellm.yaml").write_text(yaml.safe_dump(litellm))
    (folder / "stillwatch.yaml").write_text(yaml.safe_dump(stillwatch))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "STILLWATCH_STATE": str(folder / "state"),
        "STILLWATCH_CONFIG": str(folder / "stillwatch.yaml"),
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONPATH": str(PROJECT / "src"),
        "NO_PROXY": "127.0.0.1",
    }
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(LITELLM), "--config", "litellm.yaml", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )  # fmt: skip
        try:
            yield Proxy(process, f"http://127.0.0.1:{port}", log)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
