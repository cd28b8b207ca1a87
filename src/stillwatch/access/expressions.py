"""The part of CEL that conditions may use, as a tree.

The engine compares a text with a number without complaint, and tells nothing about how an
expression uses a name. Rules need both: types that are checked before a rule is in force, and the
thresholds that a fact is held against. So :mod:`stillwatch.access.parsing` reads a condition too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "Binary",
    "Call",
    "Choice",
    "ConditionError",
    "Index",
    "Listing",
    "Literal",
    "Name",
    "Node",
    "Unary",
    "conjuncts",
    "walk",
]


class ConditionError(ValueError):
    """What is wrong with a condition, in words for its author."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number or truth value; `kind` keeps 1, 1.0 and true apart."""

    kind: str
    value: str | int | float | bool
    source: str = field(compare=False)

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Name:
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Listing:
    """``['a', 'b']``: literals only."""

    items: tuple[Literal, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    of: Node

    def __str__(self) -> str:
        return f"{self.sign}({self.of})"


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node

    def __str__(self) -> str:
        return f"{_within(self.left)} {self.sign} {_within(self.right)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """``condition ? yes : no``."""

    condition: Node
    yes: Node
    no: Node

    def __str__(self) -> str:
        return f"{_within(self.condition)} ? {_within(self.yes)} : {_within(self.no)}"


@dataclass(frozen=True, slots=True)
class Call:
    """``size(x)``, or ``x.startsWith(y)``, whose first argument is x."""

    function: str
    arguments: tuple[Node, ...]
    method: bool

    def __str__(self) -> str:
        if self.method:
            others = ", ".join(map(str, self.arguments[1:]))
            return f"{_within(self.arguments[0])}.{self.function}({others})"
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Index:
    of: Node
    at: Node

    def __str__(self) -> str:
        return f"{_within(self.of)}[{self.at}]"


Node = Literal | Name | Listing | Unary | Binary | Choice | Call | Index


def _within(node: Node) -> str:
    return f"({node})" if isinstance(node, Binary | Choice | Unary) else str(node)


def walk(node: Node) -> list[Node]:
    """The node and all below it."""
    match node:
        case Unary(_, of):
            below: tuple[Node, ...] = (of,)
        case Binary(_, left, right):
            below = (left, right)
        case Choice(condition, yes, no):
            below = (condition, yes, no)
        case Call(_, arguments, _):
            below = arguments
        case Index(of, at):
            below = (of, at)
        case Listing(items):
            below = items
        case _:
            below = ()
    return [node, *(each for child in below for each in walk(child))]


def conjuncts(node: Node) -> frozenset[Node]:
    """What must hold for `node` to hold: the operands of its outermost ``&&``."""
    if isinstance(node, Binary) and node.sign == "&&":
        return conjuncts(node.left) | conjuncts(node.right)
    return frozenset({node})
