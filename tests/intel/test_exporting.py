"""A case leaves exactly as the preview showed it, says nothing more, and can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import PolicyError
from stillwatch.exchange import RawExchange
from stillwatch.intel.exporting import Choice, Draft, Register, release
from stillwatch.intel.exporting.indicators import rounded_up
from stillwatch.intel.profile import (
    TemplatePattern,
    bucket_edges,
    check_seal,
    extension_of,
    validate,
)
from stillwatch.ledger import Ledger
from stillwatch.sketches import Sketcher
from tests.intel.conftest import (
    ACQUITTED,
    MEMBERS,
    NOW,
    TEMPLATE,
    Provider,
    random_token,
)

Makes = Callable[..., Provider]


@pytest.fixture(scope="module")
def whole(built: Provider) -> Draft:
    built.choice = Choice("reasoning-harvest", ("mathematics",))
    return built.draft()


def only(draft: Draft, kind: str) -> list[dict[str, Any]]:
    return [each for each in draft.authored if each["type"] == kind]


def campaign(draft: Draft) -> dict[str, Any]:
    (found,) = only(draft, "campaign")
    return extension_of(found)


def digests(draft: Draft, field: str) -> set[str]:
    told = (extension_of(each).get("digest", {}) for each in only(draft, "indicator"))
    return {digest["value"] for digest in told if digest.get("field") == field}


def templates(draft: Draft) -> list[dict[str, Any]]:
    found = (extension_of(each).get("template") for each in only(draft, "indicator"))
    return [each for each in found if each]


def why(draft: Draft, field: str) -> str:
    return "; ".join(each.why for each in draft.dropped if each.field == field)


def test_every_object_is_of_the_profile_sealed_and_ends(built: Provider, whole: Draft) -> None:
    assert whole.refused == ()
    for each in whole.authored:
        validate(each)
        check_seal(each, built.own.key.public)
        assert each["created_by_ref"] == built.own.identity
    for each in only(whole, "indicator"):
        assert each["valid_until"] == "2026-12-22T12:00:00Z"
        assert extension_of(each)["retain_until"] == "2027-01-21T12:00:00Z"
    ids = {each["id"] for each in whole.objects}
    for each in only(whole, "relationship"):
        assert {each["source_ref"], each["target_ref"]} <= ids


def test_the_campaign_says_what_is_known_in_buckets(whole: Draft) -> None:
    told = campaign(whole)
    assert (told["accounts"], told["exchanges"], told["tokens"]) == (
        "10-99", "10-99", "10000-99999",
    )  # fmt: skip
    assert told["extraction_family"] == "reasoning-harvest"
    assert told["evidence_families"] == ["content", "time"]
    assert told["parameters"] == {"temperature": 0.6}
    assert {each["type"] for each in told["linkage"]} == {"device", "network", "payment"}
    assert told["response"] == ["slow"]
    assert told["detector"]["false_positive_rate"] == 0.001
    assert "echo" in told["detector"]["measured_on"]
    assert only(whole, "campaign")[0]["confidence"] in (50, 85)


def test_nothing_of_the_log_or_of_people_is_readable_in_it(built: Provider, whole: Draft) -> None:
    text = json.dumps(whole.authored)
    forbidden = [*MEMBERS, built.case, "honest-1", "203.0.113", "Work through", "deduction",
                 "one template", "asked sales", "ana", "12345", "4242", "c-430249290c"]  # fmt: skip
    forbidden += [random_token("card", n) for n in range(4)]
    assert [each for each in forbidden if f'"{each}' in text or f"{each} " in text] == []
    assert "pm_" not in text
    assert "203.0.113" not in text
    assert "deduction" not in text


def test_shared_payments_leave_as_digests_and_cards_do_not(built: Provider, whole: Draft) -> None:
    assert built.own.community is not None
    expected = {built.own.community.digest("payment", "pm_" + random_token("card", n))
                for n in range(4)}  # fmt: skip
    assert digests(whole, "payment") == expected
    assert digests(whole, "device") == set()
    assert "card" in why(whole, "device")
    assert "fewer than 2 accounts" in why(whole, "device")


def test_what_few_members_or_many_others_have_is_no_trait_of_the_campaign(
    built: Provider, tmp_path: Path
) -> None:
    log = tmp_path / "traits.jsonl"
    rows = [json.loads(line) for line in built.log.read_text().splitlines()]
    for row in rows:
        row["ip"] = "203.0.113.0"
        if row["account"] not in MEMBERS[:4]:
            row.pop("temperature")
    log.write_text("\n".join(map(json.dumps, rows)))
    told = campaign(Provider(built.folder, built.case, built.own, built.policy, log).draft())
    assert "parameters" not in told
    assert "network" not in {each["type"] for each in told["linkage"]}


def test_an_account_that_the_verdict_is_not_about_gives_nothing(
    built: Provider, whole: Draft
) -> None:
    assert built.own.community is not None
    alone = built.draft(sharers="1")
    own = built.own.community.digest("device", random_token("device", MEMBERS.index(ACQUITTED)))
    others = built.own.community.digest("device", random_token("device", 10))
    assert others in digests(alone, "device")
    assert own not in digests(alone, "device")
    assert bucket_edges(campaign(whole)["accounts"]) == (10, 99)


def test_a_template_matches_the_wording_at_another_provider(built: Provider, whole: Draft) -> None:
    assert built.own.community is not None
    (template,) = templates(whole)
    assert template["k"] == 5
    sketcher = Sketcher(built.own.community.sketch_key())
    rows = [
        RawExchange(at=n, account=f"b-{n}",
                    prompt=TEMPLATE.format(n=900 + n, what=random_token("elsewhere", n)))
        for n in range(20)
    ]  # fmt: skip
    rows += [RawExchange(at=n, account="c", prompt=f"What is the capital of country {n}, and "
                         "how many people live in it by the last census?")
             for n in range(20)]  # fmt: skip
    pattern = TemplatePattern.parse(
        next(e["pattern"] for e in only(whole, "indicator") if "template" in extension_of(e))
    )
    assert sorted(pattern.cells) == sorted(
        int.from_bytes(bytes.fromhex(c), "big", signed=True) for c in template["cells"]
    )
    wanted = set(pattern.cells)
    hits = [len(wanted & set(cells)) >= pattern.least
            for cells in sketcher.sketch(rows)["cells"].to_pylist()]  # fmt: skip
    assert sum(hits[:20]) >= 18
    assert not any(hits[20:])


def test_a_wording_of_fewer_than_k_accounts_does_not_leave(built: Provider) -> None:
    few = built.draft(k="12")
    assert templates(few) == []
    assert "wording" in why(few, "template")


def test_each_indicator_says_how_many_others_it_would_match(whole: Draft) -> None:
    for each in only(whole, "indicator"):
        detector = extension_of(each)["detector"]
        # none of 700: the upper end of the interval is 1 - 0.025^(1/700) = 0.53 %
        assert detector["false_positive_rate"] == 0.01
        assert "100-999 accounts" in detector["measured_on"]


def test_an_indicator_that_others_match_too_is_dropped(built: Provider, tmp_path: Path) -> None:
    crowd = tmp_path / "crowd.jsonl"
    lines = built.log.read_text().splitlines()
    for n, line in enumerate(lines):
        row = json.loads(line)
        if row["account"].startswith("honest-") and n % 5 == 0:
            row["payment"] = "pm_" + random_token("card", 0)
            row["prompt"] = TEMPLATE.format(n=n, what=row["prompt"])
        lines[n] = json.dumps(row)
    crowd.write_text("\n".join(lines))
    own = Provider(built.folder, built.case, built.own, built.policy, crowd)
    draft = own.draft()
    assert len(digests(draft, "payment")) == 3
    assert "other accounts in the log use it" in why(draft, "payment")
    assert templates(draft) == []
    assert "other" in why(draft, "template")


def test_everything_that_is_dropped_is_named(built: Provider) -> None:
    draft = built.draft(fields="[accounts, payment]")
    told = campaign(draft)
    assert set(told) == {
        "accounts", "detector", "evidence_families", "extension_type", "legal_basis", "profile",
        "purpose", "retain_until", "seal", "valid_until",
    }  # fmt: skip
    assert only(draft, "note") == []
    assert templates(draft) == []
    for field in ("window", "template", "facts", "inference", "confidence", "linkage"):
        assert why(draft, field) == "the policy does not allow it"


def test_tool_sets_and_prompts_need_k_accounts(built: Provider, tmp_path: Path) -> None:
    log = tmp_path / "tools.jsonl"
    rows = [json.loads(line) for line in built.log.read_text().splitlines()]
    names = ["search_repository", "read_file_lines", "apply_patch", "run_test_suite"]
    for row in rows:
        if row["account"] in MEMBERS[:5]:
            row["tools"] = names
        if row["account"] in MEMBERS[:4]:
            row["system"] = "Grade the answer of the student by this rubric and say why it is so."
    log.write_text("\n".join(map(json.dumps, rows)))
    draft = Provider(built.folder, built.case, built.own, built.policy, log).draft()
    assert len(digests(draft, "toolset")) == 1
    assert digests(draft, "system") == set()
    assert "fewer than 5 accounts" in why(draft, "system")


def test_a_base_rate_of_none_seen_is_no_rate(provider: Makes) -> None:
    rates = {"content": 0.0, "time": 0.004}
    evidence = [
        {"family": family, "detection": family, "value": 1.0, "base_rate": rate, "text": "t"}
        for family, rate in rates.items()
    ]
    draft = provider(evidence=evidence).draft(log=False)
    assert campaign(draft)["detector"]["false_positive_rate"] == 0.01
    (note,) = (each for each in only(draft, "note") if each["labels"] == ["inference"])
    assert "content: content, base rate none seen" in note["content"]


def test_without_a_log_there_are_no_indicators_and_that_is_said(built: Provider) -> None:
    draft = built.draft(log=False)
    assert only(draft, "indicator") == []
    assert why(draft, "payment") == why(draft, "template") == "no log was given"
    assert campaign(draft)["accounts"] == "10-99"


def test_a_rate_that_was_not_measured_is_null_and_a_policy_may_refuse_it(
    provider: Makes,
) -> None:
    bare = [
        {"family": family, "detection": family, "value": 1.0, "base_rate": None, "text": "t"}
        for family in ("content", "time")
    ]
    draft = provider(evidence=bare).draft(log=False, minimum="{measured: true}")
    assert campaign(draft)["detector"]["false_positive_rate"] is None
    assert campaign(draft)["detector"]["measured_on"] is None
    assert any(each.startswith("measured") for each in draft.refused)


@pytest.mark.parametrize(
    ("fields", "minimum", "told"),
    [
        ({"upheld": False}, "{verdict: upheld}", "verdict"),
        ({}, "{families: 3}", "families"),
        ({"level": 0.2}, "{level: 0.05}", "level"),
        ({"level": None}, "{level: 0.05}", "level"),
    ],
)
def test_a_case_below_the_minimum_does_not_leave(
    provider: Makes, tmp_path: Path, fields: dict[str, Any], minimum: str, told: str
) -> None:
    own = provider(**fields)
    draft = own.draft(log=False, minimum=minimum)
    assert any(each.startswith(told) for each in draft.refused)
    with (
        Ledger.open(own.state) as ledger,
        Register(own.state, create=True) as register,
        pytest.raises(PolicyError, match=told),
    ):
        release(draft, register, ledger, tmp_path / "out.json", by="ana", now=NOW)
    assert not (tmp_path / "out.json").exists()


def test_an_account_on_the_allow_list_counts_as_honest(provider: Makes) -> None:
    own = provider(upheld=False, allowed=MEMBERS[11])
    draft = own.draft(minimum="{verdict: none}", sharers="1")
    assert own.own.community is not None
    device = own.own.community.digest("device", random_token("device", 11))
    assert device not in digests(draft, "device")
    # the card that it shares is one that an honest account uses
    card = own.own.community.digest("payment", "pm_" + random_token("card", 3))
    (shared,) = (e for e in only(draft, "indicator")
                 if extension_of(e).get("digest", {}).get("value") == card)  # fmt: skip
    assert extension_of(shared)["detector"]["false_positive_rate"] > 0.0053


def test_a_case_that_a_later_look_withdrew_does_not_leave(provider: Makes) -> None:
    draft = provider(withdrawn=True).draft(log=False)
    assert any(each.startswith("withdrawn") for each in draft.refused)


def test_an_undecided_case_leaves_where_the_policy_lets_it(provider: Makes) -> None:
    own = provider(upheld=False)
    assert own.draft(log=False, minimum="{verdict: none}").refused == ()


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, 0.0), (0.00526, 0.01), (0.001, 0.001), (0.999, 1.0), (1.0, 1.0)]
)
def test_a_share_is_rounded_up_to_a_power_of_ten(share: float, told: float) -> None:
    assert rounded_up(share) == told
