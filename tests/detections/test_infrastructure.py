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
from tests.detections.exchanges import Log, Row, exchange, judged
from tests.detections.groups import beside, log_rows, rows

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
    drawn = 100_000 * (1 + names[0]) + rng.integers(cards, size=len(names))
    card = np.where(shares, drawn, 10_000 + names)
    return rows(
        np.repeat(names, 2),
        payment=np.repeat(card, 2),
        **{"org": np.repeat(names, 2), "device": np.repeat(names, 2), **columns},
    )


def known(values: Sequence[int | None]) -> pa.Array:
    return pa.array(values, pa.int64())


def looked_around(folder: Path, *parts: Rows) -> Infrastructure:
    """The detection after it has seen a log of those exchanges."""
    seen = Infrastructure()
    log = [row for part in parts for row in log_rows(part, "org", "payment", "device")]
    Log(log, folder).find(seen)
    return seen


def said(ours: Rows, others: Rows, folder: Path) -> list[Evidence]:
    """What it says of `ours` in a log of `ours` and `others`."""
    return list(looked_around(folder, ours, others).judge(beside(ours, others)))


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
def test_honest_groups_hardly_ever_speak_for_a_campaign(
    sharing: float, size: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    everybody = accounts(rng, STRANGERS, sharing)
    seen = looked_around(tmp_path, everybody)
    spoke = 0
    for _ in range(40):
        members = rng.choice(np.array(STRANGERS), size, replace=False)
        ours = np.isin(everybody.ints("account"), members)
        found = seen.judge(beside(everybody.where(ours), everybody.where(~ours)))
        spoke += any(each.weight >= COUNTS for each in found)
    assert spoke <= 1


@pytest.mark.parametrize(("size", "together"), [(12, 3), (60, 4)])
def test_a_pool_that_pays_with_a_few_cards_counts(size: int, together: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    others = accounts(rng, STRANGERS, 0.02)
    pools = [
        said(accounts(rng, range(size), 0.5, together), others, tmp_path / str(number))
        for number in range(8)
    ]
    counts = [sum(each.weight for each in found) >= COUNTS for found in pools]
    assert np.mean(counts) > 0.8
    assert all(each.speaks_for for found in pools for each in found)


def test_it_says_how_many_share_and_how_many_of_the_others_do(tmp_path: Path) -> None:
    ours = range(10)
    pool = rows(ours, payment=[CARD] * 4 + [*range(1_000, 1_006)], device=range(10, 20), org=ours)
    paid, strangers = [1, 1, *range(200, 298)], range(300, 400)
    others = rows(strangers, payment=paid, device=strangers, org=strangers)
    (found,) = said(pool, others, tmp_path)
    assert (found.value, found.base_rate, found.speaks_for) == (0.4, 0.02, True)
    assert "4 of 10 accounts" in found.text


def test_a_device_counts_as_a_card_does(tmp_path: Path) -> None:
    pool = rows(range(10), device=[5] * 10, payment=range(100, 110), org=range(10))
    (found,) = said(pool, accounts(np.random.default_rng(3), STRANGERS, 0.0), tmp_path)
    assert found.value == 1.0


def test_what_is_unknown_is_not_shared(tmp_path: Path) -> None:
    silent = [None] * 10
    ours = rows(range(10), payment=known(silent), device=known([*silent[:9], 5]), org=range(10))
    assert said(ours, accounts(np.random.default_rng(4), STRANGERS, 0.0), tmp_path) == []


def test_the_accounts_of_one_company_may_share_its_card(tmp_path: Path) -> None:
    others = accounts(np.random.default_rng(5), STRANGERS, 0.0)
    paid = {"payment": [CARD] * 10, "device": range(10, 20)}
    company = rows(range(10), **paid, org=[3] * 10)
    assert said(company, others, tmp_path / "one") == []
    (found,) = said(rows(range(10), **paid, org=[3] * 9 + [4]), others, tmp_path / "two")
    assert found.value == 1.0


def test_sharing_that_is_usual_among_everybody_is_no_evidence(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    ours, others = accounts(rng, range(40), 0.5, 4), accounts(rng, STRANGERS, 0.5, 4)
    assert said(ours, others, tmp_path) == []


def test_what_is_usual_is_measured_on_the_whole_log_and_not_on_the_sample_beside(
    tmp_path: Path,
) -> None:
    """Of a pair that shares a card a sample mostly holds one account, which then seems alone."""
    ours, strangers = range(10), range(100, 700)
    pairs = [2_000 + account // 2 for account in strangers]
    others = rows(strangers, payment=pairs, device=strangers, org=strangers)
    pool = rows(ours, payment=[CARD] * 4 + [*range(1_000, 1_006)], device=ours, org=ours)
    seen = looked_around(tmp_path, pool, others)
    assert seen.judge(beside(pool, others.where(np.arange(600) % 2 == 0))) == []


def test_the_group_itself_is_not_what_is_usual(tmp_path: Path) -> None:
    pool = accounts(np.random.default_rng(7), range(60), 1.0, 4)
    (found,) = said(pool, accounts(np.random.default_rng(8), range(1_000, 1_010), 0.0), tmp_path)
    assert found.base_rate == 0.0


def test_a_colleague_of_one_who_shares_a_strangers_card_does_not_share_it(tmp_path: Path) -> None:
    """What is usual counts accounts, as the group's own share does."""
    company, strangers = range(100, 150), range(200, 250)
    paid = [CARD, *range(1_001, 1_050), CARD, *range(1_051, 1_100)]
    org = [77] * 50 + [*strangers]
    others = rows([*company, *strangers], payment=paid, device=range(2_000, 2_100), org=org)
    pool = rows(range(10), payment=[8] * 10, device=range(10, 20), org=range(10))
    (found,) = said(pool, others, tmp_path)
    assert found.base_rate == 0.02


def digests(rng: np.random.Generator, count: int) -> list[int]:
    found: list[int] = rng.integers(-(1 << 60), 1 << 60, size=count).tolist()
    return found


def test_accounts_that_change_their_address_all_the_time_are_still_linked_by_their_card(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(9)
    for card in digests(rng, 8):
        pool = [
            exchange(account, payment=card, ip=address)
            for account in range(1, 9)
            for address in digests(rng, 100)
        ]
        found = Log(honest() + pool, tmp_path / str(card)).find(Infrastructure())
        assert card in found.links["object"].to_pylist()


def test_an_address_or_a_fingerprint_never_carries_a_verdict(tmp_path: Path) -> None:
    shared = [exchange(a, ip=1, ja4=2, email_domain=3, org=a) for a in range(1, 11)]
    assert judged(Infrastructure(), honest() + shared, tmp_path, range(1, 11)) == []


def test_an_account_without_a_company_is_one_of_its_own() -> None:
    mixed = rows([1, 1, 2, 3], org=known([9, 9, None, 9]))
    assert organisations(mixed).tolist() == [9, 2, 9]


@pytest.mark.parametrize("org", [[9, None], [None, 9], [None, 9, None], [-9, None], [9, 9]])
def test_an_account_belongs_to_its_company_though_an_exchange_does_not_say_so(
    org: list[int | None],
) -> None:
    ours = rows([1] * len(org) + [2], org=known([*org, None]))
    assert organisations(ours).tolist() == [max(each for each in org if each is not None), 2]


def pupils(domain: int | None) -> list[Row]:
    """A class that its school pays for."""
    return [exchange(account, payment=CARD, email_domain=domain) for account in range(1, 25)]


@pytest.mark.parametrize(("domain", "speaks"), [(77, False), (None, True)])
def test_accounts_with_one_card_and_one_mail_domain_are_openly_one_customer(
    domain: int | None, speaks: bool, tmp_path: Path
) -> None:
    seen = Infrastructure()
    Log(honest() + pupils(domain), tmp_path).find(seen)
    alone = np.arange(1, 25)
    ours = rows(alone, payment=np.full(24, CARD), device=alone, org=alone)
    others = accounts(np.random.default_rng(1), STRANGERS, 0.0)
    assert bool(seen.judge(beside(ours, others))) == speaks
    assert len(np.unique(seen.holders.customer)) == (24 if speaks else 1)


def test_webmail_makes_nobody_one_customer(tmp_path: Path) -> None:
    """Its domain is a crowd's, and so it is among nobody's values."""
    strangers = [exchange(a, payment=10_000 + a, email_domain=99) for a in STRANGERS]
    pool = [exchange(account, payment=CARD, email_domain=99) for account in range(1, 25)]
    seen = Infrastructure()
    Log(strangers + pool, tmp_path).find(seen)
    assert len(np.unique(seen.holders.customer)) == 24
