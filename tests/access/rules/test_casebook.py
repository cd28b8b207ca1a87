"""Cases that operators write: what they say of rules, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.casebook import Outcome, read_cases, run, unmatched
from stillwatch.access.effects import Slow
from stillwatch.access.rules import RuleSet
from stillwatch.errors import SettingsError
from tests.access.rules.conditions import rule

RULES = RuleSet([
    rule("vpn", "asn_class == 'vpn'", unknown="skip"),
    rule("many", "n > 2", Slow(seconds=1.0)),
    rule("young", "key_age_days < 7", shadow=True),
    rule("never", "hour > 30"),
])  # fmt: skip


def outcomes(tmp_path: Path, text: str, rules: RuleSet = RULES) -> list[Outcome]:
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    return run(read_cases(path, rules), rules)


def case(request: str, expect: str = "{matched: []}") -> str:
    return f"cases:\n  - name: it\n    request: {request}\n    expect: {expect}\n"


@pytest.mark.parametrize(
    ("request_", "expect"),
    [
        ("{asn_class: vpn}", "{matched: [vpn], shadow: [], decision: deny}"),
        ("{n: 3}", "{matched: [many], decision: allow}"),
        ("{n: 3, asn_class: vpn}", "{matched: [vpn, many]}"),
        ("{key_age_days: 6}", "{matched: [], shadow: [young], decision: allow}"),
        ("{}", "{matched: [], shadow: []}"),
    ],
)
def test_a_case_that_comes_out_as_expected_has_no_differences(
    tmp_path: Path, request_: str, expect: str
) -> None:
    (outcome,) = outcomes(tmp_path, case(request_, expect))
    assert outcome.differences == ()


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("{matched: []}", "matched: expected none, got vpn, many"),
        ("{matched: [many, vpn]}", "matched: expected many, vpn, got vpn, many"),
        ("{shadow: [young]}", "shadow: expected young, got none"),
        ("{decision: allow}", "decision: expected allow, got deny"),
    ],
)
def test_what_differs_is_said(tmp_path: Path, expect: str, difference: str) -> None:
    (outcome,) = outcomes(tmp_path, case("{asn_class: vpn, n: 3}", expect))
    assert outcome.differences == (difference,)


@pytest.mark.parametrize(
    ("request_", "condition"),
    [
        ("{account: a, key: k, org: o, cluster: c}",
         "account == 'a' && key == 'k' && org == 'o' && cluster == 'c'"),
        ("{tier: t, level: l, terms: v2}", "tier == 't' && level == 'l' && terms == 'v2'"),
        ("{route: messages, model: m, stream: true}",
         "route == 'messages' && model == 'm' && stream"),
        ("{kyc_level: 2, kyc_country: NO, purposes: [research]}",
         "kyc_level == 2 && kyc_country in ['NO', 'unknown'] && 'research' in purposes"),
        ("{ip_country: NO, kyc_country: SE}",
         "country_agrees == 'no' && country_agrees != 'unknown'"),
        ("{ip_country: NO, kyc_country: NO}",
         "country_agrees == 'yes' && country_agrees != 'unknown'"),
        ("{}", "country_agrees == 'unknown' && kyc_country == 'unknown'"),
        ("{asn: 5, asn_class: isp, ja4: j, sdk: s}",
         "asn == 5 && asn != 0 && asn_class in ['isp', 'unknown'] && ja4 == 'j' && sdk == 's'"),
        ("{n: 2, max_tokens: 9, prompt_tokens: 7, logprobs: 1}",
         "n == 2 && max_tokens == 9 && prompt_tokens == 7 && logprobs == 1"),
        ("{biased_tokens: 3}", "biased_tokens == 3"),
        ("{bias: [4, 5]}", "biased_tokens == 2"),
        ("{reasoning: full, structure: schema}", "reasoning == 'full' && structure == 'schema'"),
        ("{prefill: true, tools: true, seed: true}", "prefill && tools && seed"),
        ("{temperature: 0}", "temperature == 0"),
        ("{}", "temperature == 1"),
        ("{hour: 23, key_age_days: 3}", "hour == 23 && key_age_days == 3"),
        ("{at: 0, created_at: 0}", "hour == 0 && key_age_days == 0"),
        ("{anonymous: true}", "account == '' && kyc_level == 0"),
        ("{user_agent: curl, ip: 8.8.8.8, logit_bias: ban}", "true"),
    ],
)  # fmt: skip
def test_every_fact_may_be_given(tmp_path: Path, request_: str, condition: str) -> None:
    rules = RuleSet([rule("a", condition)])
    (outcome,) = outcomes(tmp_path, case(request_, "{matched: [a]}"), rules)
    assert outcome.differences == ()


def test_rules_that_no_case_makes_match_are_listed(tmp_path: Path) -> None:
    seen = outcomes(tmp_path, case("{asn_class: vpn, key_age_days: 1}"))
    assert unmatched(seen, RULES) == ("many", "never")


def test_a_rule_that_could_not_be_evaluated_is_listed(tmp_path: Path) -> None:
    rules = RuleSet([rule("a", "purposes[0] == 'x'")])
    (outcome,) = outcomes(tmp_path, case("{}", "{matched: [a]}"), rules)
    assert (outcome.differences, outcome.failed) == ((), ("a",))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (case("{asn_clas: vpn}"), 3, "no fact 'asn_clas'; did you mean 'asn_class'"),
        (case("{asn_class: vnp}"), 3, "asn_class is never 'vnp'; did you mean 'vpn'"),
        (case("{ip_country: Norway}"), 3, "ip_country is never 'Norway'"),
        (case("{n: two}"), 3, "must be a whole number, not 'two'"),
        (case("{n: true}"), 3, "must be a whole number, not True"),
        (case("{stream: 1}"), 3, "must be true or false, not 1"),
        (case("{purposes: [1]}"), 3, "'purposes' holds 1"),
        (case("{purposes: research}"), 3, "must be a list"),
        (case("{reasoning: all}"), 3, "it is one of none, summary, full"),
        (case("{country_agrees: 'no'}"), 3, "follows from ip_country and kyc_country"),
        (case("{}", "{matched: [vnp]}"), 4, "there is no rule 'vnp'; did you mean 'vpn'"),
        (case("{}", "{decision: refuse}"), 4, "it is one of allow, deny"),
        (case("{}", "{matches: []}"), 4, "did you mean 'matched'"),
        (case("{}", "{}"), 4, "expects nothing"),
        (case("{}") + "    note: x\n", 5, "no setting 'note'"),
        (case("{}") + "  - {name: it, request: {}, expect: {matched: []}}\n", 5,
         "the case 'it' stands here again, first on line 2"),
        ("- name: it\n", 1, "the top of the file must be a mapping"),
        ("cases: []\n", None, "there are no cases"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_case_has_its_line(
    tmp_path: Path, text: str, line: Any, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        outcomes(tmp_path, text)
    assert message in str(caught.value)
    assert caught.value.line == line
