"""One decision after the other, on real keys, rules and actions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.access import (
    Asked,
    Bias,
    Caller,
    Decision,
    Origin,
    RequestFacts,
    Structure,
    Surface,
    View,
    decide,
)
from stillwatch.access.actions import Action
from stillwatch.access.granting import exceeding
from stillwatch.access.reading import read_access_file
from stillwatch.access.snapshot import Snapshot

NOW = 1_790_000_000
YAML = """
levels:
  default: {max_tokens: 1000}
  open: {extends: default, logprobs: 5, n: 4, seed: true, logit_bias: any, biased_tokens: 300,
         structure: schema, prefill: true, echo: true}
  study: {extends: open, purposes: [research]}
  small: {models: [small-*]}
tiers:
  default:
    - {name: requests, scope: key, unit: requests, amount: 60, period: 60}
    - {name: tokens, scope: account, unit: tokens, amount: 100000, calendar: day}
    - {name: slots, scope: cluster, unit: concurrent, amount: 8}
    - {name: biased, scope: cluster, unit: distinct, amount: 500, period: 3600}
  slow: [{name: few, scope: key, unit: requests, amount: 1, period: 60}]
backends:
  - {name: eu, url: "http://127.0.0.1:1", jurisdiction: EU}
  - {name: us, url: "http://127.0.0.1:2", jurisdiction: US}
  - {name: mars, url: "http://127.0.0.1:3", jurisdiction: MARS, models: [rover]}
rules:
  - {id: stay, when: "kyc_country == 'DE'", unknown: skip, route: {jurisdictions: [EU]}, reason: r}
  - {id: nowhere, when: "model == 'secret'", route: {jurisdictions: [MARS]}, reason: r}
  - {id: no-batch, when: "n > 3", deny: {status: 403}, reason: too many at once}
  - {id: tried, when: "n > 1", shadow: true, deny: true, reason: r}
  - {id: quiet, when: "asn_class == 'hosting'", unknown: skip, strip: [logprobs], reason: hosting}
  - {id: brief, when: "stream", clamp: {max_tokens: 100}, reason: r}
  - {id: patience, when: "key_age_days < 1", slow: 1.5, reason: r}
  - {id: lane, when: "tier == 'lane'", tier: slow, reason: r}
