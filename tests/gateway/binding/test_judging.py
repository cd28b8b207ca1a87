"""What is told of wrappers that come back, and of those who look like sharers and are none."""

from __future__ import annotations

import msgspec
import pytest

from stillwatch.access import Replay
from stillwatch.gateway.binding import Binding, Owner, Returned
from stillwatch.gateway.binding.binding import MOST
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.opaque import Opaque
from tests.gateway.binding.conftest import DAY, LINKS, NOW, binding, owner
from tests.gateway.binding.engine import SIGNATURE


class Block(msgspec.Struct):
    signature: str


def issued(here: Binding, to: Owner, text: str = SIGNATURE) -> str:
    bind = here.issuing(to)
    assert bind is not None
    return bind(text)


def returned(here: Binding, by: Owner, *texts: str) -> Returned:
    return here.take_back([Opaque(Block(text), "signature") for text in texts], by)


def seen(issued_to: Owner, returned_by: Owner, here: Binding | None = None) -> Replay:
    here = here or binding()
    return returned(here, returned_by, issued(here, issued_to)).kind


def test_the_upstreams_own_text_is_put_in_the_place_of_the_wrapper() -> None:
    here, block = binding(), Block("")
    block.signature = issued(here, owner())
    here.take_back([Opaque(block, "signature")], owner())
    assert block.signature == SIGNATURE


@pytest.mark.parametrize(
    ("there", "here", "kind"),
    [
        (owner("alice"), owner("bob"), Replay.OTHER_ACCOUNT),
        (owner("alice", "one"), owner("bob", "two"), Replay.OTHER_ORG),
        (owner("alice", "one"), owner("bob"), Replay.OTHER_ACCOUNT),
        (owner("alice"), owner("bob", "two"), Replay.OTHER_ACCOUNT),
        (owner(model="m"), owner(model="n"), Replay.OTHER_MODEL),
        (owner(first="a"), owner(first="b"), Replay.OTHER_CONVERSATION),
        (owner(), owner(at=NOW + 31 * DAY), Replay.EXPIRED),
        (owner(), owner(), Replay.SAME),
    ],
)
def test_the_kind_says_what_differs(there: Owner, here: Owner, kind: Replay) -> None:
    assert seen(there, here) == kind


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (owner("alice", first="a"), owner("bob", first="b", model="n", at=NOW + 90 * DAY)),
        (owner("alice", "one", model="x"), owner("bob", "two", first="y")),
    ],
)
def test_sharing_is_told_before_everything_else_that_differs(there: Owner, here: Owner) -> None:
    assert seen(there, here) >= Replay.OTHER_ACCOUNT


# Look-alikes


def test_a_router_that_spreads_a_user_over_accounts_of_an_org_is_a_kind_of_its_own() -> None:
    assert seen(owner("a1", "firm"), owner("a2", "firm")) == Replay.SAME_ORG < Replay.OTHER_ACCOUNT


def test_a_rotated_key_is_the_same_account() -> None:
    assert seen(owner(key="old"), owner(key="new")) == Replay.SAME


def test_an_account_that_moves_to_another_org_is_the_same_account() -> None:
    assert seen(owner("alice", "one"), owner("alice", "two")) == Replay.SAME


def test_a_session_that_is_resumed_after_days_is_the_same_while_blocks_are_good() -> None:
    assert seen(owner(), owner(at=NOW + 29 * DAY)) == Replay.SAME
    week = binding(longest=7 * DAY)
    assert seen(owner(), owner(at=NOW + 6 * DAY), week) == Replay.SAME
    assert seen(owner(), owner(at=NOW + 8 * DAY), week) == Replay.EXPIRED


def test_a_fork_of_a_later_turn_is_the_same_conversation() -> None:
    there = owner(more=("yes", "and at dusk"))
    assert seen(there, owner(more=("yes", "and at night", "no", "why"))) == Replay.SAME


def test_instructions_with_the_time_of_the_day_do_not_make_another_conversation() -> None:
    assert seen(owner(system="it is 9:00"), owner(system="it is 9:05")) == Replay.SAME


def test_a_gateway_whose_clock_is_behind_takes_it_for_good() -> None:
    assert seen(owner(at=NOW + 60), owner(at=NOW)) == Replay.SAME


def test_what_was_issued_before_there_was_a_gateway_is_foreign_and_stays_as_it_is() -> None:
    block = Block(SIGNATURE)
    assert binding().take_back([Opaque(block, "signature")], owner()) == Returned(Replay.FOREIGN)
    assert block.signature == SIGNATURE
    assert Replay.FOREIGN < Replay.EXPIRED


# Several blocks, several keys


def test_of_several_blocks_the_worst_stands_for_the_request() -> None:
    here = binding()
    own, theirs = issued(here, owner()), issued(here, owner("bob"))
    assert returned(here, owner(), own, SIGNATURE).kind == Replay.FOREIGN
    assert returned(here, owner(), theirs, own, SIGNATURE).kind == Replay.OTHER_ACCOUNT


def test_the_account_that_issued_is_told_as_exchanges_call_it() -> None:
    here = binding()
    theirs, forged = issued(here, owner("bob", "firm")), issued(here, owner()) + "A"
    found = returned(here, owner("alice", "firm"), forged, theirs, forged)
    assert found == Returned(Replay.SAME_ORG, LINKS.digest("account", "bob"))
    assert returned(here, owner("bob"), theirs).replayed_from is None


def test_a_changed_wrapper_is_forged_and_is_not_opened() -> None:
    here = binding()
    wrapper = issued(here, owner())
    block = Block(wrapper[:-1] + ("A" if wrapper[-1] != "A" else "B"))
    changed = block.signature
    assert here.take_back([Opaque(block, "signature")], owner()).kind == Replay.FORGED
    assert block.signature == changed


def test_a_key_may_be_replaced_while_its_wrappers_are_about() -> None:
    old, new = b"a" * 32, b"b" * 32
    wrapper = issued(binding(old), owner())
    both = binding(new, old)
    assert returned(both, owner(), wrapper).kind == Replay.SAME
    assert returned(both, owner("bob"), wrapper).kind == Replay.OTHER_ACCOUNT
    assert returned(binding(new), owner(), issued(both, owner())).kind == Replay.SAME
    assert returned(binding(new), owner(), wrapper).kind == Replay.FORGED


def test_gateways_that_share_the_key_share_the_judgement() -> None:
    wrapper = issued(binding(), owner())
    assert returned(binding(), owner(), wrapper).kind == Replay.SAME


def test_a_binding_that_issues_none_opens_what_is_about() -> None:
    silent = binding(issues=False)
    assert silent.issuing(owner()) is None
    assert returned(silent, owner(), issued(binding(), owner())).kind == Replay.SAME


def test_more_blocks_than_can_be_looked_at_are_refused() -> None:
    texts = ["x"] * MOST
    assert returned(binding(), owner(), *texts).kind == Replay.FOREIGN
    with pytest.raises(UnreadableError, match="more than 4096"):
        returned(binding(), owner(), *texts, "x")
