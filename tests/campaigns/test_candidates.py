"""Objects are grouped before accounts."""

import numpy as np
import pyarrow as pa

from stillwatch.campaigns.candidates import Candidate, find_candidates
from stillwatch.detections import LEAST_MARKED, LINKS, Findings

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


def sharing(**links: dict[int, tuple[int, ...]]) -> Candidate:
    """Ten accounts; `links` says which share what, by detection."""
    held = {
        name: {each: np.array(who) for each, who in objects.items()}
        for name, objects in links.items()
    }
    return Candidate(np.arange(10), held)


EVERYBODY = tuple(range(10))


def test_two_marked_exchanges_make_a_member() -> None:
    assert LEAST_MARKED == 2
    assert sharing(echo={STYLE: EVERYBODY}).least == 2
    assert sharing(infrastructure={CARD: EVERYBODY}).least == 2


def test_of_those_who_reword_as_many_as_the_link_asks_for() -> None:
    assert sharing(rewording={8: EVERYBODY}).least == 8
    assert sharing(rewording={32: EVERYBODY, 8: EVERYBODY}).least == 8
    assert sharing(rewording={32: EVERYBODY}, infrastructure={CARD: (1, 2)}).least == 32


def test_but_two_where_they_share_a_wording_as_well() -> None:
    assert sharing(rewording={32: EVERYBODY}, echo={STYLE: EVERYBODY}).least == 2


def test_a_way_of_wording_things_ties_nobody() -> None:
    assert list(sharing(echo={STYLE: EVERYBODY}, rewording={8: EVERYBODY}).ties()) == []


def test_every_other_shared_object_ties_those_who_share_it() -> None:
    candidate = sharing(
        echo={STYLE: EVERYBODY},
        rewording={8: EVERYBODY},
        infrastructure={CARD: (1, 2), TOOL: (2, 3)},
        prefixes={STYLE: (7, 9)},
    )
    assert [each.tolist() for each in candidate.ties()] == [[1, 2], [2, 3], [7, 9]]
