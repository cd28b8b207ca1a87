"""`stillwatch intel` over TAXII: what the page tells, through the real commands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli.in_process import run
from tests.cli.running import command
from tests.intel.store.conftest import indicator


def commands(page: Path) -> list[list[str]]:
    """The lines `$ …` of a page's console examples."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]


@pytest.mark.slow
def test_the_page_is_true_from_the_first_command_to_the_last(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    objects = [indicator(n) for n in range(3)] + [{"type": "bundle"}]
    Path("bundle.json").write_text(json.dumps({"type": "bundle", "objects": objects}))
    said, url, server = {}, "", None
    try:
        for words in commands(project / "docs" / "taxii.md"):
            words = [word.replace("http://127.0.0.1:8082/", url) for word in words[1:]]
            if words[1] == "serve":
                words[words.index("8082")] = "0"
                server = subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True)
                assert server.stderr is not None
                line = next(line for line in server.stderr if "/taxii2/" in line)
                url = line.split()[-1].removesuffix("taxii2/")
                continue
            ended = run(*words)
            # of the four objects one is none
            assert ended.returncode == (2 if words[1] == "publish" else 0), ended.stderr
            said[" ".join(words[1:3])] = ended
            if words[1] == "token":
                monkeypatch.setenv("STILLWATCH_TAXII_TOKEN", ended.stdout.strip())
    finally:
        assert server is not None
        server.terminate()
        assert server.wait(20) == 0
        server.stderr.close()  # type: ignore[union-attr]
    published, polled = said["publish bundle.json"], said["poll --from"]
    assert "refused: unknown: type: a bundle is no object" in published.stderr
    assert "3 of 4 objects are at" in published.stderr
    [file] = polled.stdout.split()
    assert json.loads(Path(file).read_text())["objects"] == objects[:3]
    assert (
        "acme    -         /intel/indicators: read and write" in said["collection members"].stdout
    )
    assert "90d" in said["collection list"].stdout


def test_a_token_is_wanted_and_never_read_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STILLWATCH_TAXII_TOKEN", raising=False)
    (tmp_path / "b.json").write_text("[]")
    ended = run("intel", "publish", tmp_path / "b.json", "--to", "http://127.0.0.1:9/")
    assert (ended.returncode, "STILLWATCH_TAXII_TOKEN" in ended.stderr) == (2, True)
    assert "--token " not in run("intel", "publish", "--help").stdout


def test_members_tokens_and_periods_are_shown_changed_and_ended(tmp_path: Path) -> None:
    state = ("--state", tmp_path / "state")
    assert run("intel", "collection", "list", *state).returncode == 2
    assert run("intel", "collection", "add", "c", "--root", "trust", *state).returncode == 0
    assert run("intel", "collection", "add", "c", "--root", "trust", *state).returncode == 2
    assert run("intel", "collection", "allow", "a", "c", "--read", *state).returncode == 2
    allow = ("intel", "collection", "allow", "a", "c", "--root", "trust")
    assert run(*allow, "--read", *state).returncode == 0
    assert run(*allow, "--read", "--identity", "x", *state).returncode == 2
    assert run("intel", "collection", "keep", "c", "7d", "--root", "trust", *state).returncode == 0
    assert "7d" in run("intel", "collection", "list", *state).stdout
    assert run("intel", "token", "create", "b", *state).returncode == 2
    made = run("intel", "token", "create", "a", "--expires", "1h", *state)
    name = made.stderr.split()[0]
    assert run("intel", "token", "revoke", name, *state).returncode == 0
    listed = run("intel", "token", "list", *state).stdout
    assert (name in listed, "revoked" in listed, made.stdout.strip() in listed) == (
        True, True, False,
    )  # fmt: skip
    assert "0 objects" in run("intel", "collection", "sweep", *state).stderr
    [collection] = run("intel", "collection", "list", "--json", *state).stdout.splitlines()
    assert json.loads(collection)["keep"] == 7 * 86_400
