"""What is decided about a request whose body nobody shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.access import Asked, Caller, Decision, Origin, RequestFacts, Snapshot, View
from stillwatch.access.actions import Action
from stillwatch.access.admit import UNSEEN_FACTS, Waivers, admit
from stillwatch.access.facts import FACTS
from stillwatch.access.partial import PartialRules
from stillwatch.access.reading import read_access_file
from stillwatch.access.rules import Rule

NOW = 1_790_000_000
LEVEL = Waivers(levels=frozenset({"default"}))
YAML = """
levels:
  default: {max_tokens: 1000}
  second: {max_tokens: 5}
tiers:
  default: [{name: rate, scope: key, unit: requests, amount: 60, period: 60}]
  counted: [{name: tokens, scope: account, unit: tokens, amount: 1000, calendar: day}]
  slots: [{name: slots, scope: account, unit: concurrent, amount: 1}]
  models: [{name: of-model, scope: model, unit: requests, amount: 10, period: 60}]
backends:
  - {name: eu, url: "http://127.0.0.1:1", jurisdiction: EU, models: [big-*]}
  - {name: us, url: "http://127.0.0.1:2", jurisdiction: US}
rules: RULES
"""


class _Snapshot(Snapshot):
    """A snapshot of nothing, with these actions on everybody."""

    __slots__ = ("given",)

    def __init__(self, *given: Action) -> None:
        self.given = given

    def actions_on(self, caller: Caller, at: float) -> tuple[Action, ...]:
        return self.given


class Asking:
    """Asks with a rule set of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rules.yaml"

    def view(self, *rules: str, actions: tuple[Action, ...] = ()) -> View:
        listed = "".join(f"\n  - {{reason: r, {rule}}}" for rule in rules) or " []"
        self._path.write_text(YAML.replace(" RULES", listed))
        read = read_access_file(self._path)
        return View(
            snapshot=_Snapshot(*actions), backends=read.backends, levels=read.surfaces,
            tiers=read.tiers, rules=read.rules, marks={"default": "provenance"},
        )  # fmt: skip

    def __call__(
        self,
        *rules: str,
        actions: tuple[Action, ...] = (),
        waived: Waivers = LEVEL,
        **caller: Any,
    ) -> Decision:
        origin = Origin(country=caller.pop("ip_country", "DE"))
        who = Caller(**{"key_id": "k", "account": "a", "kyc_country": "DE", **caller})
        facts = RequestFacts(caller=who, asked=Asked(model=""), origin=origin, at=NOW)
        return admit(facts, self.view(*rules, actions=actions), waived)


