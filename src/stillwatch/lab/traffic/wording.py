"""Wordings of one intent: a small grammar of alternatives, expanded at random.

``{Sort|Group} the {|following }<what>`` has alternatives in braces (they nest, and may be empty)
and slots in angle brackets. With few, long alternatives it is a clause grammar (tier T1); with
many short ones it is a paraphrase (tier T2), whose five-word runs almost never come back. A
backslash takes the next character as it is. An empty alternative leaves no double blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

__all__ = ["Wording", "pick"]

T = TypeVar("T")

_TOKEN = re.compile(r"\\.|[{}|]|<[a-z_]+>|[^{}|<\\]+|<")


class _Choice:
    """Alternatives; each is a sequence of literals (str), slots and choices."""

    __slots__ = ("ways",)

    def __init__(self, ways: list[list[object]]) -> None:
        self.ways = ways


class _Slot:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Wording:
    """A parsed grammar. :meth:`say` expands it once.

    Raises:
        ValueError: braces of `grammar` do not match.
    """

    def __init__(self, grammar: str) -> None:
        self._root: list[object] = []
        stack: list[_Choice] = []
        current = self._root
        for token in _TOKEN.findall(grammar):
            if token == "{":
                choice = _Choice([[]])
                current.append(choice)
                stack.append(choice)
                current = choice.ways[0]
            elif token == "|" and stack:
                current = []
                stack[-1].ways.append(current)
            elif token == "}":
                if not stack:
                    raise ValueError(f"a brace is closed but not opened in {grammar[:60]!r}")
                stack.pop()
                current = stack[-1].ways[-1] if stack else self._root
            elif token[0] == "\\":
                current.append(token[1])
            elif token[0] == "<" and len(token) > 1:
                current.append(_Slot(token[1:-1]))
            else:
                current.append(token)
        if stack:
            raise ValueError(f"a brace is opened but not closed in {grammar[:60]!r}")

    def say(self, rng: Random, **slots: str) -> str:
        """One expansion. A slot without a value is a ``KeyError``."""
        parts: list[str] = []
        _expand(self._root, rng.random, slots, parts)
        return "".join(parts).strip(" ")


def _expand(
    nodes: list[object], draw: Callable[[], float], slots: dict[str, str], into: list[str]
) -> None:
    for node in nodes:
        if isinstance(node, str):
            if into and into[-1][-1:] == " " and node[0] in " ,.;:?!\n":
                into[-1] = into[-1][:-1]  # an empty alternative stood between two blanks
            into.append(node)
        elif isinstance(node, _Choice):
            _expand(node.ways[int(draw() * len(node.ways))], draw, slots, into)
        elif isinstance(node, _Slot):
            into.append(slots[node.name])


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of `options`, uniformly. Uses ``random()`` alone: the same in every Python version."""
    return options[int(rng.random() * len(options))]
