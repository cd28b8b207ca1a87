"""The page about engines: its settings are read, and its names are those of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from stillwatch.gateway import read_gateway
from stillwatch.watermark.hooks.reading import read_marks


def test_the_settings_of_the_page_are_read_by_gateway_and_hook(
    project: Path, tmp_path: Path
) -> None:
    page = (project / "docs" / "watermark-engines.md").read_text()
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "mark.key").write_bytes(bytes(32))
    (tmp_path / "mark.key").chmod(0o600)
    path = tmp_path / "stillwatch.yaml"
    for engine in ("vllm", "sglang"):
        path.write_text(shown.replace("marks: vllm", f"marks: {engine}"))
        gateway, marks = read_gateway(path), read_marks(path)
        assert set(gateway.marks.values()) <= set(marks.names)
        assert (gateway.mark_keys is not None) == (engine == "sglang")


def test_every_hook_that_the_page_names_is_a_file(project: Path) -> None:
    page = (project / "docs" / "watermark-engines.md").read_text()
    named = set(re.findall(r"`(?:stillwatch\.watermark\.)?hooks\.(\w+)", page))
    assert named == {"huggingface", "vllm", "vllm_v2"}
    package = importlib.import_module("stillwatch.watermark.hooks")
    for name in named:
        assert (Path(package.__path__[0]) / f"{name}.py").exists()
