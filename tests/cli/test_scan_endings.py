"""However a scan ends, its status says so, and a folder that looks whole is whole.

Status 3, a campaign that was found, stands in ``test_scan_formats.py``.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaigns.logs import Log
from tests.campaigns.wide_logs import write_wide_log
from tests.cli.running import command, run, scan, source

ROWS = 60_000
TIDY = "\nstillwatch: interrupted; nothing half-written was left behind\n"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log in which nobody copies the model."""
    log = Log(21)
    log.people(30)
    return log.write(tmp_path_factory.mktemp("quiet") / "log.jsonl")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that takes seconds to read, and megabytes to keep."""
    return write_wide_log(tmp_path_factory.mktemp("long") / "log", ROWS)


@contextlib.contextmanager
def scanning(log: Path, out: Path, until: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A scan that has come to the step `until`, and has written something."""
    process = subprocess.Popen(
        command("scan", log, "--out", out, *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if until in line:
                break
        begun = time.monotonic()
        while not any(out.parent.glob(".*.partial/work/events/**/*.parquet")):
            assert time.monotonic() < begun + 30
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("log", "status"), [("quiet", 0), ("gone", 2)])
def test_the_status_says_what_was_found(
    request: pytest.FixtureRequest, tmp_path: Path, log: str, status: int
) -> None:
    path = Path(tmp_path / "gone.jsonl") if log == "gone" else request.getfixturevalue(log)
    ended = scan(path, tmp_path / "out")
    assert ended.returncode == status
    assert names(tmp_path) == ([] if log == "gone" else ["out"])
    assert ("gone.jsonl: there is no such file" in ended.stderr) == (log == "gone")


@pytest.mark.parametrize(
    ("ending", "step"),
    [
        (signal.SIGINT, "reading and sketching"),
        (signal.SIGINT, "stages"),
        (signal.SIGTERM, "stages"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
@pytest.mark.slow
def test_a_scan_that_is_asked_to_stop_ends_with_130_and_leaves_nothing(
    long: Path, tmp_path: Path, ending: signal.Signals, step: str
) -> None:
    with scanning(long, tmp_path / "out", step) as process:
        process.send_signal(ending)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.lstrip() == TIDY.lstrip()  # the progress line may have ended already
    assert names(tmp_path) == []


@pytest.mark.slow
def test_an_interrupt_leaves_the_report_that_was_to_be_replaced(long: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("of yesterday")
    with scanning(long, out, "reading", "--force") as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.lstrip()) == (130, TIDY.lstrip())
    assert names(tmp_path) == ["out"]
    assert (out / "report.html").read_text() == "of yesterday"


@pytest.mark.slow
def test_after_a_kill_the_next_scan_needs_no_help(long: Path, quiet: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with scanning(long, out, "reading") as process:
        process.kill()
        process.wait(timeout=30)
    assert names(tmp_path) == [".out.partial"]
    assert scan(quiet, out).returncode == 0
    assert names(tmp_path) == ["out"]
    assert source(out)["rejected"] == 0


def limited(kilobytes: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))

    return limit


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_named_and_nothing_is_left(long: Path, tmp_path: Path) -> None:
    """A limit on the size of files, which any user may set."""
    ended = run("scan", long, "--out", tmp_path / "out", "--quiet", preexec_fn=limited(500))
    assert ended.returncode == 1
    assert ".parquet: a limit on the size of files was reached" in ended.stderr
    assert ended.stderr.endswith("[SW300]\n")
    assert names(tmp_path) == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system (a tmpfs, which needs root) of so many kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def mount(kilobytes: int) -> Path:
        nonlocal mounted
        size = f"remount,size={kilobytes}k" if mounted else f"size={kilobytes}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], check=True)
        mounted = True
        return place

    yield mount
    subprocess.run(["umount", place], check=mounted)


@pytest.mark.service
def test_a_full_disk_is_named_and_more_room_is_all_that_is_needed(
    long: Path, disk: Callable[[int], Path]
) -> None:
    """It fills up with the event store first; with a little more room, with the stages."""
    for kilobytes, filled in ((2_000, "/events/"), (11_000, "/stages/")):
        place = disk(kilobytes)
        ended = scan(long, place / "out")
        assert ended.returncode == 1
        assert filled in ended.stderr
        assert "the disk is full" in ended.stderr
        assert ended.stderr.endswith("[SW300]\n")
        assert names(place) == []
    place = disk(60_000)
    assert scan(long, place / "out").returncode == 0
    assert source(place / "out")["rows"] == ROWS


@pytest.mark.service
def test_a_mount_point_is_refused_before_the_work_begins(
    quiet: Path, disk: Callable[[int], Path]
) -> None:
    place = disk(1_000)
    ended = scan(quiet, place)
    assert ended.returncode == 2
    assert "is a mount point; name a folder inside it with --out [SW302]" in ended.stderr
    assert names(place) == []