@pytest.fixture
def ask(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


def refused_by(decision: Decision) -> tuple[str, str] | None:
    refusal = decision.refusal
    return None if refusal is None else (refusal.code, refusal.rule)


def action(kind: str, **fields: Any) -> Action:
    return Action(
        id="act-1", subject_kind="account", subject="a", kind=kind, reason="case-1", message="m",
        by="ana", person=True, expires_at=NOW + 9, **fields,
    )  # fmt: skip


def test_a_known_caller_is_let_in_with_what_needs_no_body(ask: Asking) -> None:
    decision = ask()
    assert decision.allowed
    assert decision.backends == ("eu", "us")
    assert decision.mark == "provenance"
    assert [(c.limit.name, c.cost) for c in decision.charges] == [("rate", 1)]
    assert decision.granted is None


def test_an_unknown_an_expired_and_a_suspended_caller_are_refused(ask: Asking) -> None:
    assert refused_by(admit(RequestFacts(caller=None, asked=Asked(model="")), ask.view(), LEVEL))
    assert refused_by(ask(expires_at=NOW)) == ("expired_key", "keys")
    assert refused_by(ask(revoked_at=1)) == ("revoked_key", "keys")
    assert refused_by(ask(actions=(action("suspend"),))) == ("suspended", "action act-1")


def test_a_level_that_is_not_waived_is_refused_since_only_a_body_shows_what_it_bounds(
    ask: Asking,
) -> None:
    assert refused_by(ask(waived=Waivers())) == ("undecidable", "level default")


@pytest.mark.parametrize(
    "rule",
    [
        "id: x, when: n > 1, deny: true",
        "id: x, when: model == 'big', deny: true",
        "id: x, when: 'true', for: {models: [big-*]}, deny: true",
        'id: x, when: "!stream && kyc_level < 9", route: {jurisdictions: [EU]}',
        "id: x, when: max_tokens > 5 || ip_country == 'unknown', slow: 3",
        'id: x, when: "stream ? kyc_level < 1 : kyc_level < 2", tier: counted',
        "id: x, when: 'true', clamp: {max_tokens: 5}",
        "id: x, when: 'true', strip: [logprobs]",
    ],
)
def test_a_rule_that_a_body_decides_is_refused_by_name_unless_it_is_waived(
    ask: Asking, rule: str
) -> None:
    assert refused_by(ask(rule)) == ("undecidable", "x")
    assert ask(rule, waived=Waivers(levels=LEVEL.levels, rules=frozenset({"x"}))).allowed


@pytest.mark.parametrize(
    "rule",
    [
        "id: x, when: n > 1 && kyc_level > 5, deny: true",
        "id: x, when: n > 1, deny: true, shadow: true",
        "id: x, when: n > 1, deny: true, for: {levels: [second]}",
        "id: x, when: n > 1, deny: true, for: {routes: [messages]}",
        "id: x, when: ip_country == 'FR' && stream, deny: true, unknown: skip",
    ],
)
def test_a_rule_that_cannot_match_whatever_the_body_says_is_no_hindrance(
    ask: Asking, rule: str
) -> None:
    assert ask(rule).allowed


def test_a_rule_that_matches_whatever_the_body_says_has_its_effect(ask: Asking) -> None:
    assert refused_by(ask("id: x, when: n > 1 || kyc_level < 1, deny: {status: 451}")) == (
        "denied", "x",
    )  # fmt: skip
    assert ask("id: x, when: kyc_level < 1, route: {jurisdictions: [EU]}").backends == ("eu",)
    assert ask("id: x, when: kyc_level < 1, slow: 2.5").delay == 2.5
    waived = Waivers(levels=LEVEL.levels, limits=frozenset({"tokens"}))
    assert ask("id: x, when: kyc_level < 1, tier: counted", waived=waived).charges == ()


def test_waiving_a_rule_that_can_be_decided_changes_nothing(ask: Asking) -> None:
    waived = Waivers(levels=LEVEL.levels, rules=frozenset({"x"}))
    assert refused_by(ask("id: x, when: kyc_level < 1, deny: true", waived=waived))


def test_a_place_that_is_not_known_counts_as_the_rule_says(ask: Asking) -> None:
    rule = "id: x, when: ip_country == 'KP' && hour >= 0, deny: true, unknown: "
    assert refused_by(ask(rule + "match", ip_country="unknown")) == ("denied", "x")
    assert ask(rule + "skip", ip_country="unknown").allowed


def test_a_condition_that_fails_counts_as_one_that_holds(ask: Asking) -> None:
    assert refused_by(ask("id: x, when: \"purposes[2] == 'research'\", deny: true"))


def test_no_backend_within_the_law_is_a_refusal_that_names_the_rule(ask: Asking) -> None:
    europe = "id: x, when: kyc_level < 1, route: {jurisdictions: [EU]}"
    america = "id: y, when: kyc_level < 2, route: {jurisdictions: [US]}"
    assert refused_by(ask(europe, america)) == ("no_backend_allowed", "y")


@pytest.mark.parametrize(("tier", "limit"), [
    ("counted", "tokens"), ("slots", "slots"), ("models", "of-model"),
])  # fmt: skip
def test_a_limit_that_needs_the_body_or_the_end_is_refused_unless_it_is_waived(
    ask: Asking, tier: str, limit: str
) -> None:
    assert refused_by(ask(tier=tier)) == ("undecidable", f"limit {limit}")
    waived = Waivers(levels=LEVEL.levels, limits=frozenset({limit}))
    assert ask(tier=tier, waived=waived).allowed


def test_an_action_that_narrows_is_refused_and_others_are_followed(ask: Asking) -> None:
    narrow = action("narrow", surface={"max_tokens": 5})
    assert refused_by(ask(actions=(narrow,))) == ("undecidable", "action act-1")
    decision = ask(actions=(action("slow", seconds=2.0), action("mark")))
    assert (decision.delay, decision.mark_strength) == (2.0, "strong")


def test_every_fact_of_a_body_is_known_as_one() -> None:
    body = set(Asked.__struct_fields__) - {"bias", "unknown_fields"}
    assert body & set(FACTS) <= UNSEEN_FACTS
    assert "biased_tokens" in UNSEEN_FACTS


ATOMS = st.sampled_from(
    ["n > 1", "n > 3", "stream", "kyc_level > 0", "tools", "model == 'm'", "kyc_level == 2"]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda deeper: st.one_of(
        st.tuples(deeper, st.sampled_from(["&&", "||"]), deeper).map(lambda t: f"({' '.join(t)})"),
        deeper.map(lambda c: f"!({c})"),
        st.tuples(deeper, deeper, deeper).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
    ),
    max_leaves=6,
)
ASKED = st.builds(
    Asked, model=st.sampled_from(["m", "o"]), n=st.integers(1, 5), stream=st.booleans(),
    tools=st.booleans(),
)  # fmt: skip


@given(CONDITIONS, ASKED, st.integers(0, 2))
def test_what_is_said_without_the_body_holds_whatever_the_body_says(
    condition: str, asked: Asked, kyc: int
) -> None:
    from stillwatch.access.conditions import compile_condition
    from stillwatch.access.effects import Deny
    from stillwatch.access.rules import RuleSet

    rule = Rule(id="x", effect=Deny(), condition=compile_condition(condition))
    who = Caller(key_id="k", account="a", kyc_level=kyc)
    unseen = RequestFacts(caller=who, asked=Asked(model=""), at=NOW)
    seen = RequestFacts(caller=who, asked=asked, at=NOW)
    answer = PartialRules(RuleSet((rule,))).ask(unseen, UNSEEN_FACTS)
    matched = bool(RuleSet((rule,)).matching(seen))
    assert bool(answer.sure) <= matched <= bool(answer.possible)
