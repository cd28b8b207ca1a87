"""What rules would have done to a log: counted, attributed, and never claimed beyond the log."""

from __future__ import annotations

from typing import Any

import pytest

from stillwatch.errors import SettingsError
from stillwatch.gateway.replaying.people import NOT_KNOWN, People
from stillwatch.gateway.replaying.requests import Requests, route_of
from stillwatch.gateway.replaying.rows import SCHEMA, Row
from tests.gateway.replaying.conftest import Run, line, row


def rules(*lines: str) -> str:
    return "rules:\n" + "".join(f"  - {{{each}, reason: r}}\n" for each in lines)


MANY = "id: many, when: n > 2, deny: true"


def test_requests_are_counted_by_what_becomes_of_them(ask: Run) -> None:
    rows = [
        row(n=1, account="a"),
        row(n=3, account="b", after=60, tenant_kind="research"),
        row(n=4, account="b", after=120, tenant_kind="research"),
        row(n=2, account="c", max_tokens=900, after=180),
    ]
    clamp = "id: short, when: n == 2, clamp: {max_tokens: 100}"
    report = ask(rows, rules(MANY, clamp)).report
    assert report.outcomes == {
        "served": 1, "changed": 1, "refused": 2, "limited": 0, "unjudged": 0
    }  # fmt: skip
    assert report.effects == {"max_tokens": 1}
    many = line(report, "many")
    assert many.counts == {"matched": 2, "acted": 2}
    assert (many.accounts, many.share, many.does) == (1, 0.5, "deny")
    assert (many.first, many.last) == ("2026-03-02T12:01:00Z", "2026-03-02T12:02:00Z")
    assert [(each.account, each.affected, each.rules) for each in report.accounts] == [
        ("b", 2, ("many",)), ("c", 1, ("short",))
    ]  # fmt: skip
    assert [(k.kind, k.accounts, k.affected) for k in report.kinds] == [
        ("research", 1, 1), (None, 2, 1)
    ]  # fmt: skip
    assert (report.log.rows, report.log.accounts, report.affected_accounts) == (4, 3, 2)


def test_a_rule_in_shadow_mode_is_counted_and_does_nothing(ask: Run) -> None:
    report = ask([row(n=3)], rules(f"{MANY}, shadow: true")).report
    assert report.outcomes["served"] == 1
    assert line(report, "many").counts == {"matched": 1}
    assert line(report, "many").does == "(deny)"


@pytest.mark.parametrize("effect", ["deny: true", "tier: lane", "clamp: {max_tokens: 5}"])
def test_a_rule_in_shadow_mode_that_cannot_be_judged_leaves_the_request_judged(
    ask: Run, effect: str
) -> None:
    idle = "id: idle, when: seed, clamp: {max_tokens: 99}"  # cannot be judged, and changes nothing
    text = rules(f"id: a, when: seed, shadow: true, {effect}", idle)
    report = ask([row(max_tokens=9)], text).report
    assert report.outcomes["served"] == 1
    assert line(report, "a").counts == {"unjudged": 1}


@pytest.mark.parametrize(
    ("when", "effect", "fields", "needs"),
    [
        ("ja4 == 'x' && n > 1", "deny: true", {"n": 2}, ("ja4",)),
        ("seed", "deny: true", {}, ("seed",)),
        ("temperature == 0", "deny: true", {}, ("temperature",)),
        ("kyc_level < 1", "deny: true", {}, ("kyc_level",)),
        ("ip_country in ['KP', 'unknown']", "deny: true", {}, ("ip_country",)),
        ("country_agrees != 'yes'", "deny: true", {"country": "DE"}, ("country_agrees",)),
        ("level == 'x'", "slow: 2", {}, ("level",)),
        ("key_age_days < 7", "clamp: {max_tokens: 5}", {"max_tokens": 9}, ("key_age_days",)),
        ("seed", "tier: lane", {}, ("seed",)),
    ],
)
def test_what_the_log_does_not_say_is_not_judged(
    ask: Run, when: str, effect: str, fields: dict[str, Any], needs: tuple[str, ...]
) -> None:
    report = ask([row(**fields)], rules(f'id: a, when: "{when}", {effect}')).report
    assert report.outcomes["unjudged"] == 1
    assert line(report, "a").counts == {"unjudged": 1}
    assert line(report, "a").needs == needs


