"""A condition's text → its tree, by the grammar of the CEL specification.

Left out are macros, maps, messages, ``null``, bytes and unsigned numbers. What this parser accepts,
the engine reads the same way: a property test evaluates both.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import cel

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

__all__ = ["parse"]

_LONGEST = 10_000
_DEEPEST = 50
_MACROS = frozenset({"has", "all", "exists", "exists_one", "map", "filter"})
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>[rR](?:'[^'\n]*'|"[^"\n]*")|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<number>(?:0[xX][0-9a-fA-F]+|[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+(?:[eE][-+]?[0-9]+)?)
        [uU]?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:()\[\],.])""",
    re.VERBOSE,
)
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_BINARY: tuple[frozenset[str], ...] = (
    frozenset({"||"}), frozenset({"&&"}), _COMPARISONS, frozenset("+-"), frozenset("*/%"),
)  # fmt: skip


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(source):
        if source[at : at + 3] in ("'''", '"""'):
            raise ConditionError("texts in triple quotes are not supported; use one quote")
        found = _TOKEN.match(source, at)
        if found is None:
            raise ConditionError(
                f"cannot read it from {source[at : at + 20]!r} on{_advice(source[at])}"
            )
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind, found.group()))
        at = found.end()
    return tokens


def _advice(character: str) -> str:
    return {
        "=": "; equality is ==",
        "&": "; and is &&",
        "|": "; or is ||",
        "'": "; a text ends with the quote that it begins with, on the same line",
        '"': "; a text ends with the quote that it begins with, on the same line",
        "{": "; maps are not supported",
    }.get(character, "")


def parse(source: str) -> Node:
    """The tree of a condition.

    Raises:
        ConditionError: it is not CEL, or uses a part of CEL that conditions may not.
    """
    if len(source) > _LONGEST:
        raise ConditionError(f"longer than {_LONGEST} characters")
    if not (tokens := _tokens(source)):
        raise ConditionError("the condition is empty; `true` holds for every request")
    parser = _Parser(tokens)
    node = parser.expression()
    parser.end()
    return node


class _Parser:
    """Recursive descent; every method reads one construct and stands behind it afterwards."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConditionError(f"nested more than {_DEEPEST} deep")
        condition = self._binary(0)
        if self._take("?"):
            yes = self._binary(0)
            self._expect(":")
            condition = Choice(condition, yes, self.expression())
        self._depth -= 1
        return condition

    def end(self) -> None:
        if self._at < len(self._tokens):
            word = self._tokens[self._at].text
            advice = {"and": "; and is &&", "or": "; or is ||", "not": "; not is !"}.get(word, "")
            raise ConditionError(f"{word!r} is not expected there{advice}")

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._unary()
        node = self._binary(level + 1)
        while (sign := self._peek()) in _BINARY[level] and self._kind() != "string":
            self._at += 1
            node = Binary(sign, node, self._binary(level + 1))
        return node

    def _unary(self) -> Node:
        signs: list[str] = []
        while (sign := self._peek()) in ("!", "-") and self._kind() == "sign":
            signs.append(sign)
            self._at += 1
        if len(signs) > 1:
            raise ConditionError(f"write {''.join(signs)!r} with parentheses, or without it")
        node = self._member()
        if signs == ["-"] and isinstance(node, Literal) and node.kind in ("int", "double"):
            return Literal(node.kind, -node.value, f"-{node.source}")  # type: ignore[operator]
        return Unary(signs[0], node) if signs else node

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._take("."):
                word = self._word()
                if not self._take("("):
                    raise ConditionError(f"facts are flat: there is nothing like {node}.{word}")
                node = self._call(word, (node,), method=True)
            elif self._take("["):
                at = self.expression()
                self._expect("]")
                node = Index(node, at)
            else:
                return node

    def _primary(self) -> Node:
        if self._at == len(self._tokens):
            raise ConditionError("it ends where something more is expected")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind in ("string", "number"):
            return _literal(kind, text)
        if kind == "word":
            return self._named(text)
        if text == "(":
            node = self.expression()
            self._expect(")")
            return node
        if text == "[":
            return self._listing()
        raise ConditionError(f"{text!r} is not expected there")

    def _named(self, word: str) -> Node:
        if word in ("true", "false"):
            return Literal("bool", word == "true", word)
        if word in ("null", "in"):
            raise ConditionError(f"{word!r} is not expected there; every fact has a value")
        return self._call(word, (), method=False) if self._take("(") else Name(word)

    def _call(self, function: str, first: tuple[Node, ...], *, method: bool) -> Node:
        if function in _MACROS:
            raise ConditionError(
                f"the macro {function}() is not supported; ask whether a list holds a text with"
                " `'text' in list`, and write other tests one by one with && and ||"
            )
        arguments = list(first)
        while not self._take(")"):
            arguments.append(self.expression())
            if self._peek() != ")":
                self._expect(",")
        return Call(function, tuple(arguments), method)

    def _listing(self) -> Node:
        items: list[Literal] = []
        while not self._take("]"):
            item = self._unary()
            if not isinstance(item, Literal):
                raise ConditionError(f"a list may hold texts and numbers only, not {item}")
            items.append(item)
            if self._peek() != "]":
                self._expect(",")
        return Listing(tuple(items))

    def _kind(self) -> str:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else "end"

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _take(self, sign: str) -> bool:
        if self._peek() != sign or self._kind() != "sign":
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ConditionError(f"{sign!r} is expected before {self._peek() or 'its end'!r}")

    def _word(self) -> str:
        word = self._peek()
        if self._kind() != "word":
            raise ConditionError(f"a name is expected before {word or 'its end'!r}")
        self._at += 1
        return word


def _literal(kind: str, text: str) -> Literal:
    if kind == "number" and text[-1] in "uU":
        raise ConditionError(f"unsigned numbers are not supported: write {text[:-1]}")
    try:
        value = cel.evaluate(text)  # the engine's own reading of escapes and digits
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConditionError(f"{text} is not a value that CEL knows") from error
    if isinstance(value, str) and "\ufffd" in value:
        raise ConditionError("U+FFFD stands for what is no text, and may not be named")
    kinds = {str: "string", int: "int", float: "double"}
    return Literal(kinds[type(value)], value, text)
