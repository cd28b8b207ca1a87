"""Shared payments and devices link accounts; a crowd's address does not, nor a company's card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stillwatch.campaigns.campaign import COUNTS
from stillwatch.detections import Abstained, Evidence, Rows
from stillwatch.detections.infrastructure import CROWD, Infrastructure, organisations
from tests.detections.exchanges import Log, Row, exchange, group
from tests.detections.groups import beside, rows

STRANGERS = range(1_000, 1_600)
CARD = 7


def honest() -> list[Row]:
    """Strangers who each pay for themselves."""
    return [exchange(account, payment=10_000 + account) for account in STRANGERS]


def accounts(
    rng: np.random.Generator, members: range, sharing: float, together: int = 2, **columns: object
) -> Rows:
    """Accounts with two exchanges each; a `sharing` part of them pays with others' cards."""
    names = np.array(members)
    shares = rng.random(len(names)) < sharing
    cards = max(1, round(len(names) * sharing / together))
    card = np.where(shares, rng.integers(cards, size=len(names)), 10_000 + names)
    return rows(
        np.repeat(names, 2),
        payment=np.repeat(card, 2),
        **{"org": np.repeat(names, 2), "device": np.repeat(names, 2), **columns},
    )


def known(values: Sequence[int | None]) -> pa.Array:
    return pa.array(values, pa.int64())


def said(ours: Rows, others: Rows) -> list[Evidence]:
    return list(Infrastructure().judge(beside(ours, others)))


def test_accounts_that_pay_with_one_card_are_linked_and_score(tmp_path: Path) -> None:
    pool = [exchange(account, payment=CARD) for account in range(1, 5) for _ in range(account)]
    found = Log(honest() + pool, tmp_path).find(Infrastructure())
    links = found.links.sort_by("account")
    assert links["account"].to_pylist() == [1, 2, 3, 4]
    assert links["object"].to_pylist() == [CARD] * 4
    assert links["uses"].to_pylist() == [1, 2, 3, 4]
    assert links["weight"].to_pylist() == pytest.approx([np.log(604 / 4)] * 4)
    assert set(found.scores) == {1, 2, 3, 4}
    assert found.labels == {CARD: "payment"}


def test_an_address_links_far_less_than_a_card(tmp_path: Path) -> None:
    shared = [exchange(account, ip=8) for account in (1, 2)]
    shared += [exchange(account, payment=CARD) for account in (3, 4)]
    found = Log(honest() + shared, tmp_path).find(Infrastructure())
    assert found.scores[3] > 3 * found.scores[1] > 0
    assert found.labels == {CARD: "payment", 8: "ip"}


def test_an_accounts_score_is_that_of_the_rarest_thing_that_it_shares(tmp_path: Path) -> None:
    pool = [exchange(account, payment=CARD, device=5) for account in (1, 2)]
    pool += [exchange(account, payment=CARD) for account in range(3, 20)]
    found = Log(honest() + pool, tmp_path).find(Infrastructure())
    assert found.scores[1] == pytest.approx(np.log(619 / 2))
    assert found.scores[3] == pytest.approx(np.log(619 / 19))


@pytest.mark.parametrize(("sharing", "linked"), [(CROWD, CROWD), (CROWD + 1, 0)])
def test_a_crowds_value_links_nobody(sharing: int, linked: int, tmp_path: Path) -> None:
    crowd = [exchange(account, device=5) for account in range(sharing)]
    found = Log(honest() + crowd, tmp_path).find(Infrastructure())
    assert found.links.num_rows == linked


def test_a_log_without_any_of_the_columns_makes_it_abstain(tmp_path: Path) -> None:
    with pytest.raises(Abstained, match="payment"):
        Log([exchange(account) for account in range(9)], tmp_path).find(Infrastructure())


def test_where_everybody_pays_alone_nothing_is_found(tmp_path: Path) -> None:
    found = Log(honest(), tmp_path).find(Infrastructure())
    assert not found.links.num_rows
    assert not found.scores


@pytest.mark.parametrize("sharing", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("size", [3, 40])
def test_honest_groups_hardly_ever_speak_for_a_campaign(sharing: float, size: int) -> None:
    rng = np.random.default_rng(1)
    everybody = accounts(rng, STRANGERS, sharing)
    spoke = 0
    for _ in range(40):
        members = rng.choice(np.array(STRANGERS), size, replace=False)
        ours = np.isin(everybody.ints("account"), members)
        found = said(everybody.where(ours), everybody.where(~ours))
        spoke += any(each.weight >= COUNTS for each in found)
    assert spoke <= 1


@pytest.mark.parametrize(("size", "together"), [(12, 3), (60, 4)])
def test_a_pool_that_pays_with_a_few_cards_counts(size: int, together: int) -> None:
    rng = np.random.default_rng(2)
    others = accounts(rng, STRANGERS, 0.02)
    pools = [said(accounts(rng, range(size), 0.5, together), others) for _ in range(30)]
    counts = [sum(each.weight for each in found) >= COUNTS for found in pools]
    assert np.mean(counts) > 0.9
    assert all(each.speaks_for for found in pools for each in found)


def test_it_says_how_many_share_and_how_many_of_the_others_do() -> None:
    pool = rows(range(10), payment=[CARD] * 4 + [*range(100, 106)], device=range(10), org=range(10))
    paid, strangers = [1, 1, *range(200, 298)], range(100, 200)
    others = rows(strangers, payment=paid, device=strangers, org=strangers)
    (found,) = said(pool, others)
    assert (found.value, found.base_rate, found.speaks_for) == (0.4, 0.02, True)
    assert "4 of 10 accounts" in found.text


def test_a_device_counts_as_a_card_does() -> None:
    pool = rows(range(10), device=[5] * 10, payment=range(10), org=range(10))
    (found,) = said(pool, accounts(np.random.default_rng(3), STRANGERS, 0.0))
    assert found.value == 1.0


def test_what_is_unknown_is_not_shared() -> None:
    silent = [None] * 10
    ours = rows(range(10), payment=known(silent), device=known([*silent[:9], 5]), org=range(10))
    assert said(ours, accounts(np.random.default_rng(4), STRANGERS, 0.0)) == []


def test_the_accounts_of_one_company_may_share_its_card() -> None:
    others = accounts(np.random.default_rng(5), STRANGERS, 0.0)
    company = rows(range(10), payment=[CARD] * 10, device=range(10), org=[3] * 10)
    assert said(company, others) == []
    (found,) = said(
        rows(range(10), payment=[CARD] * 10, device=range(10), org=[3] * 9 + [4]), others
    )
    assert found.value == 1.0


def test_sharing_that_is_usual_among_everybody_is_no_evidence() -> None:
    rng = np.random.default_rng(6)
    assert said(accounts(rng, range(40), 0.5, 4), accounts(rng, STRANGERS, 0.5, 4)) == []


def test_an_address_or_a_fingerprint_never_carries_a_verdict() -> None:
    shared = [exchange(a, ip=1, ja4=2, email_domain=3, org=a) for a in range(1, 11)]
    assert list(Infrastructure().judge(group(honest() + shared, range(1, 11)))) == []


def test_an_account_without_a_company_is_one_of_its_own() -> None:
    mixed = rows([1, 1, 2, 3], org=known([9, 9, None, 9]))
    assert organisations(mixed).tolist() == [9, 2, 9]