@pytest.mark.parametrize(
    ("when", "fields", "outcome"),
    [
        ("ja4 == 'x' && n > 1", {"n": 1}, "served"),
        ("ja4 == 'x' || n > 1", {"n": 2}, "refused"),
        ("ja4 == 'x'", {"ja4": "x"}, "refused"),
        ("ip_country in ['KP', 'unknown']", {"country": "KP"}, "refused"),
        ("ip_country in ['KP', 'unknown']", {"country": "DE"}, "served"),
        ("asn_class == 'cloud' && asn_class != 'unknown'", {"asn": 16509}, "refused"),
        ("route == 'messages'", {"endpoint": "/v1/messages"}, "refused"),
        ("n == 0", {"endpoint": "/v1/messages/count_tokens", "n": 1}, "refused"),
        ("n == 0", {"endpoint": "/v1/messages", "n": 1}, "served"),
        ("reasoning == 'full'", {"reasoning": "enabled"}, "refused"),
        ("reasoning == 'full'", {"reasoning": "high"}, "served"),
        ("reasoning == 'full'", {"reasoning": "high", "endpoint": "messages"}, "unjudged"),
        ("structure == 'schema'", {"response_format": "json_schema"}, "refused"),
        ("logprobs == 4", {"logprobs": True, "top_logprobs": 4}, "refused"),
        ("logprobs == 1", {"logprobs": True}, "refused"),
        ("biased_tokens == 2", {"logit_bias": {"5": -100, "6": -100}}, "refused"),
        ("prefill && tools && stream",
         {"prefill": "Sure", "tools": ["look_up"], "stream": True}, "refused"),
        ("max_tokens > 99 && temperature == 0", {"max_tokens": 100, "temperature": 0}, "refused"),
        ("prompt_tokens > 1000", {"prompt": "a" * 3000}, "refused"),
        ("prompt_tokens > 1000", {"prompt_tokens": 1001}, "refused"),
        ("org == 'o' && key == 'k' && account == 'acme'", {"org": "o", "key": "k"}, "refused"),
        ("hour == 12", {}, "refused"),
    ],
)  # fmt: skip
def test_facts_are_those_of_the_columns(
    ask: Run, when: str, fields: dict[str, Any], outcome: str
) -> None:
    report = ask([row(**fields)], rules(f'id: a, when: "{when}", deny: true')).report
    assert report.outcomes[outcome] == 1, report.outcomes


def test_a_blank_among_rows_that_fill_a_column_was_not_asked_for(ask: Run) -> None:
    rows = [row(n=3), row(account="b")]
    assert ask(rows, rules(MANY)).report.outcomes["served"] == 1
    strict = ask(rows, rules(MANY), blanks_unknown=True).report
    assert (strict.outcomes["served"], strict.outcomes["unjudged"]) == (0, 1)
    notes = ask(rows, rules(MANY)).report.notes
    assert any("n (1 rows)" in note for note in notes)
    assert not any("n (1 rows)" in note for note in strict.notes)


def test_a_place_that_could_not_be_placed_is_unknown_among_rows_that_have_one(ask: Run) -> None:
    rows = [row(country="DE"), row(account="b")]
    when = "id: a, when: \"ip_country in ['KP', 'unknown']\", deny: true"
    assert ask(rows, rules(when)).report.outcomes["refused"] == 1


def test_what_may_save_a_request_from_its_level_is_not_judged(ask: Run) -> None:
    """A rule that takes away what is beyond the level acts before the level is asked."""
    text = "levels: {default: {max_tokens: 100}}\n" + rules(
        "id: strip, when: ja4 == 'x', strip: [logprobs]"
    )
    rows = [row(logprobs=True), row(logprobs=True, tools=["t"]), row(account="b")]
    report = ask(rows, text, level="default", tier="default").report
    assert (report.outcomes["unjudged"], report.outcomes["refused"]) == (1, 1)


