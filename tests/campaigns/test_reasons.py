"""Why an account is a member: phrases that name what is shared, and with how many."""

from __future__ import annotations

import numpy as np

from stillwatch.campaigns.candidates import Candidate
from stillwatch.campaigns.reasons import noun, reasons

LABELS = {1: "style", 2: "payment", 3: "payment", 4: "ip", 5: "n 4", 6: "conversations"}


def why(**links: dict[int, list[int]]) -> dict[int, tuple[str, ...]]:
    accounts = sorted({a for objects in links.values() for some in objects.values() for a in some})
    arrays = {
        name: {shared: np.array(some) for shared, some in objects.items()}
        for name, objects in links.items()
    }
    return reasons(Candidate(np.array(accounts), arrays), LABELS, dict.fromkeys(accounts, 0.494))


def test_a_reason_says_what_is_shared_and_with_how_many() -> None:
    found = why(infrastructure={4: [11, 12, 13]}, echo={1: [11, 12]})
    assert found[11] == (
        "the wording of 1 other in 49% of its exchanges",
        "IP address shared with 2 others",
    )
    assert found[13] == ("IP address shared with 2 others",)


def test_several_objects_of_a_kind_are_one_reason_and_each_fellow_counts_once() -> None:
    found = why(infrastructure={2: [11, 12], 3: [11, 12, 13]})
    assert found[11] == ("2 payment instruments shared with 2 others",)
    assert found[13] == ("payment instrument shared with 2 others",)


def test_parameters_and_conversations_read_as_such() -> None:
    found = why(shape={5: [11, 12]}, prefixes={6: [11, 12, 13]})
    assert found[11] == (
        "goes on with conversations of 2 others",
        "parameters (n 4) shared with 1 other",
    )


def test_a_small_share_of_exchanges_is_not_none() -> None:
    candidate = Candidate(np.array([11, 12]), {"echo": {1: np.array([11, 12])}})
    found = reasons(candidate, LABELS, {11: 0.0004, 12: 0.0})
    assert found[11] == ("the wording of 1 other in 0.04% of its exchanges",)
    assert found[12] == ("wording shared with 1 other",)


def test_an_object_of_a_detection_that_nobody_knows_is_called_by_its_label() -> None:
    assert noun("indicators", "listed address") == "listed address"


def test_accounts_that_are_linked_and_no_members_are_not_counted() -> None:
    candidate = Candidate(np.array([11, 12, 13]), {"echo": {1: np.array([11, 12, 13])}})
    found = reasons(candidate, LABELS, {11: 0.5, 12: 0.5})
    assert found == dict.fromkeys([11, 12], ("the wording of 1 other in 50% of its exchanges",))
