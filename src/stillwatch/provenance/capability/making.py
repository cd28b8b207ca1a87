"""Tasks drawn from a seed: as many as wanted, new each time, with one right answer each.

A set that is public can be trained on. One that is drawn from a secret seed after a model was
released cannot have been, and anybody who is given the seed draws it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from stillwatch.provenance.capability.tasks import Task, TaskSet

__all__ = ["DOMAINS", "make_tasks"]

_NAMES: Final = (
    "Ada", "Bo", "Chen", "Dara", "Eli", "Farah", "Gus", "Hana", "Ivan", "Jun", "Kim", "Lea",
    "Mira", "Noor", "Otto", "Pia", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Vik", "Wren", "Yara",
)  # fmt: skip
_THINGS: Final = ("stamps", "marbles", "shells", "cards", "coins", "beads", "apples", "tickets")
_WORDS: Final = (
    "river", "lantern", "copper", "meadow", "violin", "harbour", "pepper", "thunder", "button",
    "ladder", "orchard", "pillow", "saddle", "tunnel", "window", "yellow", "bottle", "cabbage",
    "dinner", "feather", "glacier", "hammock", "island", "jigsaw", "kettle", "mirror", "needle",
)  # fmt: skip
_NUMBER: Final = " End with “Answer:” and the number alone."
_ONE_WORD: Final = " End with “Answer:” and that alone."
_UNITS: Final = (
    ("kilometres", "metres", Fraction(1000)), ("hours", "minutes", Fraction(60)),
    ("days", "hours", Fraction(24)), ("weeks", "days", Fraction(7)),
    ("kilograms", "grams", Fraction(1000)), ("litres", "millilitres", Fraction(1000)),
    ("dozens of eggs", "eggs", Fraction(12)), ("feet", "inches", Fraction(12)),
    ("yards", "feet", Fraction(3)), ("degrees", "minutes of arc", Fraction(60)),
)  # fmt: skip


def _stories(dice: random.Random) -> Task:
    """What somebody holds after one to six changes."""
    name, thing = dice.choice(_NAMES), dice.choice(_THINGS)
    held = dice.randint(12, 90)
    said = [f"{name} has {held} {thing}."]
    for _ in range(dice.randint(1, 6)):
        match dice.choice(["gets", "gives", "doubles", "boxes", "halves"]):
            case "gives" if held > 5:
                lost = dice.randint(2, held - 2)
                held -= lost
                said.append(f"{name} gives {lost} away.")
            case "doubles" if held < 200:
                held *= 2
                said.append(f"Then {name} finds as many again as are there.")
            case "boxes":
                boxes, each = dice.randint(2, 9), dice.randint(3, 12)
                held += boxes * each
                said.append(f"{name} buys {boxes} boxes of {each}.")
            case "halves" if held % 2 == 0:
                held //= 2
                said.append(f"{name} sells half of them.")
            case _:
                more = dice.randint(3, 40)
                held += more
                said.append(f"A friend brings {more} more.")
    asked = f"How many {thing} does {name} have now?{_NUMBER}"
    return Task(f"{' '.join(said)} {asked}", str(held), "number", "stories")


def _units(dice: random.Random) -> Task:
    """A measure in a smaller unit, after something was added or shared."""
    large, small, ratio = dice.choice(_UNITS)
    amount = Fraction(dice.randint(2, 60), dice.choice([1, 1, 2, 4, 5]))
    extra, parts = dice.randint(1, 50), dice.choice([1, 1, 2, 4, 5, 8])
    value = (amount * ratio + extra) / parts
    shared = "" if parts == 1 else f", shared evenly among {parts}"
    return Task(
        f"{float(amount):g} {large} and {extra} {small}{shared}: how many {small} each, as a "
        f"decimal number?{_NUMBER}",
        f"{float(value):.12g}", "number", "units",
    )  # fmt: skip


def _sequences(dice: random.Random) -> Task:
    """The next term of a rule that the first six show."""
    a, b, c = dice.randint(1, 12), dice.randint(2, 9), dice.randint(1, 9)
    rules: list[Callable[[int], int]] = [
        lambda n: a + b * n,
        lambda n: a * 2**n + c,
        lambda n: n * n * b + c,
        lambda n: a + b * n if n % 2 else a * 3 + c * n,
        lambda n: n * (n + 1) // 2 * b + a,
        lambda n: (-1) ** n * (a + c * n),
    ]
    rule = dice.choice(rules)
    shown = ", ".join(str(rule(n)) for n in range(6))
    return Task(f"Which number comes next: {shown}, …?{_NUMBER}", str(rule(6)), "number",
                "sequences")  # fmt: skip


def _orders(dice: random.Random) -> Task:
    """Who stands at a place, of three to seven people, from comparisons of neighbours."""
    people = dice.sample(_NAMES, dice.randint(3, 7))
    said = [
        f"{a} is taller than {b}." if dice.random() < 0.5 else f"{b} is shorter than {a}."
        for a, b in pairwise(people)
    ]
    dice.shuffle(said)
    place = dice.randrange(len(people))
    ordinal = ("tallest", "second tallest", "third tallest", "fourth tallest", "fifth tallest",
               "sixth tallest", "seventh tallest")[place]  # fmt: skip
    return Task(f"{' '.join(said)} Who is the {ordinal}?{_ONE_WORD}", people[place], "words",
                "orders")  # fmt: skip


def _calendars(dice: random.Random) -> Task:
    """A day of the week some days off, or a time of day some minutes off."""
    if dice.random() < 0.5:
        start = date(dice.randint(2001, 2039), 1, 1) + timedelta(dice.randrange(365))
        days = dice.choice([dice.randint(2, 30), dice.randint(31, 400)])
        then = start + timedelta(days)
        return Task(
            f"{start:%d %B %Y} is a {start:%A}. Which day of the week is it {days} days later?"
            f"{_ONE_WORD}",
            f"{then:%A}", "words", "calendars",
        )  # fmt: skip
    minute, passed = dice.randrange(1440), dice.randint(5, 2000)
    end = (minute + passed) % 1440
    return Task(
        f"It is {minute // 60:02}:{minute % 60:02}. What does a 24-hour clock show {passed} "
        f"minutes later? Write it as HH:MM.{_ONE_WORD}",
        f"{end // 60:02}:{end % 60:02}", "words", "calendars",
    )  # fmt: skip


def _letters(dice: random.Random) -> Task:
    """What is in words, letter by letter."""
    words = dice.sample(_WORDS, dice.randint(2, 6))
    listed = ", ".join(words)
    match dice.choice(["count", "initials", "longest", "reverse"]):
        case "count":
            letter = dice.choice("".join(words))
            return Task(f"How often does the letter {letter} occur in: {listed}?{_NUMBER}",
                        str("".join(words).count(letter)), "number", "letters")  # fmt: skip
        case "initials":
            return Task(f"Write the last letters of these one after the other: {listed}."
                        f"{_ONE_WORD}", "".join(w[-1] for w in words), "words",
                        "letters")  # fmt: skip
        case "longest":
            return Task(f"How many letters have these words together: {listed}?{_NUMBER}",
                        str(len("".join(words))), "number", "letters")  # fmt: skip
        case _:
            return Task(f"Write the word {words[0]} backwards.{_ONE_WORD}", words[0][::-1],
                        "words", "letters")  # fmt: skip


_MAKERS: Final[dict[str, Callable[[random.Random], Task]]] = {
    "stories": _stories,
    "units": _units,
    "sequences": _sequences,
    "orders": _orders,
    "calendars": _calendars,
    "letters": _letters,
}
#: what our tasks are about
DOMAINS: Final = tuple(_MAKERS)


def make_tasks(seed: int | str, each: int = 50) -> TaskSet:
    """`each` tasks of every domain, the same for the same seed in every version of Python.

    Raises:
        ValueError: more are wanted of a domain than it has.
    """
    found: dict[str, Task] = {}
    for domain, make in _MAKERS.items():
        dice = random.Random(f"{seed}/{domain}")
        wanted, tries = len(found) + each, 0
        while len(found) < wanted:
            task = make(dice)
            found.setdefault(task.prompt, task)
            if (tries := tries + 1) > 20 * each + 1000:
                raise ValueError(f"there are no {each:,} different tasks of {domain}")
    return TaskSet.of("drawn", tuple(found.values()))
