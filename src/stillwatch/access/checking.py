"""Types of a condition, found without evaluating it.

The engine answers false to ``tier == 1`` and stops at ``tier > 1`` only when a request comes: both
are refused here, and so is a value that a fact never has (``asn_class == 'hostng'``), since a
condition that can never hold looks like one that never had to.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import cel

from stillwatch.access.countries import COUNTRIES
from stillwatch.access.expressions import (
    Binary,
    Call,
    Choice,
    ConditionError,
    Index,
    Listing,
    Literal,
    Name,
    Node,
    Unary,
)
from stillwatch.access.facts import FACTS, UNKNOWN, Replay
from stillwatch.access.surface import Reasoning, Structure

__all__ = ["ASN_CLASSES", "check", "nearest", "possible"]

#: What kinds of networks are told apart, the most telling first; :data:`UNKNOWN` besides.
ASN_CLASSES = ("vpn", "cdn", "cloud", "hosting", "education", "mobile", "isp")

_WORDS: dict[str, tuple[str, ...]] = {
    "asn_class": (*ASN_CLASSES, UNKNOWN),
    "country_agrees": ("yes", "no", UNKNOWN),
    "reasoning": tuple(each.name.lower() for each in Reasoning),
    "reasoning_replay": tuple(each.name.lower() for each in Replay),
    "structure": tuple(each.name.lower() for each in Structure),
}
_COUNTRIES = frozenset({"ip_country", "kyc_country"})
_NUMBERS = frozenset({"int", "double"})
#: function or method → types of its arguments → type of its result
_FUNCTIONS: dict[str, dict[tuple[str, ...], str]] = {
    "size": {("string",): "int", ("list",): "int"},
    "double": {("int",): "double", ("double",): "double"},
    "startsWith": {("string", "string"): "bool"},
    "endsWith": {("string", "string"): "bool"},
    "contains": {("string", "string"): "bool"},
    "matches": {("string", "string"): "bool"},
}
_METHODS = frozenset({"size", "startsWith", "endsWith", "contains", "matches"})
_BARE = frozenset({"size", "double"})
_SAY = {
    "string": "a text", "int": "a whole number", "double": "a number", "bool": "true or false",
    "list": "a list of texts", "strings": "a list of texts", "numbers": "a list of numbers",
}  # fmt: skip


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing when no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def check(node: Node) -> None:
    """Refuse a condition that is not true or false, or holds a comparison that makes no sense.

    Raises:
        ConditionError: with the part that is wrong and what to write in its place.
    """
    found = _type(node)
    if found != "bool":
        raise ConditionError(f"a condition must be true or false; this one is {_SAY[found]}")


def _type(node: Node) -> str:
    match node:
        case Literal(kind):
            return kind
        case Name(name):
            return _fact(name)
        case Listing():
            return _listing(node)
        case Unary():
            return _unary(node)
        case Binary(sign, left, right) if sign in ("&&", "||"):
            for side in (left, right):
                _must_be_bool(side, f"{sign} joins conditions")
            return "bool"
        case Binary("in"):
            return _membership(node)
        case Binary("==" | "!=" | "<" | "<=" | ">" | ">="):
            return _comparison(node)
        case Binary():
            return _arithmetic(node)
        case Choice(condition, yes, no):
            _must_be_bool(condition, "? follows a condition")
            one, other = _type(yes), _type(no)
            if one != other:
                raise ConditionError(f"{yes} is {_SAY[one]}, but {no} is {_SAY[other]}")
            return one
        case Call():
            return _call(node)
        case Index(of, at):
            if (_type(of), _type(at)) != ("list", "int"):
                raise ConditionError(f"only a list has places to ask for by number, not {of}")
            return "string"


def _fact(name: str) -> str:
    if name not in FACTS:
        advice = nearest(name, FACTS) or "; `stillwatch access names` lists them"
        raise ConditionError(f"no fact is called '{name}'{advice}")
    return FACTS[name].type


def _must_be_bool(node: Node, why: str) -> None:
    if (found := _type(node)) != "bool":
        raise ConditionError(f"{why}, but {node} is {_SAY[found]}")


def _listing(node: Listing) -> str:
    if not node.items:
        raise ConditionError("an empty list holds nothing, so the comparison never changes")
    kinds = {item.kind for item in node.items}
    if kinds == {"string"}:
        return "strings"
    if kinds <= _NUMBERS:
        return "numbers"
    raise ConditionError(f"{node} mixes types; none of its texts can equal one of its numbers")


def _unary(node: Unary) -> str:
    found = _type(node.of)
    if node.sign == "!" and found != "bool":
        raise ConditionError(
            f"! turns true and false around, but {node.of} is {_SAY[found]};"
            f" write !({node.of} …) with the whole comparison in parentheses"
        )
    if node.sign == "-" and found not in _NUMBERS:
        raise ConditionError(f"{node.of} is {_SAY[found]} and has no negative")
    return found


def _membership(node: Binary) -> str:
    one, many = _type(node.left), _type(node.right)
    fits = (one, many) in (("string", "strings"), ("string", "list")) or (
        one in _NUMBERS and many == "numbers"
    )
    if not fits:
        raise ConditionError(
            f"{node.left} is {_SAY[one]}, which {node.right} ({_SAY[many]}) never holds"
        )
    if isinstance(node.left, Name) and isinstance(node.right, Listing):
        for item in node.right.items:
            possible(node.left.name, item.value)
    return "bool"


def _comparison(node: Binary) -> str:
    one, other = _type(node.left), _type(node.right)
    both_numbers = one in _NUMBERS and other in _NUMBERS
    if node.sign not in ("==", "!="):
        if not both_numbers:
            odd, kind = (node.left, one) if one not in _NUMBERS else (node.right, other)
            raise ConditionError(f"{node.sign} compares numbers, but {odd} is {_SAY[kind]}")
    elif one in ("list", "strings", "numbers") or other in ("list", "strings", "numbers"):
        raise ConditionError(f"lists cannot be compared with {node.sign}; use `'text' in list`")
    elif one != other and not both_numbers:
        raise ConditionError(
            f"{node.left} is {_SAY[one]}, but {node.right} is {_SAY[other]}:"
            " they are never equal" + _quoted(node, one, other)
        )
    for fact, value in ((node.left, node.right), (node.right, node.left)):
        if isinstance(fact, Name) and isinstance(value, Literal):
            possible(fact.name, value.value)
    return "bool"


def _quoted(node: Binary, one: str, other: str) -> str:
    """Advice when a text was forgotten to be quoted, or a number was quoted."""
    for side, type_, wanted in ((node.left, one, other), (node.right, other, one)):
        if isinstance(side, Literal) and wanted == "string":
            return f"; write '{side.source}'"
        if isinstance(side, Literal) and type_ == "string":
            return f"; write {side.value} without quotes"
    return ""


def possible(fact: str, value: object) -> None:
    """Refuse a value that the fact never has.

    Raises:
        ConditionError: with the values that it may have.
    """
    if fact in _WORDS and value not in _WORDS[fact]:
        raise ConditionError(
            f"{fact} is never {value!r}{nearest(str(value), _WORDS[fact])}"
            f" (it is one of {', '.join(_WORDS[fact])})"
        )
    if fact in _COUNTRIES and value not in COUNTRIES and value != UNKNOWN:
        raise ConditionError(
            f"{fact} is never {value!r}: it is a code of ISO 3166, two capital letters such as"
            f" 'DE', or '{UNKNOWN}'"
        )


def _arithmetic(node: Binary) -> str:
    one, other = _type(node.left), _type(node.right)
    for side, found in ((node.left, one), (node.right, other)):
        if found not in _NUMBERS:
            raise ConditionError(f"{node.sign} calculates, but {side} is {_SAY[found]}")
    if one != other:
        whole = node.left if one == "int" else node.right
        raise ConditionError(
            f"{node} mixes whole numbers and others, which CEL does not convert;"
            f" write double({whole}), or 1.0 in place of 1"
        )
    if node.sign == "%" and one == "double":
        raise ConditionError("% is for whole numbers")
    return one


def _call(node: Call) -> str:
    known = _METHODS if node.method else _BARE
    if node.function not in known:
        others = _METHODS | _BARE
        way = "x.f(…)" if node.function in _METHODS else "f(x)"
        advice = (
            f"; write it as {way}" if node.function in others else nearest(node.function, others)
        )
        raise ConditionError(
            f"there is no {node.function}() here{advice} (there are: {', '.join(sorted(others))})"
        )
    types = tuple(_type(each) for each in node.arguments)
    result = _FUNCTIONS[node.function].get(types)
    if result is None:
        given = ", ".join(_SAY[each] for each in types) or "nothing"
        raise ConditionError(f"{node}: {node.function}() cannot be asked of {given}")
    if node.function == "matches":
        _pattern(node.arguments[1])
    return result


def _pattern(node: Node) -> None:
    if not isinstance(node, Literal):
        raise ConditionError("the pattern of matches() must be written out, as a text")
    try:
        cel.compile("''.matches(pattern)").execute({"pattern": node.value})
    except (RuntimeError, ValueError) as error:
        raise ConditionError(f"{node} is no regular expression (RE2 syntax)") from error
