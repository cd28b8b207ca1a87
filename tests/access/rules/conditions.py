"""Conditions and requests to try rules with: written out, and drawn by Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stillwatch.access import UNKNOWN, Asked, Caller, Origin, Reasoning, RequestFacts
from stillwatch.access.conditions import compile_condition
from stillwatch.access.effects import Deny, Effect
from stillwatch.access.rules import Rule

__all__ = ["CONDITIONS", "RELATED", "REQUESTS", "request", "rule"]


def rule(name: str, when: str = "true", effect: Effect | None = None, **others: Any) -> Rule:
    return Rule(id=name, effect=effect or Deny(), condition=compile_condition(when), **others)


def request(**fields: Any) -> RequestFacts:
    """A request of a known customer, with some of its fields."""
    parts: dict[Any, dict[str, Any]] = {
        Caller: {"key_id": "k", "account": "acme"}, Asked: {"model": "small"}, Origin: {}
    }  # fmt: skip
    for name, value in fields.items():
        part = next((p for p in parts if name in p.__struct_fields__), None)
        if part is not None:
            parts[part][name] = value
    others = {name: fields[name] for name in ("route", "at") if name in fields}
    return RequestFacts(**{name: part(**parts[part]) for name, part in _PARTS.items()}, **others)


_PARTS: dict[str, Any] = {"caller": Caller, "asked": Asked, "origin": Origin}
_SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_NUMBERS = st.sampled_from(
    ["0", "1", "3", "-1", "1.0", "2.5", "0.5", "-0.5", "1e1", "0x3", "9007199254740993",
     "9007199254740993.0", "9223372036854775807"]
)  # fmt: skip
_NUMERIC = st.sampled_from(["n", "max_tokens", "prompt_tokens", "temperature", "kyc_level", "asn"])
_WORDS = st.sampled_from(["'small'", "'acme'", '"large"', "'default'", r"'\u0061'", "r'a'"])
_WHOLES = st.sampled_from(["n", "prompt_tokens", "kyc_level", "2", "3", "-1"])
_SUMS = st.builds(
    "{0} {4} {1} {5} {2} {6} {3}".format,
    *[_WHOLES] * 4,
    st.sampled_from("+-*/%"),
    st.sampled_from("+-*/%"),
    _SIGNS,
)
_ATOMS = st.one_of(
    _SUMS,
    st.builds("{} {} {}".format, _NUMERIC, _SIGNS, _NUMBERS),
    st.builds("{} {} {}".format, _NUMBERS, _SIGNS, _NUMERIC),
    st.builds("{} {} {}".format, _NUMERIC, _SIGNS, _NUMERIC),
    st.builds("{} in [{}, {}]".format, _NUMERIC, _NUMBERS, _NUMBERS),
    st.builds("{} == {}".format, st.sampled_from(["model", "account", "tier"]), _WORDS),
    st.builds("{} != {}".format, _WORDS, st.sampled_from(["model", "account", "tier"])),
    st.builds("model in [{}, {}]".format, _WORDS, _WORDS),
    st.sampled_from(
        ["stream", "seed", "stream == true", "true", "'research' in purposes", "tier in purposes",
         "purposes[0] == 'research'", "size(purposes) > 1", "purposes.size() == 0",
         "n * max_tokens > 5", "n - 1 == 2", "-n < -1", "n % prompt_tokens == 1",
         "n + 2 * kyc_level - 1 > 3", "8 / n / 2 == 1", "double(n) / temperature > 2.0",
         "1.0 / temperature > 0.0", "temperature != temperature",
         "model.startsWith('s')", "model.matches('^l.*e$')", "model.size() > 4",
         "model.contains(account)", "ip_country == 'DE'", "ip_country != 'DE'",
         "!(ip_country in ['DE', 'FR'])", "ip_country == kyc_country", "kyc_country == 'unknown'",
         "asn_class in ['vpn', 'unknown']", "country_agrees == 'no'", "asn == 64500", "hour > 12",
         "reasoning == 'full'", "n > 1 ? stream : seed", "(n > 1 ? 'DE' : 'FR') == ip_country"]
    ),
)  # fmt: skip

#: Conditions, with and without parentheses where the grammar does not ask for them.
CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("{} && {}".format, inner, inner),
        st.builds("{}||{}".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({})".format, inner),
        st.builds("({}) ? ({}) : {}".format, inner, inner, inner),
        st.builds("({}) == ({})".format, inner, inner),
        st.builds("// a comment\n {} &&\n\t{}".format, inner, inner),
    ),
    max_leaves=6,
)

_WHOLE = st.sampled_from([0, 1, 2, 3, 4, 10, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**70])
_COUNTRY = st.sampled_from(["DE", "FR", "CN", UNKNOWN])

_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(["small", "large", "", "a", "\ud800"]),
    "account": st.sampled_from(["acme", "a", "other"]),
    "tier": st.sampled_from(["default", "research"]),
    "purposes": st.sampled_from([(), ("research",), ("evaluator", "research")]),
    "kyc_level": st.integers(0, 3),
    "kyc_country": _COUNTRY,
    "country": _COUNTRY,
    "asn": st.sampled_from([0, 64500, 1]),
    "asn_class": st.sampled_from(["vpn", "isp", UNKNOWN]),
    "stream": st.booleans(),
    "seed": st.booleans(),
    "n": st.sampled_from([1, 2, 3, 4]),
    "max_tokens": st.none() | _WHOLE,
    "prompt_tokens": _WHOLE,
    "reasoning": st.sampled_from(Reasoning),
    "temperature": st.sampled_from(
        [None, 0.0, -0.0, 0.5, 0.6, 1.0, 2.4, 2.5, 2.6, float("nan"), float("inf"), 2.0**53]
    ),
    "at": st.sampled_from([0.0, 50_000.0]),
}
_FACTS = st.fixed_dictionaries(_FIELDS)

#: Requests that lie on, between and far beyond the values that the conditions name.
REQUESTS = _FACTS.map(lambda fields: request(**fields))

_CHANGES = st.sampled_from(sorted(_FIELDS)).flatmap(
    lambda name: st.tuples(st.just(name), _FIELDS[name])
)
#: Requests that differ from one another in one field.
RELATED = st.builds(
    lambda fields, changes: [
        request(**fields), *(request(**fields | {name: value}) for name, value in changes)
    ],
    _FACTS,
    st.lists(_CHANGES, min_size=10, max_size=40),
)  # fmt: skip
