"""The end of an epoch: what was made under its key goes, and nothing else."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from stillwatch.events import EventStore
from stillwatch.events.parts import read_part
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.compared import ComparedKey
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sketches.compared import forms_under, kept_under
from tests.cli.in_process import run
from tests.intel.received.conftest import KEY
from tests.intel.stored.test_recorder import exchange

NEXT = CommunityKey("forum", "2027-q1", bytes(range(1, 33)))
OWN = SketchKey(bytes(range(32)))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Rolled rows and hot ones, under both keys; one from before, under none."""
    keys = [ComparedKey(KEY), ComparedKey(NEXT)]
    with EventStore.create(tmp_path / "state" / "events", key_id=OWN.key_id) as store:
        store.append(Sketcher(OWN, compared=keys).sketch([exchange(1), exchange(2)]))
        store.append(Sketcher(OWN).sketch([exchange(3)]))
        store.roll()
        store.append(Sketcher(OWN, compared=keys).sketch([exchange(4)]))
        store.append(Sketcher(OWN, compared=keys[:1]).sketch([exchange(5)]))
    for name, key in (("old.json", KEY), ("new.json", NEXT)):
        key.write(tmp_path / name)
    return tmp_path / "state"


def kept(state: Path, key: CommunityKey) -> tuple[int, int]:
    """Rows in all, and those with anything under a key."""
    with EventStore.open(state / "events", tidy=False) as store:
        batches = [*store.hot(), *(b for file in store.parquet_files() for b in read_part(file))]
        number = ComparedKey(key).number
        return store.rows(), sum(kept_under(batch["compared"], [number]) for batch in batches)


@pytest.mark.parametrize("named", [["--community", "old.json"], ["--key-id", KEY.key_id]])
def test_what_was_made_under_a_key_is_in_no_file_any_more_and_exchanges_stay(
    state: Path, named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(state.parent)
    made = Sketcher(OWN, compared=[ComparedKey(KEY), ComparedKey(NEXT)]).sketch([exchange(1)])
    gone, stays = (
        [struct.pack("<q", each) for each in (*forms.digests.tolist(), *forms.cells.tolist())]
        for forms in (forms_under(made["compared"], ComparedKey(key).number) for key in (KEY, NEXT))
    )

    def found(values: list[bytes]) -> int:
        everything = b"".join(each.read_bytes() for each in state.rglob("*") if each.is_file())
        return sum(value in everything for value in values)

    assert found(gone) == len(gone) > 1
    assert kept(state, KEY) == (5, 4)
    ended = run("intel", "forget", str(state), *named)
    assert ended.returncode == 0, ended.stderr
    assert kept(state, KEY) == (5, 0)
    assert kept(state, NEXT) == (5, 3)
    assert found(gone) == 0
    assert found(stays) == len(stays)
    with EventStore.open(state / "events") as store:
        store.check()


def test_a_key_must_be_named_and_a_store_must_be_there(state: Path, tmp_path: Path) -> None:
    assert run("intel", "forget", str(state)).returncode == 2
    assert run("intel", "forget", str(state), "--key-id", "xyz").returncode == 2
    ended = run("intel", "forget", str(tmp_path), "--key-id", KEY.key_id)
    assert (ended.returncode, "no event store" in ended.stderr) == (2, True)
