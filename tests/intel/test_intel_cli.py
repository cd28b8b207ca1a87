"""The page on sharing does what it says: its policy is read, its commands run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stillwatch.cli.intel import command
from stillwatch.intel.policy import FIELDS, read_policy
from tests.intel.conftest import Provider

PAGE = Path(__file__).parents[2] / "docs" / "intel-sharing.md"
Makes = Callable[..., Provider]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def ran(line: str, own: Provider) -> Result:
    line = line.replace("CASE", own.case).replace("MAKER", own.own.key.public)
    arguments = shlex.split(line.removeprefix("$ stillwatch intel "))
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.fixture
def provided(provider: Makes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Provider:
    own = provider()
    (tmp_path / "policy.yaml").write_text(blocks("yaml")[0])
    (tmp_path / "marks.key").write_bytes(bytes(range(32, 64)))
    (tmp_path / "marks.key").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    return own


def test_the_policy_of_the_page_is_one(provided: Provider) -> None:
    policy = read_policy(Path("policy.yaml"))
    assert policy.recipients == ("provider-b", "provider-c")


def test_every_field_and_key_of_a_policy_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert [name for name in FIELDS if f"`{name}`" not in page] == []


def test_the_commands_of_the_page_say_what_it_shows(provided: Provider) -> None:
    lines = "".join(blocks("console")).splitlines()
    commands = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert len(commands) == 6
    for begin, end in zip(commands, [*commands[1:], len(lines)], strict=True):
        ended = ran(lines[begin], provided)
        assert ended.exit_code == 0, ended.output
        left = iter(ended.output.splitlines())
        for line in lines[begin + 1 : end]:
            if line != "…":
                wanted = re.compile(".*".join(map(re.escape, line.split("…"))))
                assert any(wanted.fullmatch(each) for each in left), line
    assert Path("bundle.json").is_file()


def test_a_preview_changes_nothing_and_an_export_asks_for_what_is_missing(
    provided: Provider,
) -> None:
    before = sorted(path.name for path in provided.state.iterdir())
    keygen, preview, *_ = (block.splitlines()[0] for block in blocks("console"))
    ran(keygen, provided)
    assert ran(preview, provided).exit_code == 0
    assert "exports.db" not in {path.name for path in provided.state.iterdir()}
    assert {name for name in before if not name.endswith(("-wal", "-shm"))} <= {
        path.name for path in provided.state.iterdir()
    }
    both = ran(preview + " --out x.json", provided)
    assert both.exit_code == 2
    assert "--preview or --out" in both.output


def test_what_leaves_is_written_for_misp_too(provided: Provider) -> None:
    keygen, _, export, *_ = (
        line for line in "".join(blocks("console")).splitlines() if line.startswith("$ ")
    )
    ran(keygen, provided)
    assert ran(f"{export} --misp event.json", provided).exit_code == 0
    written = Path("event.json").read_text()
    (event,) = (each["Event"] for each in json.loads(written)["response"])
    patterns = [each["value"] for o in json.loads(Path("bundle.json").read_text())["objects"]
                if o["type"] == "indicator" and "'" in o["pattern"]
                for each in [{"value": o["pattern"].split("'")[1]}]]  # fmt: skip
    assert patterns
    assert all(value in written for value in patterns)
    assert event["published"] is False or event["Attribute"] or event["Object"]
    assert ran(f"{export.replace('bundle', 'second')} --misp event.json", provided).exit_code == 2
    assert not Path("second.json").exists()


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = "('duckdb', 'ibis', 'numba', 'sqlalchemy', 'starlette', 'stix2', 'jsonschema')"
    code = (
        "import sys, stillwatch.intel, stillwatch.intel.profile, stillwatch.intel.exporting\n"
        "from stillwatch.intel import CommunityKey\n"
        "from stillwatch.intel.profile import TemplatePattern, check_seal\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
