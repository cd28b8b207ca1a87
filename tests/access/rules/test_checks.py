"""What is wrong with a condition is said when it is read."""

from __future__ import annotations

import pytest

from stillwatch.access.conditions import compile_condition
from stillwatch.access.expressions import ConditionError


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("tier == 1", r"tier is a text, but 1 is a whole number: .*; write '1'"),
        ("1 == tier", r"write '1'"),
        ("n == '1'", "write 1 without quotes"),
        ("tier > 1", "> compares numbers, but tier is a text"),
        ("stream > false", "> compares numbers, but stream is true or false"),
        ("stream == 1", "stream is true or false, but 1 is a whole number"),
        ("tier in ['a', 1]", "mixes types"),
        ("n in ['a']", "n is a whole number, which .* never holds"),
        ("n in purposes", "n is a whole number, which purposes .* never holds"),
        ("tier in []", "an empty list holds nothing"),
        ("purposes == ['research']", r"use `'text' in list`"),
        ("tier in [model]", "a list may hold texts and numbers only, not model"),
        ("ip_contry == 'CN'", "no fact is called 'ip_contry'; did you mean 'ip_country'"),
        ("zzz == 1", "no fact is called 'zzz'; `stillwatch access names` lists them"),
        ("caller.tier == 'a'", "no fact|facts are flat"),
        ("asn_class == 'hostng'", "asn_class is never 'hostng'; did you mean 'hosting'"),
        ("asn_class in ['vpn', 'tor']", "asn_class is never 'tor'"),
        ("country_agrees == 'true'", "it is one of yes, no, unknown"),
        ("ip_country == 'Germany'", "ip_country is never 'Germany'"),
        ("'uk' != kyc_country", "kyc_country is never 'uk'"),
        ("reasoning == 'all'", "it is one of none, summary, full"),
        ("n", "a condition must be true or false; this one is a whole number"),
        ("'a'", "this one is a text"),
        ("!tier in ['a']", r"write !\(tier …\) with the whole comparison in parentheses"),
        ("n + 1.5 > 2.0", r"mixes whole numbers and others.*double\(n\)"),
        ("n + tier > 2", r"\+ calculates, but tier is a text"),
        ("temperature % 2.0 > 1.0", "% is for whole numbers"),
        ("stream && n", "&& joins conditions, but n is a whole number"),
        ("stream ? n : tier", "n is a whole number, but tier is a text"),
        ("n ? stream : seed", r"\? follows a condition"),
        ("-stream", "has no negative"),
        ("n[0] == 'a'", "only a list has places"),
        ("purposes.exists(p, p == 'x')", r"the macro exists\(\) is not supported.*in list"),
        ("has(model)", r"the macro has\(\) is not supported"),
        ("model.lower() == 'a'", r"there is no lower\(\) here"),
        ("startsWith(model, 'a')", r"write it as x\.f\(…\)"),
        ("model.startsWith(1)", "cannot be asked of a text, a whole number"),
        ("size() > 1", r"cannot be asked of nothing"),
        ("model.matches('[')", "'\\[' is no regular expression"),
        ("model.matches(tier)", "must be written out"),
        ("a = 1", "equality is =="),
        ("stream and seed", "and is &&"),
        ("stream & seed", "and is &&"),
        ("model == 'abc", "a text ends with the quote"),
        ("model == '''abc'''", "triple quotes"),
        ("model == null", "every fact has a value"),
        ("n == 3u", "write 3"),
        ("n == 99999999999999999999", "is not a value that CEL knows"),
        ("n == 1 +", "it ends where something more is expected"),
        ("(n == 1", r"'\)' is expected before 'its end'"),
        ("", "the condition is empty"),
        ("// nothing", "the condition is empty"),
        ("false", "it holds for no request"),
        ("n > 1 && false", "it holds for no request"),
        ("1 < 2", "it reads nothing of the request"),
        ("(" * 60 + "stream" + ")" * 60, "nested more than 50 deep"),
        ("||".join(["stream"] * 1200), "too many operators"),
        ("stream" + " " * 10_000, "longer than"),
    ],
)  # fmt: skip
def test_a_condition_that_makes_no_sense_is_refused_with_what_to_write(
    condition: str, message: str
) -> None:
    with pytest.raises(ConditionError, match=message):
        compile_condition(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "true", "stream", "!stream", "tier == 'default'", "temperature < 1",
        "temperature in [0, 1]",
        "kyc_level >= 1.0", "'research' in purposes", "size(purposes) > 0", "model.size() < 9",
        r"model.matches(r'^gpt-\d')", "n * max_tokens > 100000", "double(n) * temperature > 1.0",
        "asn in [64500, 64501]", "ip_country in ['NO', 'unknown']", "// why\nstream // ends",
    ],
)  # fmt: skip
def test_a_condition_that_makes_sense_is_accepted(condition: str) -> None:
    assert compile_condition(condition).source == condition
