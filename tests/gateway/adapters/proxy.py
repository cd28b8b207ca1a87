"""LiteLLM's proxy as a process of its own, in its own environment, configured as our page says."""

from __future__ import annotations

import copy
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

from tests.gateway.conftest import Client, Response

PROJECT = Path(__file__).parents[3]
#: Made by `.ci/run`: `sh tools/setup.sh python3 .venv-litellm requirements/litellm.txt`.
LITELLM = PROJECT / ".venv-litellm" / "bin" / "litellm"
MASTER_KEY = "sk-0f3c9a17b2d84e65a1c7f09b3e52d846"


def page_says() -> tuple[dict[str, Any], dict[str, Any]]:
    """LiteLLM's configuration and ours, from docs/litellm.md."""
    page = (PROJECT / "docs" / "litellm.md").read_text()
    first, second = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(first), yaml.safe_load(second)


LEVELS = {
    "default": {"max_tokens": 64},
    "open": {"max_tokens": 64, "unknown_fields": True, "n": 4, "seed": True},
    "small": {"models": ["small*"]},
}
TIERS = {
    "default": [],
    "few": [{"name": "rate", "scope": "key", "unit": "requests", "amount": 2, "period": 3600}],
    "one": [{"name": "slots", "scope": "account", "unit": "concurrent", "amount": 1}],
    "tight": [
        {"name": "b", "scope": "account", "unit": "tokens", "amount": 600, "calendar": "month"}
    ],
}
RULES = [
    {"id": "dogs", "when": "model == 'dog'", "deny": {"status": 451}, "reason": "no dogs"},
    {"id": "bare", "when": "model == 'bare'", "strip": ["seed"], "reason": "no seeds"},
    {"id": "home", "when": "model == 'home'", "route": {"backends": ["eu-1"]}, "reason": "home"},
]


def settings(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page says, with the engine's address, and more levels, tiers and rules."""
    litellm, stillwatch = copy.deepcopy(page_says())
    litellm["model_list"][0]["litellm_params"]["api_base"] = f"{url}/v1"
    away = copy.deepcopy(litellm["model_list"][0])
    away["model_name"], away["litellm_params"]["model"] = "home", "openai/home"
    away["model_info"]["id"], away["litellm_params"]["api_base"] = "us-1", "http://127.0.0.1:9/v1"
    litellm["model_list"] += [away]
    litellm["general_settings"]["pass_through_endpoints"] = [
        {"path": "/open", "target": f"{url}/v1/chat/completions", "auth": False},
        {"path": "/closed", "target": f"{url}/v1/chat/completions", "auth": True},
    ]
    stillwatch["backends"].append({**stillwatch["backends"][0], "name": "us-1"})
    ours = {"levels": LEVELS, "tiers": TIERS, "rules": RULES, "gateway": {"marks": {"open": "red"}}}
    return litellm, {**stillwatch, **ours}


class JSONClient(Client):
    """A client that says what it sends, without which LiteLLM reads a form."""

    def send(self, method: str, path: str, body: Any = None, **others: Any) -> Response:
        return super().send(method, path, body, **{"content-type": "application/json", **others})


def statuses(inside: Client, model: str) -> list[int]:
    """The statuses of the exchanges about a model that are on the disk."""
    return [row["status"] for row in inside.rows() if row["model"] == model]


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
