"""One condition: compiled by the engine, checked here, and what it reads of a request."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import cel
import msgspec

from stillwatch.access.checking import check
from stillwatch.access.expressions import (
    Binary,
    ConditionError,
    Index,
    Listing,
    Literal,
    Name,
    Node,
    Unary,
    conjuncts,
    walk,
)
from stillwatch.access.facts import FACTS, UNKNOWN, Asked, Caller, Origin, RequestFacts
from stillwatch.access.parsing import parse
from stillwatch.access.surface import Reasoning

__all__ = ["PLACES", "UNSEEN", "Condition", "assuming", "compile_condition", "context_of"]

#: What each fact about places is when it is not known.
UNSEEN: dict[str, str | int] = {
    "ip_country": UNKNOWN,
    "kyc_country": UNKNOWN,
    "country_agrees": UNKNOWN,
    "asn_class": UNKNOWN,
    "asn": 0,
}
PLACES = frozenset(UNSEEN)

#: Beyond this, int and double cannot be told apart by a comparison, and nothing may rest on it.
_EXACT = 2**53
_LARGEST = 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that may be evaluated.

    `reads` are the facts that it names. `unsaid` are places that it reads without ever comparing
    them with unknown; of these `excluded` are compared only so that unknown is treated as the other
    places are that the condition is about (``ip_country != 'DE'``). `compared` maps each fact that
    is only ever compared with written values to these values: nothing else about it matters.
    `fallible` says that evaluating it may fail (an index, arithmetic).
    """

    source: str
    tree: Node
    program: Any
    reads: frozenset[str]
    unsaid: frozenset[str]
    excluded: frozenset[str]
    compared: dict[str, frozenset[str | int | float]]
    fallible: bool

    @property
    def conjuncts(self) -> frozenset[Node]:
        """What must hold for it to hold; nothing for ``true``."""
        return frozenset(n for n in conjuncts(self.tree) if n != _TRUE)


_TRUE = Literal("bool", True, "true")
_FALSE = Literal("bool", False, "false")


def compile_condition(source: str) -> Condition:
    """Check a condition and compile it.

    Raises:
        ConditionError: what is wrong with it, in words for its author.
    """
    try:
        return _compile(source)
    except RecursionError as error:
        raise ConditionError("too many operators; write several rules") from error


def _compile(source: str) -> Condition:
    tree = parse(source)
    check(tree)
    nodes = walk(tree)
    if _FALSE in conjuncts(tree):
        raise ConditionError("it holds for no request")
    reads = frozenset(node.name for node in nodes if isinstance(node, Name))
    if not reads and tree != _TRUE:
        raise ConditionError("it reads nothing of the request; `true` holds for every one")
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise ConditionError(f"the engine cannot read it: {error}") from error
    unsaid = (reads & PLACES) - _named_unknown(nodes)
    condition = Condition(
        source=source,
        tree=tree,
        program=program,
        reads=reads,
        unsaid=unsaid,
        excluded=frozenset(place for place in unsaid if _excludes(tree, place)),
        compared=_compared(nodes),
        fallible=any(map(_may_fail, nodes)),
    )
    for sample in _SAMPLES:
        _try(condition, sample)
    return condition


def assuming(tree: Node, unseen: frozenset[str], favour: bool) -> Node:
    """The condition where every test of an unseen place counts for it (`favour`) or against it."""
    if not any(isinstance(below, Name) and below.name in unseen for below in walk(tree)):
        return tree
    match tree:
        case Unary("!", of):
            return Unary("!", assuming(of, unseen, not favour))
        case Binary("&&" | "||" as sign, left, right):
            return Binary(sign, assuming(left, unseen, favour), assuming(right, unseen, favour))
    return _TRUE if favour else _FALSE


