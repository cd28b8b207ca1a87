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


def test_what_waits_is_bounded_and_what_goes_is_counted() -> None:
    later: Later[int] = Later(3, 60, clock=Seconds())
    for number in range(5):
        later.add(number)
    assert (len(later), later.lost) == (3, 2)
    taken = [later.take() for _ in range(4)]
    assert taken == [(60.0, 2), (60.0, 3), (60.0, 4), None]


def test_what_is_put_back_comes_first_and_no_later() -> None:
    seconds = Seconds()
    later: Later[str] = Later(3, 60, clock=seconds)
    later.add("first")
    seconds.now = 30
    later.add("second")
    taken = later.take()
    assert taken == (60.0, "first")
    later.put_back(*taken)
    assert later.take() == (60.0, "first")


def test_what_waited_too_long_to_matter_is_not_told() -> None:
    seconds = Seconds()
    later: Later[str] = Later(3, 60, clock=seconds)
    later.add("old")
    seconds.now = 60
    assert later.take() is None
    assert later.lost == 1
