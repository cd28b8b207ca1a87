"""When a store that failed is asked again, and what is kept for it."""

from __future__ import annotations

from stillwatch.access.limits.circuit import Circuit, Later


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_store_is_asked_until_it_failed_three_times_in_a_row() -> None:
    circuit = Circuit(1.0, clock=Seconds())
    for _ in range(2):
        circuit.failed(OSError())
    circuit.succeeded()
    for _ in range(2):
        circuit.failed(OSError())
        assert circuit.may_try()
    circuit.failed(OSError())
    assert not circuit.may_try()


def test_while_it_is_away_one_caller_a_pause_asks() -> None:
    seconds = Seconds()
    circuit = Circuit(1.0, clock=seconds)
    for _ in range(3):
        circuit.failed(OSError())
    for _ in range(3):
        assert [circuit.may_try() for _ in range(3)] == [False] * 3
        seconds.now += 1
        assert [circuit.may_try() for _ in range(3)] == [True, False, False]
        circuit.failed(OSError())
    seconds.now += 1
    assert circuit.may_try()
    circuit.succeeded()
    assert [circuit.may_try() for _ in range(3)] == [True] * 3


def told(later: Later[str]) -> list[str]:
    """Everything that waits, in the order in which it is told."""
    messages = []
    while (message := later.first()) is not None:
        messages.append(message)
        later.told(message)
    return messages


def test_what_waits_is_bounded_and_what_goes_is_counted() -> None:
    later: Later[str] = Later(3, 60, clock=Seconds())
    for message in "abcde":
        later.add(message)
    assert (len(later), later.lost) == (3, 2)
    assert told(later) == ["c", "d", "e"]
    assert (len(later), later.lost) == (0, 2)


def test_what_could_not_be_told_waits_on_as_the_first() -> None:
    later: Later[str] = Later(3, 60, clock=Seconds())
    later.add("first")
    later.add("second")
    assert later.first() == "first"
    assert len(later) == 2
    assert told(later) == ["first", "second"]


def test_what_made_room_while_it_was_told_takes_no_other_with_it() -> None:
    later: Later[str] = Later(1, 60, clock=Seconds())
    later.add("first")
    message = later.first()
    assert message == "first"
    later.add("second")
    later.told(message)
    assert told(later) == ["second"]


def test_what_waited_too_long_to_matter_is_not_told() -> None:
    seconds = Seconds()
    later: Later[str] = Later(3, 60, clock=seconds)
    later.add("old")
    seconds.now = 30
    later.add("new")
    seconds.now = 60
    assert told(later) == ["new"]
    assert later.lost == 1