def context_of(values: dict[str, object]) -> cel.Context:
    """Facts, as the engine wants them: whole numbers within 64 bits, and texts that are Unicode.

    What is no Unicode becomes U+FFFD, which no condition may name; NaN, which the engine does not
    compare and JSON does not carry, counts as infinite.
    """
    for name, value in values.items():
        if type(value) is int and not -_LARGEST <= value <= _LARGEST:
            values[name] = _LARGEST if value > 0 else -_LARGEST
        elif value != value:
            values[name] = math.inf
    try:
        return cel.Context(values)
    except ValueError:
        return cel.Context({name: _unicode(value) for name, value in values.items()})


def _unicode(value: object) -> object:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    return [_unicode(each) for each in value] if isinstance(value, list | tuple) else value


def _try(condition: Condition, sample: RequestFacts) -> None:
    """The engine must agree that this is true or false: the check's types are not its own."""
    context = context_of({name: FACTS[name].read(sample) for name in condition.reads})
    try:
        result = condition.program.execute(context)
    except (IndexError, ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        if condition.fallible and not isinstance(error, RuntimeError | ValueError):
            return  # TypeError too: 0.0 / 0.0 is NaN, which the engine does not compare
        raise ConditionError(f"the engine fails on it: {error}") from error
    if not isinstance(result, bool):
        raise ConditionError(f"it gives {result!r} where true or false is needed")


def _may_fail(node: Node) -> bool:
    return isinstance(node, Index) or (
        isinstance(node, Binary | Unary) and node.sign in ("+", "-", "*", "/", "%")
    )


def _atom(node: Node) -> tuple[str, str, tuple[Literal, ...]] | None:
    """A fact that is compared with written values: its name, the sign, the values."""
    match node:
        case Binary("in", Name(name), Listing(items)):
            return name, "in", items
        case Binary(
            ("==" | "!=" | "<" | "<=" | ">" | ">=") as sign, Name(name), Literal() as value
        ):
            return name, sign, (value,)
        case Binary(
            ("==" | "!=" | "<" | "<=" | ">" | ">=") as sign, Literal() as value, Name(name)
        ):
            return name, sign, (value,)  # which way round does not matter to any caller
    return None


def _named_unknown(nodes: Sequence[Node]) -> frozenset[str]:
    atoms = [atom for node in nodes if (atom := _atom(node))]
    return frozenset(
        name
        for name, _, values in atoms
        if name in UNSEEN and any(value.value == UNSEEN[name] for value in values)
    )


def _excludes(tree: Node, place: str) -> bool:
    """Whether every test of `place` holds when it is unknown, and helps the condition to hold."""

    def all_hold(node: Node, helps: bool) -> bool:
        if not any(isinstance(below, Name) and below.name == place for below in walk(node)):
            return True
        match node:
            case Unary("!", of):
                return all_hold(of, not helps)
            case Binary("&&" | "||", left, right):
                return all_hold(left, helps) and all_hold(right, helps)
        atom = _atom(node)
        return atom is not None and (
            (atom[1] == "!=" and helps) or (atom[1] in ("==", "in") and not helps)
        )

    return all_hold(tree, True)


def _compared(nodes: Sequence[Node]) -> dict[str, frozenset[str | int | float]]:
    uses: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, Name):
            uses[node.name] = uses.get(node.name, 0) + 1
    values: dict[str, set[str | int | float]] = {}
    for node in nodes:
        if (atom := _atom(node)) and all(_exact(value) for value in atom[2]):
            uses[atom[0]] -= 1
            values.setdefault(atom[0], set()).update(value.value for value in atom[2])
    return {name: frozenset(found) for name, found in values.items() if uses[name] == 0}


def _exact(value: Literal) -> bool:
    return isinstance(value.value, str) or abs(value.value) < _EXACT


_SAMPLES = (
    RequestFacts(caller=None, asked=Asked(model="")),
    RequestFacts(
        caller=Caller(key_id="k", account="a", purposes=("research",), kyc_country="DE"),
        asked=Asked(
            model="m", max_tokens=1, temperature=0.5, reasoning=Reasoning.FULL, bias=(1, 2)
        ),
        origin=Origin(country="FR", asn=1, asn_class="isp"),
        at=1e9,
    ),
)
