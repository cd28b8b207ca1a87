"""Measures as options of the command line: ``--slow 5 --narrow logprobs=0 --for 7d``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from stillwatch.cases import Measure
from stillwatch.cli.clock import DURATION
from stillwatch.errors import InputError

__all__ = ["all_measures", "automatic_measures", "measures_of", "surface_of"]

F = TypeVar("F", bound=Callable[..., Any])
_LISTS = ("models", "response_fields")
_LASTING = click.option(
    "--for", "lasting", type=DURATION, metavar="7d", help="Measures end after so long, 90d at most."
)
_SLOW = click.option("--slow", type=float, metavar="SECONDS", help="Wait before each request.")
_NARROW = click.option(
    "--narrow", multiple=True, metavar="FIELD=VALUE", help="Reduce the surface, as logprobs=0."
)
_VERIFY = click.option(
    "--verify", type=DURATION, metavar="GRACE", help="Ask to verify; refuse everything afterwards."
)
_MARK = click.option("--mark", is_flag=True, help="Strengthen the mark.")
_SUSPEND = click.option("--suspend", is_flag=True, help="Refuse everything; takes two people.")


def automatic_measures(function: F) -> F:
    """The options of measures that a rule may take."""
    for option in (_NARROW, _SLOW, _LASTING):
        function = option(function)
    return function


def all_measures(function: F) -> F:
    """The options of all measures."""
    for option in (_SUSPEND, _MARK, _NARROW, _SLOW, _VERIFY, _LASTING):
        function = option(function)
    return function


def measures_of(
    lasting: int | None,
    *,
    verify: int | None = None,
    slow: float | None = None,
    narrow: tuple[str, ...] = (),
    mark: bool = False,
    suspend: bool = False,
) -> tuple[Measure, ...]:
    """The measures that the options say.

    Raises:
        UsageError: there are some, and no end.
        InputError: a field to narrow is written wrongly.
    """
    asked: list[dict[str, Any]] = []
    if verify is not None:
        asked.append({"kind": "verify", "seconds": float(verify)})
    if slow is not None:
        asked.append({"kind": "slow", "seconds": slow})
    if narrow:
        asked.append({"kind": "narrow", "surface": surface_of(narrow)})
    asked += [{"kind": kind} for kind, given in (("mark", mark), ("suspend", suspend)) if given]
    if asked and lasting is None:
        raise click.UsageError("measures must end: say when with --for, such as --for 7d")
    return tuple(Measure(lasting=lasting or 0, **each) for each in asked)


def surface_of(pairs: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a surface, written as ``FIELD=VALUE``.

    Raises:
        InputError: one has no value, or stands twice.
    """
    fields: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name in fields:
            raise InputError(f"--narrow {pair}: write each field once, as logprobs=0")
        if name in _LISTS:
            fields[name] = [part for part in text.split(",") if part]
            continue
        try:
            fields[name] = json.loads(text)
        except ValueError:
            fields[name] = text
    return fields