"""


class _Snapshot(Snapshot):
    """A snapshot of nothing, with these actions on everybody."""

    __slots__ = ("given",)

    def __init__(self, *given: Action) -> None:
        self.given = given

    def actions_on(self, caller: Caller, at: float) -> tuple[Action, ...]:
        return self.given


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    path: Path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(YAML)
    read = read_access_file(path)
    return View(
        snapshot=_Snapshot(),
        backends=read.backends,
        levels=read.surfaces,
        tiers=read.tiers,
        rules=read.rules,
        marks={"default": "provenance"},
    )


@pytest.fixture(scope="module")
def ask(view: View) -> Callable[..., Decision]:
    """Ask for something as somebody: fields of Asked, Caller and Origin by their names."""

    def asking(*actions: Action, **fields: Any) -> Decision:
        def of(kind: type[msgspec.Struct]) -> dict[str, Any]:
            return {k: v for k, v in fields.items() if k in kind.__struct_fields__}

        caller = {"key_id": "k", "account": "a", "created_at": NOW - 10**6, **of(Caller)}
        facts = RequestFacts(
            caller=Caller(**caller),
            asked=Asked(**{"model": "m", **of(Asked)}),
            origin=Origin(**of(Origin)),
            at=NOW,
        )
        return decide(facts, msgspec.structs.replace(view, snapshot=_Snapshot(*actions)))

    return asking


def action(kind: str, **fields: Any) -> Action:
    return Action(
        subject_kind="account", subject="a", kind=kind, reason="case-1",  # type: ignore[arg-type]
        message="we saw a campaign", by="ann", person=True, expires_at=NOW + 60, id="x1", **fields,
    )  # fmt: skip


def code(decision: Decision) -> tuple[int, str]:
    assert decision.refusal is not None
    return decision.refusal.status, decision.refusal.code


def test_plain_text_is_granted_within_the_cap_of_the_level(ask: Callable[..., Decision]) -> None:
    decision = ask()
    assert decision.allowed
    assert decision.granted is not None
    assert decision.granted.max_tokens == 1000
    assert decision.changed == ("max_tokens",)
    assert decision.backends == ("eu", "us")
    assert decision.mark == "provenance"


def test_an_unknown_key_is_refused(view: View) -> None:
    decision = decide(RequestFacts(caller=None, asked=Asked(model="m"), at=NOW), view)
    assert code(decision) == (401, "unknown_key")


def test_a_key_ends_at_the_second_that_it_says(ask: Callable[..., Decision]) -> None:
    assert ask(expires_at=NOW + 1).allowed
    assert code(ask(expires_at=NOW)) == (401, "expired_key")


def test_a_key_that_was_revoked_is_so_whatever_the_clock_of_who_revoked_it(
    ask: Callable[..., Decision],
) -> None:
    assert code(ask(revoked_at=NOW + 5)) == (401, "revoked_key")


def test_what_the_level_does_not_show_is_refused_by_name(ask: Callable[..., Decision]) -> None:
    decision = ask(logprobs=2, seed=True)
    assert code(decision) == (400, "beyond_level")
    assert decision.refusal is not None
    assert "'logprobs', 'seed'" in decision.refusal.message


def test_levels_and_tiers_that_nobody_defined_are_refused(ask: Callable[..., Decision]) -> None:
    assert code(ask(level="none")) == (403, "no_such_level")
    assert code(ask(tier="none")) == (403, "no_such_tier")


def test_a_level_for_research_takes_registered_researchers(ask: Callable[..., Decision]) -> None:
    assert code(ask(level="study")) == (403, "denied")
    assert code(ask(level="study", purposes=("evaluator",))) == (403, "denied")
    assert ask(level="study", purposes=("research",)).allowed


def test_a_model_outside_the_level_looks_like_one_that_does_not_exist(
    ask: Callable[..., Decision],
) -> None:
    assert ask(level="small", model="small-2").allowed
    decision = ask(level="small", model="large\n\x1b[31m")
    assert code(decision) == (404, "model_not_found")
    assert decision.refusal is not None
    assert decision.refusal.message.isprintable()


@pytest.mark.parametrize(
    "forcing",
    [
        {"logit_bias": Bias.BAN, "bias": (5,)},
        {"structure": Structure.SCHEMA},
        {"prefill": True},
        {"echo": True},
    ],
)
def test_log_probabilities_and_forced_tokens_exclude_each_other(
    ask: Callable[..., Decision], forcing: dict[str, Any]
) -> None:
    assert ask(level="open", logprobs=2).allowed
    assert ask(level="open", **forcing).allowed
    assert code(ask(level="open", logprobs=2, **forcing)) == (400, "leaks_logits")


def test_json_mode_chooses_no_token(ask: Callable[..., Decision]) -> None:
    assert ask(level="open", logprobs=2, structure=Structure.JSON).allowed


def test_a_rule_that_denies_is_named(ask: Callable[..., Decision]) -> None:
    decision = ask(level="open", n=4)
    assert code(decision) == (403, "denied")
    assert decision.refusal is not None
    assert (decision.refusal.rule, decision.refusal.message) == ("no-batch", "too many at once")
    assert decision.matched == ("no-batch",)


def test_a_rule_in_shadow_changes_nothing_and_is_told(ask: Callable[..., Decision]) -> None:
    decision = ask(level="open", n=2)
    assert decision.allowed
    assert (decision.matched, decision.shadow) == ((), ("tried",))


def test_a_rule_strips_what_the_level_would_refuse(ask: Callable[..., Decision]) -> None:
    decision = ask(logprobs=2, asn_class="hosting")
    assert decision.granted is not None
    assert decision.granted.logprobs == 0
    assert "logprobs" in decision.changed
    assert decision.surface.logprobs == 0


def test_the_lowest_of_several_caps_holds(ask: Callable[..., Decision]) -> None:
    granted = ask(stream=True, max_tokens=5000).granted
    assert granted is not None
    assert granted.max_tokens == 100


def test_places_bound_the_backends_and_none_left_is_a_refusal_that_names_the_rule(
    ask: Callable[..., Decision],
) -> None:
    assert ask(kyc_country="DE").backends == ("eu",)
    decision = ask(model="secret")
    assert code(decision) == (451, "no_backend_allowed")
    assert decision.refusal is not None
    assert decision.refusal.rule == "nowhere"


def test_the_longest_delay_counts(ask: Callable[..., Decision]) -> None:
    assert ask(created_at=NOW).delay == 1.5
    assert ask(action("slow", seconds=4.0), created_at=NOW).delay == 4.0
    assert ask(action("slow", seconds=0.5), created_at=NOW).delay == 1.5


def test_a_suspension_tells_the_owner_why(ask: Callable[..., Decision]) -> None:
    decision = ask(action("suspend"))
    assert code(decision) == (403, "suspended")
    assert decision.refusal is not None
    assert "we saw a campaign" in decision.refusal.message
    assert "x1" in decision.refusal.message
    assert "case-1" in decision.refusal.message


def test_who_does_not_verify_in_time_is_refused_and_was_told_before(
    ask: Callable[..., Decision],
) -> None:
    told = ask(action("verify", seconds=3600.0, created_at=NOW - 3599))
    assert told.allowed
    assert told.notices == (
        f"verify; before={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(NOW + 1))}; "
        "reference=x1; reason=case-1",
    )
    refused = ask(action("verify", seconds=3600.0, created_at=NOW - 3600))
    assert code(refused) == (403, "challenge_verify")
    assert refused.refusal is not None
    assert "we saw a campaign" in refused.refusal.message


def test_an_action_narrows_what_level_and_rules_leave(ask: Callable[..., Decision]) -> None:
    narrowed = ask(action("narrow", surface={"max_tokens": 7, "logprobs": 0}), level="open",
                   logprobs=3)  # fmt: skip
    assert narrowed.granted is not None
    assert (narrowed.granted.max_tokens, narrowed.granted.logprobs) == (7, 0)
    assert ask(action("mark")).mark_strength == "strong"


def test_charges_go_to_everybody_whose_limit_it_is(ask: Callable[..., Decision]) -> None:
    decision = ask(org="o", cluster="c", prompt_tokens=30, max_tokens=50, n=2, level="open")
    assert [(c.limit.name, c.subject, c.cost) for c in decision.charges] == [
        ("requests", "k", 1),
        ("tokens", "a", 30 + 2 * 50),
        ("slots", "c", 1),
    ]


def test_an_account_that_is_linked_to_nobody_is_its_own_cluster(
    ask: Callable[..., Decision],
) -> None:
    assert [c.subject for c in ask().charges] == ["k", "a", "a"]


def test_biased_tokens_are_metered_a_prefix_and_cluster(ask: Callable[..., Decision]) -> None:
    charge = ask(level="open", logit_bias=Bias.ANY, bias=(7, 9), prefix=255, cluster="c").charges[3]
    assert (charge.limit.name, charge.subject, charge.items) == ("biased", "c/ff", (7, 9))


def test_a_rule_chooses_other_limits(ask: Callable[..., Decision]) -> None:
    assert [c.limit.name for c in ask(tier="default").charges] != ["few"]
    decision = ask(tier="lane")
    assert [c.limit.name for c in decision.charges] == ["few"]


ASKED = st.fixed_dictionaries(
    {
        "logprobs": st.integers(0, 30),
        "n": st.integers(1, 9),
        "logit_bias": st.sampled_from(Bias),
        "bias": st.lists(st.integers(0, 9), max_size=3).map(tuple),
        "seed": st.booleans(),
        "prefill": st.booleans(),
        "echo": st.booleans(),
        "prompt_logprobs": st.booleans(),
        "token_ids": st.booleans(),
        "embeddings": st.booleans(),
        "max_tokens": st.none() | st.integers(1, 9000),
        "structure": st.sampled_from(Structure),
        "tools": st.booleans(),
        "temperature": st.none() | st.floats(0, 2),
        "stream": st.booleans(),
        "unknown_fields": st.sampled_from([(), ("foo",)]),
        "level": st.sampled_from(["default", "open", "study", "small"]),
        "asn_class": st.sampled_from(["hosting", "isp", "unknown"]),
    }
)


@given(ASKED)
def test_whatever_is_asked_what_is_granted_lies_within_level_and_surface(
    ask: Callable[..., Decision], view: View, asked: dict[str, Any]
) -> None:
    decision = ask(**asked)
    if decision.refusal is not None:
        assert not decision.charges
        return
    assert decision.granted is not None
    level: Surface = view.levels[asked["level"]]
    assert exceeding(decision.granted, level) == ()
    assert exceeding(decision.granted, decision.surface) == ()
    assert decision.surface <= level
    assert not (decision.granted.logprobs and decision.granted.bias)


def test_embeddings_need_a_level_that_shows_them_and_nothing_less_is_granted(view: View) -> None:
    def asked(embeddings: bool, *actions: Action) -> Decision:
        levels = {"default": Surface(embeddings=embeddings)}
        caller = Caller(key_id="k", account="a")
        wanted = Asked(model="m", prompt_tokens=7, n=0, embeddings=True)
        there = msgspec.structs.replace(view, snapshot=_Snapshot(*actions), levels=levels)
        return decide(RequestFacts(caller=caller, asked=wanted, route="embeddings", at=NOW), there)

    assert code(asked(False)) == (400, "beyond_level")
    granted = asked(True)
    assert granted.allowed
    assert granted.mark is None  # there is no text to mark
    assert [c.cost for c in granted.charges if c.limit.unit == "tokens"] == [7]
    assert code(asked(True, action("narrow", surface={"embeddings": False}))) == (
        400, "beyond_level",
    )  # fmt: skip


def test_what_is_counted_only_costs_a_request_and_no_tokens(ask: Callable[..., Decision]) -> None:
    charges = ask(prompt_tokens=5000, n=0, counted_only=True).charges
    assert [charge.limit.unit for charge in charges] == ["requests", "concurrent"]
    assert {charge.cost for charge in charges} == {1}


def test_raw_prompts_need_a_level_that_may_begin_the_answer(view: View) -> None:
    def asked(level: str) -> Decision:
        caller = Caller(key_id="k", account="a", level=level)
        return decide(
            RequestFacts(caller=caller, asked=Asked(model="m"), route="completions", at=NOW), view
        )

    assert code(asked("default")) == (400, "beyond_level")
    assert asked("open").allowed