def test_levels_leak_rules_and_backends_are_asked_as_in_the_gateway(ask: Run) -> None:
    text = """\
levels:
  default: {max_tokens: 100}
  open: {extends: default, logprobs: 5, logit_bias: any, biased_tokens: 9}
backends:
  - {name: eu, url: "http://127.0.0.1:1", jurisdiction: EU, models: [small]}
  - {name: us, url: "http://127.0.0.1:2", jurisdiction: US}
rules:
  - {id: stay, when: ip_country == 'DE', unknown: skip, route: {jurisdictions: [EU]}, reason: r}
"""
    rows = [
        row(logprobs=True),
        row(logprobs=False, country="DE", max_tokens=100),
        row(country="DE", model="large"),
    ]
    closed = ask(rows, text, level="default", tier="default").report
    assert line(closed, "level default").counts == {"matched": 1, "acted": 1}
    assert closed.effects == {"route": 1}
    assert line(closed, "stay").counts == {"matched": 2, "acted": 2}
    biased = [row(logprobs=True, logit_bias={"5": 1})]
    opened = ask(biased, text, level="open", tier="default").report
    assert line(opened, "leaks").counts == {"matched": 1, "acted": 1}


def test_a_cap_changes_only_what_it_cuts(ask: Run) -> None:
    text = "levels: {default: {max_tokens: 100}}\n"
    rows = [
        row(completion_tokens=100),
        row(completion_tokens=101, account="b"),
        row(completion_tokens=50, max_tokens=500, account="c"),
        row(max_tokens=101, account="d"),
    ]
    report = ask(rows, text, level="default", tier="default").report
    assert {each.account for each in report.accounts} == {"b", "d"}
    assert report.effects == {"max_tokens": 2}


def test_routes_of_a_file_without_backends_lead_nowhere(ask: Run) -> None:
    text = rules("id: stay, when: 'true', route: {jurisdictions: [EU]}")
    report = ask([row()], text).report
    assert report.outcomes["served"] == 1
    assert any("names no backends" in note for note in report.notes)


def test_rows_that_cannot_be_read_are_counted_and_kept_to_be_shown(ask: Run) -> None:
    found = ask([row(), {"at": 1, "prompt": "x"}], rules(MANY))
    assert (found.report.log.rows, found.report.log.rejected) == (1, 1)
    assert [reject.line for reject in found.rejects] == [2]


def test_an_empty_log_is_a_report_of_nothing(ask: Run) -> None:
    report = ask([], rules(MANY)).report
    assert report.log.rows == 0
    assert set(report.outcomes.values()) == {0}


@pytest.mark.parametrize(
    ("endpoint", "route"),
    [
        ("/v1/chat/completions", "chat.completions"),
        ("https://api.example.org/v1/messages?beta=true", "messages"),
        ("acompletion", "chat.completions"),
        ("chat", "chat.completions"),
        ("completions", "completions"),
        ("/v1/completions/", "completions"),
        ("POST /somewhere", None),
        (None, None),
    ],
)
def test_endpoints_are_read_as_routes(endpoint: str | None, route: str | None) -> None:
    assert route_of(endpoint) == route


def test_who_sent_a_row_is_not_known_without_a_state() -> None:
    values: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    sent = Row(**values | {"at": 0, "number": 0, "account": "a", "prompt_tokens": 1})
    request = Requests(frozenset(SCHEMA.names), People()).of(sent)
    caller = request.facts.caller
    assert caller is not None
    assert (caller.account, caller.level, caller.tier) == ("a", NOT_KNOWN, NOT_KNOWN)
    assert {"level", "tier", "kyc_level", "purposes", "key", "org"} <= request.missing
    assert "account" not in request.missing


def test_a_file_of_rules_may_hold_the_sections_of_the_gateway_and_of_marks(ask: Run) -> None:
    others = "gateway: {marks: {default: red}}\nwatermark: {epoch: 2026-11}\n"
    report = ask([row()], others + "rules: []").report
    assert report.rules == ask([row()], "rules: []").report.rules
    with pytest.raises(SettingsError, match="no setting 'water'"):
        ask([row()], "water: {}\nrules: []")
