"""Cases against the whole decision: level, leak rules, tier, actions, backends."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.access.casebook import Outcome, read_cases, run
from stillwatch.access.reading import read_access_file
from stillwatch.access.trying import trial_view
from stillwatch.errors import SettingsError

SETTINGS = """\
levels:
  default: {max_tokens: 1000}
  open: {extends: default, logprobs: 5, "n": 4, seed: true, logit_bias: any, biased_tokens: 9}
  study: {extends: open, purposes: [research]}
tiers:
  default: []
  lane: [{name: few, scope: key, unit: requests, amount: 1, period: 60}]
backends:
  - {name: eu, url: "http://127.0.0.1:1", jurisdiction: EU}
  - {name: us, url: "http://127.0.0.1:2", jurisdiction: US, models: [small]}
rules:
  - {id: stay, when: kyc_country == 'DE', unknown: skip, route: {jurisdictions: [EU]}, reason: r}
  - {id: home, when: kyc_country == 'US', unknown: skip, route: {jurisdictions: [US]}, reason: r}
  - {id: lane, when: stream, tier: lane, reason: r}
  - {id: verify, when: "model == 'secret'", challenge: {kind: verify}, reason: r}
  - {id: farm, when: asn_class == 'hosting', unknown: skip, strip: [logprobs], reason: r}
"""


def outcome(
    tmp_path: Path, request: str, expect: str, *, actions: str = "[]", settings: str = SETTINGS
) -> Outcome:
    rules, cases = tmp_path / "rules.yaml", tmp_path / "cases.yaml"
    rules.write_text(settings)
    cases.write_text(
        f"cases:\n  - name: it\n    actions: {actions}\n    request: {request}\n"
        f"    expect: {expect}\n"
    )
    access = read_access_file(rules)
    view = trial_view(access)
    (found,) = run(read_cases(cases, access.rules, view), access.rules, view)
    return found


@pytest.mark.parametrize(
    ("request_", "expect"),
    [
        ("{model: small}", "{decision: allow, refused: none, status: 200, by: none,"
         " backends: [eu, us], tier: default, changed: [max_tokens], slow: 0}"),
        ("{model: small, max_tokens: 9}", "{changed: []}"),
        ("{model: small, seed: true}", "{refused: beyond_level, status: 400, by: level default}"),
        ("{model: small, level: open, seed: true}", "{decision: allow}"),
        ("{level: open, logprobs: 5, n: 4, asn_class: hosting}",
         "{changed: [logprobs, max_tokens]}"),
        ("{level: open, logprobs: 1, logit_bias: ban, bias: [5]}",
         "{refused: leaks_logits, by: leaks}"),
        ("{level: study}", "{refused: denied, by: level study, matched: [level study]}"),
        ("{level: study, purposes: [research]}", "{decision: allow, matched: []}"),
        ("{level: absent}", "{refused: no_such_level, status: 403}"),
        ("{tier: absent}", "{refused: no_such_tier}"),
        ("{stream: true}", "{tier: lane, matched: [lane]}"),
        ("{model: small, kyc_country: DE}", "{backends: [eu]}"),
        ("{model: large, kyc_country: US}",
         "{refused: no_backend_allowed, status: 451, by: home, backends: []}"),
        ("{model: secret}", "{refused: challenge_verify, by: verify}"),
        ("{anonymous: true}", "{refused: unknown_key, status: 401}"),
        ("{expires_at: 5}", "{refused: expired_key}"),
    ],
)  # fmt: skip
def test_a_case_is_decided_as_the_gateway_would(tmp_path: Path, request_: str, expect: str) -> None:
    assert outcome(tmp_path, request_, expect).differences == ()


@pytest.mark.parametrize(
    ("actions", "expect"),
    [
        ("[{kind: slow, seconds: 3}]", "{slow: 3, decision: allow}"),
        ("[{kind: suspend}]", "{refused: suspended, by: action case}"),
        ("[{kind: narrow, surface: {max_tokens: 5, n: 1}}]", "{changed: [max_tokens]}"),
        ("[{kind: narrow, surface: {reasoning: none}}, {kind: slow, seconds: 1}]",
         "{changed: [reasoning], slow: 1}"),
        ("[{kind: mark}]", "{changed: []}"),
    ],
)  # fmt: skip
def test_actions_of_a_case_are_in_force(tmp_path: Path, actions: str, expect: str) -> None:
    request = "{max_tokens: 9, reasoning: full}" if "reasoning" in actions else "{max_tokens: 9}"
    settings = SETTINGS.replace("{max_tokens: 1000}", "{max_tokens: 1000, reasoning: full}")
    found = outcome(tmp_path, request, expect, actions=actions, settings=settings)
    assert found.differences == ()


def test_what_the_file_does_not_define_bounds_nothing(tmp_path: Path) -> None:
    bare = "rules:\n  - {id: many, when: n > 5, slow: 2, reason: r}\n"
    request = "{level: x, tier: y, model: z, n: 9, seed: true, logprobs: 5, reasoning: full}"
    expect = "{decision: allow, changed: [], backends: [anywhere], tier: 'y', slow: 2}"
    assert outcome(tmp_path, request, expect, settings=bare).differences == ()


def test_what_differs_from_the_whole_decision_is_said(tmp_path: Path) -> None:
    expect = "{refused: none, changed: [seed], backends: [us], tier: lane, slow: 1}"
    assert outcome(tmp_path, "{model: small, max_tokens: 9}", expect).differences == (
        "changed: expected seed, got none",
        "backends: expected us, got eu, us",
        "tier: expected lane, got default",
        "slow: expected 1, got 0",
    )


@pytest.mark.parametrize(
    ("expect", "actions", "line", "message"),
    [
        ("{refused: beyond}", "[]", 5, "'cases[0].expect.refused' is 'beyond'; did you mean"),
        ("{refused: challenge_dance}", "[]", 5, "it is one of none"),
        ("{backends: [uk]}", "[]", 5, "there is no backend 'uk'"),
        ("{tier: lame}", "[]", 5, "there is no tier 'lame'; did you mean 'lane'"),
        ("{changed: [logprob]}", "[]", 5, "there is no field 'logprob'; did you mean 'logprobs'"),
        ("{status: 99}", "[]", 5, "must be from 200 to 499"),
        (
            "{decision: allow}",
            "[{kind: stop}]",
            3,
            "it is one of verify, slow, narrow, mark, suspend",
        ),
        ("{decision: allow}", "[{kind: slow}]", 3, "seconds: needed to slow"),
        ("{decision: allow}", "[{kind: narrow, surface: {n: 0}}]", 3, "n: 0 is out of range"),
    ],
)
def test_a_mistake_in_what_is_expected_has_its_line(
    tmp_path: Path, expect: str, actions: str, line: int, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        outcome(tmp_path, "{}", expect, actions=actions)
    assert message in str(caught.value)
    assert caught.value.line == line
