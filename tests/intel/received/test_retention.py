"""What was received goes when its sender said, or after the period, and not before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from stillwatch.cases.periods import Periods
from stillwatch.intel.keeping import kept_of
from stillwatch.intel.profile import DISTILLATION, Seal, extension_of
from stillwatch.intel.profile.times import written
from stillwatch.intel.received import Imported, Received
from stillwatch.intel.received.retention import expire_received
from tests.intel.received.conftest import AT, DAY, NOW, A, B, Clock, matched

Takes = Callable[..., Imported]


def kept_until(told: dict[str, Any], days: int) -> dict[str, Any]:
    """A's object, to be deleted so many days from now."""
    own = extension_of(told) | {"retain_until": written(AT + timedelta(days=days))}
    return Seal.sign(told | {"extensions": told["extensions"] | {DISTILLATION: own}}, A.key)


def test_an_object_goes_when_its_sender_said_and_is_refused_when_it_comes_again(
    received: Received, takes: Takes, clock: Clock
) -> None:
    told = kept_until(A.tells("card-1", days=20), 10)
    takes(told, kept_until(A.tells("card-2", days=20), 30))
    clock.now += 11 * DAY
    now = int(clock.now)
    assert expire_received(received.database, NOW - DAY, now, apply=False) == 1
    assert expire_received(received.database, NOW - DAY, now, apply=True) == 1
    assert len(received.indicators()) == 1
    assert "wanted it deleted" in takes(told).refused[0].reason


def test_what_says_nothing_of_it_goes_the_period_after_it_ended(
    received: Received, takes: Takes, clock: Clock
) -> None:
    told = A.tells("card-1", days=5)
    takes(told, B.tells("card-1", days=50), A.author.described("A", AT))
    received.keep_hits(matched(told, "acct-1"))
    before = NOW + 6 * DAY
    over = expire_received(received.database, before, before + 90 * DAY, apply=True)
    assert over == 2  # the object of five days, and the hit
    assert {each.sender for each in received.indicators()} == {B.identity}
    assert expire_received(received.database, before, before + 90 * DAY, apply=True) == 0


def test_the_job_finds_what_was_received_in_a_state_folder(tmp_path: Path) -> None:
    from stillwatch.intel.received import open_received

    with open_received(tmp_path, create=True, clock=lambda: NOW) as store:
        store.add_member(A.identity, "a", A.key.public, "ana")
        store.take_in([A.tells("card-1", days=5)], source="file", by="job")
    with kept_of(tmp_path, Periods()) as [received]:
        assert (received.name, received.days) == ("received", 90)
        assert received.expire(NOW + 4 * DAY, False) == 0
        assert received.expire(NOW + 6 * DAY, False) == 1
