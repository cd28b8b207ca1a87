"""Objects are grouped before accounts."""

import numpy as np
import pyarrow as pa

from stillwatch.campaigns.candidates import find_candidates
from stillwatch.detections import LINKS, Findings

STYLE, TOOL, CARD = 1, 2, 3


def linked(objects: dict[int, range], weight: float = 6.0) -> Findings:
    rows = [
        (account, each, 3, weight) for each, accounts in objects.items() for account in accounts
    ]
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    return Findings(links=pa.Table.from_arrays(columns, schema=LINKS))


def accounts(candidate: object) -> set[int]:
    return set(candidate.accounts.tolist())  # type: ignore[attr-defined]


def test_cover_through_a_popular_tool_hides_no_campaign() -> None:
    found = find_candidates({"echo": linked({STYLE: range(60), TOOL: range(600)})}, 5000)
    assert {60, 600} == {len(each.accounts) for each in found}


def test_styles_of_the_same_accounts_are_one_candidate() -> None:
    found = find_candidates({"echo": linked({STYLE: range(50), TOOL: range(5, 55)})}, 5000)
    assert accounts(found[0]) == set(range(55))


def test_a_shared_card_joins_the_group_that_holds_its_users() -> None:
    findings = {"echo": linked({STYLE: range(40)}), "infrastructure": linked({CARD: range(3, 7)})}
    (candidate,) = find_candidates(findings, 5000)
    assert accounts(candidate) == set(range(40))
    assert candidate.links["infrastructure"][CARD].tolist() == [3, 4, 5, 6]


def test_an_address_that_three_accounts_share_leads_nowhere() -> None:
    assert find_candidates({"infrastructure": linked({CARD: range(3)}, weight=2.0)}, 5000) == []


def test_a_card_that_three_accounts_share_is_looked_at() -> None:
    (candidate,) = find_candidates({"infrastructure": linked({CARD: range(3)}, weight=7.0)}, 5000)
    assert np.array_equal(candidate.accounts, [0, 1, 2])


def test_no_links_give_no_candidates() -> None:
    assert find_candidates({"echo": Findings()}, 10) == []
