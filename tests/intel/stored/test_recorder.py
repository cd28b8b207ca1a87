"""What the writer of a gateway keeps for members of a community, and what it does without."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import KeyFileError, SettingsError
from stillwatch.events import EventStore
from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway import Comparing, read_gateway, running
from stillwatch.gateway.recording import Recorder
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.compared import ComparedKey, number_of
from stillwatch.intel.recording import comparing
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sketches.compared import forms_under
from tests.intel.received.conftest import KEY, NOW, hidden

NEXT = CommunityKey("forum", "2027-q1", bytes(range(1, 33)))
PROMPT = "You grade the answer of a student, step by step, against the rubric that follows below."


def exchange(number: int, **fields: Any) -> RawExchange:
    return RawExchange(
        at=NOW * 1_000_000 + number,
        account="acme",
        messages=(Message("user", "please solve the following task and write every step down"),),
        request_id=str(number),
        payment=hidden("card"),
        **fields,
    )


def recording(state: Path, work: Callable[[Recorder], Awaitable[None]], *keys: Path) -> None:
    """Run a recorder with a real writer process that reads `keys`."""

    async def gateway() -> None:
        recorder = Recorder(state, comparing=comparing(keys))
        await recorder.start()
        await work(recorder)
        await recorder.close()

    asyncio.run(asyncio.wait_for(gateway(), 200))


def kept(state: Path) -> Any:
    with EventStore.open(state / "events") as store:
        [batch] = store.hot_after(0, rows=1_000)
    return batch[1]["compared"]


def test_the_writer_keeps_forms_under_each_key_and_nothing_that_could_be_guessed(
    tmp_path: Path,
) -> None:
    for name, key in (("a", KEY), ("b", NEXT)):
        key.write(tmp_path / name)

    async def work(recorder: Recorder) -> None:
        recorder.record(exchange(1, system=PROMPT, device="4711"))
        await recorder.drain()

    recording(tmp_path / "state", work, tmp_path / "a", tmp_path / "b")
    column = kept(tmp_path / "state")
    for key in (KEY, NEXT):
        found = forms_under(column, ComparedKey(key).number)
        values = {"payment": hidden("card"), "system": PROMPT}
        digests = sorted(number_of(key.digest(*each)) for each in values.items())
        assert found.digests.tolist() == digests
        own = Sketcher(key.sketch_key()).sketch([exchange(1, system=PROMPT)])
        assert found.cells.tolist() == own["cells"].to_pylist()[0]


def test_without_a_key_nothing_is_kept_for_anybody(tmp_path: Path) -> None:
    async def work(recorder: Recorder) -> None:
        recorder.record(exchange(1))
        await recorder.drain()

    recording(tmp_path / "state", work)
    assert kept(tmp_path / "state").null_count == 1


def test_a_key_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    async def work(recorder: Recorder) -> None:
        raise AssertionError("it started")

    with pytest.raises(KeyFileError, match="absent"):
        recording(tmp_path / "state", work, tmp_path / "absent")


def test_a_key_that_went_meanwhile_keeps_no_exchange_from_being_recorded(tmp_path: Path) -> None:
    KEY.write(tmp_path / "a")

    async def work(recorder: Recorder) -> None:
        recorder.record(exchange(1))
        await recorder.drain()
        (tmp_path / "a").unlink()
        assert recorder.writer_pid is not None
        os.kill(recorder.writer_pid, signal.SIGKILL)
        recorder.record(exchange(2))
        await recorder.drain()

    recording(tmp_path / "state", work, tmp_path / "a")
    column = kept(tmp_path / "state")
    assert (len(column), column.null_count) == (2, 1)


def test_the_gateways_own_writer_reads_no_keys_and_says_so(tmp_path: Path) -> None:
    own = Comparing("stillwatch.gateway.recording.writer", (tmp_path / "a",))

    async def gateway() -> None:
        await Recorder(tmp_path / "state", comparing=own).start()

    with pytest.raises(SettingsError, match="no keys"):
        asyncio.run(asyncio.wait_for(gateway(), 200))


def test_settings_name_keys_beside_them_for_a_gateway_that_can_read_them(tmp_path: Path) -> None:
    file = tmp_path / "stillwatch.yaml"
    file.write_text(
        "backends: [{name: engine, url: 'http://127.0.0.1:9'}]\n"
        "gateway: {communities: [keys/forum.json, /elsewhere.json]}\n"
    )
    settings = read_gateway(file)
    assert settings.communities == (tmp_path / "keys" / "forum.json", Path("/elsewhere.json"))

    async def gateway() -> None:
        async with running(tmp_path / "state", settings):
            raise AssertionError("it started")

    with pytest.raises(SettingsError, match="stillwatch serve"):
        asyncio.run(gateway())
    file.write_text(file.read_text().replace("/elsewhere.json", "4711"))
    with pytest.raises(SettingsError, match="list of files"):
        read_gateway(file)


def test_forms_of_a_batch_are_those_of_its_exchanges_one_by_one() -> None:
    rows = [
        exchange(1, tools=("search_repository", "read_file_lines", "apply_patch")),
        RawExchange(at=1, account="b", prompt=""),
        exchange(2, system=PROMPT),
        exchange(3, device=hidden("machine")),
    ]
    keys = [ComparedKey(KEY), ComparedKey(NEXT)]
    sketcher = Sketcher(SketchKey(bytes(32)), compared=keys)
    whole = sketcher.sketch(rows)["compared"].to_pylist()
    assert whole == [sketcher.sketch([row])["compared"].to_pylist()[0] for row in rows]
    assert [len(each[0]["digests"]) for each in whole] == [2, 0, 2, 2]
    assert all([form["key"] for form in each] == [key.number for key in keys] for each in whole)
