"""The entry point: every ending of a command is one line and a status."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from stillwatch import __version__, cli
from stillwatch.cli import main as entry_point
from stillwatch.errors import InputError, StorageError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run `stillwatch task`, a command whose body is given, and return its exit status."""

    def run_body(body: Callable[[], object], *arguments: str) -> int:
        command = click.Command("task", callback=body)
        monkeypatch.setitem(sys.modules, "stillwatch.cli.task", _module(command))
        main = sys.modules["stillwatch.cli.main"]
        monkeypatch.setitem(main.COMMANDS, "task", "a command for this test")
        with pytest.raises(SystemExit) as ended:
            entry_point(["task", *arguments])
        return int(ended.value.code or 0)

    return run_body


def _module(command: click.Command) -> object:
    class Module:
        pass

    module = Module()
    module.command = command  # type: ignore[attr-defined]
    return module


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


def stillwatch(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillwatch", *arguments],
        text=True,
        check=False,
        **({"capture_output": True} | options),  # type: ignore[call-overload]
    )


def test_a_command_that_returns_nothing_ends_with_0(run: Callable[..., int]) -> None:
    assert run(lambda: None) == 0


def test_a_command_that_returns_a_status_ends_with_it(run: Callable[..., int]) -> None:
    assert run(lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("cut off", path="a", line=4), 2, "stillwatch: a:4: cut off [SW100]"),
        (StorageError("full"), 1, "stillwatch: full [SW300]"),
        (OSError(28, "No space left", "x"), 1, "stillwatch: x: No space left [SW300]"),
        (MemoryError(), 1, "stillwatch: out of memory"),
        (KeyboardInterrupt(), 130, "stillwatch: interrupted"),
    ],
)  # fmt: skip
def test_an_error_becomes_one_line_and_a_status(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    line: str,
) -> None:
    assert run(raising(error)) == status
    written = capsys.readouterr().err.strip()
    assert written.startswith(line)
    assert "\n" not in written


def test_our_own_mistake_says_so_and_where_without_a_traceback(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(ZeroDivisionError("by zero"))) == 1
    written = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in written
    assert "test_main.py:" in written
    assert "STILLWATCH_TRACEBACK=1" in written
    assert "Traceback" not in written


def test_the_traceback_of_our_own_mistake_can_be_asked_for(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STILLWATCH_TRACEBACK", "1")
    assert run(raising(ZeroDivisionError("by zero"))) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_option_is_refused_with_status_2(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: None, "--brew") == 2
    assert "--brew" in capsys.readouterr().err


def test_an_unknown_command_is_refused_with_status_2() -> None:
    ended = stillwatch("brew")
    assert ended.returncode == 2
    assert "brew" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_version_is_printed() -> None:
    ended = stillwatch("--version")
    assert (ended.returncode, ended.stdout.strip()) == (0, f"stillwatch, version {__version__}")


def test_help_lists_every_command_without_importing_any() -> None:
    listed = stillwatch("--help").stdout
    commands = sys.modules["stillwatch.cli.main"].COMMANDS
    assert all(name in listed for name in commands)


def test_every_command_has_its_file_and_every_file_of_a_command_is_listed() -> None:
    files = Path(cli.__file__).parent.glob("*.py")
    commands = {path.stem for path in files if '__all__ = ["command"]' in path.read_text()}
    assert commands == set(sys.modules["stillwatch.cli.main"].COMMANDS)


def test_a_full_device_behind_standard_output_is_named() -> None:
    with Path("/dev/full").open("w") as full:
        ended = stillwatch("--help", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_reader_that_goes_away_is_not_worth_a_word() -> None:
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m stillwatch --help | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""


def test_an_interrupt_ends_a_real_process_with_130() -> None:
    body = (
        "import sys, time, types, click, stillwatch.cli\n"
        "m = sys.modules['stillwatch.cli.main']\n"
        "def wait(): print('ready', flush=True); time.sleep(60)\n"
        "m.COMMANDS['wait'] = 'waits'\n"
        "sys.modules['stillwatch.cli.wait'] = types.SimpleNamespace(\n"
        "    command=click.Command('wait', callback=wait))\n"
        "m.main(['wait'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", body], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, written = process.communicate(timeout=20)
    assert process.returncode == 130
    assert written.strip().startswith("stillwatch: interrupted")
