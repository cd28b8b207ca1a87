"""What is read off the cases: precision, pools, what the owner may be told, who sees what."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Item
from stillwatch.cases.erasure import erase_account, held
from stillwatch.cases.pool import pool_of
from stillwatch.cases.precision import FORMAT, Precision, measure, write
from stillwatch.cases.statement import statement
from stillwatch.cases.views import CaseView, redacted, view_of
from stillwatch.errors import CaseError
from tests.cases.conftest import (
    ANA,
    BO,
    CAM,
    DAY,
    LOOKED,
    NOW,
    SCAN,
    SUSPEND,
    Clock,
    draft,
    finding,
)

DISMISSED = {"verdict": "dismissed", "reason": "no-breach", "measures": ()}


def decided(cases: Cases, campaign: str, segment: str, **fields: object) -> str:
    [case] = cases.intake.open([finding(id=campaign)], SCAN, segment=segment).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    cases.bench.propose(case, ANA, draft(**fields))
    return case


def test_precision_counts_decided_cases_by_detection_and_segment(
    cases: Cases, clock: Clock
) -> None:
    for number in range(3):
        decided(cases, f"c-{number}", "free")
    decided(cases, "c-3", "free", **DISMISSED)
    decided(cases, "c-4", "large", **DISMISSED)
    decided(cases, "c-5", "large", **(DISMISSED | {"verdict": "undetermined"}))
    found = {(row.detection, row.segment): row for row in measure(cases.database, NOW).rows}
    free = found["echo", "free"]
    assert (free.upheld, free.dismissed, free.precision) == (3, 1, 0.75)
    # Clopper and Pearson for 3 of 4, from a table of the binomial distribution
    assert (free.least, free.most) == pytest.approx((0.19412, 0.99369), abs=1e-5)
    large = found["load_balance", "large"]
    assert (large.dismissed, large.undetermined, large.precision) == (1, 1, 0.0)
    assert found["*", "*"].upheld + found["*", "*"].dismissed == 5


def test_an_overturned_verdict_counts_as_it_was_decided_in_the_end(cases: Cases) -> None:
    case = decided(cases, "c-1", "free")
    cases.desk.appeal(case, SCAN, "no", "mail")
    assert measure(cases.database, NOW).decided == 0
    cases.desk.claim(case, BO)
    cases.desk.add(case, BO, LOOKED)
    cases.bench.propose(case, BO, draft(**DISMISSED))
    row = measure(cases.database, NOW).rows[0]
    assert (row.upheld, row.dismissed, row.overturned) == (0, 1, 1)


def test_precision_is_a_file_that_others_may_read(cases: Cases, tmp_path: Path) -> None:
    decided(cases, "c-1", "free")
    found = measure(cases.database, NOW)
    write(found, tmp_path / "precision.json")
    read = msgspec.json.decode((tmp_path / "precision.json").read_bytes(), type=Precision)
    assert read == found
    assert read.format == FORMAT


def test_the_pool_shows_who_was_first_reported_after_others_fell(
    cases: Cases, suspended: str
) -> None:
    """The scan of the case ended a day before its accounts were suspended."""
    after = finding(accounts=["acct-2", "acct-3"], at="2026-09-24T00:00:00Z")
    renamed = finding(id="c-new", accounts=["acct-2", "acct-3", "acct-4"],
                      at="2026-09-26T00:00:00Z")  # fmt: skip
    other = finding(id="c-else", accounts=["acct-9", "acct-8", "acct-1"], at="2026-09-27T00:00:00Z")
    pool = pool_of(cases.database, suspended, [other, renamed, after])
    assert pool.campaigns == ("c-430249290c", "c-new")
    assert {each.account: each.successor for each in pool.accounts} == {
        "acct-1": False, "acct-2": False, "acct-3": True, "acct-4": True,
    }  # fmt: skip
    third = next(each for each in pool.accounts if each.account == "acct-3")
    assert (third.seen_in, third.fell_at) == ("c-430249290c", None)
    assert third.after == 1_790_208_000 - NOW


def test_nobody_succeeds_where_nobody_fell(cases: Cases, opened: str) -> None:
    later = finding(accounts=["acct-1", "acct-3"], at="2026-09-24T00:00:00Z")
    assert pool_of(cases.database, opened, [later]).successors == 0


def view(cases: Cases, case: str) -> CaseView:
    with cases.database.reading() as (connection, _):
        return view_of(connection, cases.desk.case(case), NOW)


def test_who_only_reads_sees_no_name_and_nothing_that_people_wrote(
    cases: Cases, suspended: str
) -> None:
    cases.desk.add(suspended, ANA, Item(kind="fact", text="acct-1 is SECRET", source="SECRET"))
    cases.desk.appeal(suspended, SCAN, "SECRET", "mail")
    shown = msgspec.json.encode(redacted(view(cases, suspended))).decode()
    for hidden in ("acct-1", "acct-2", "SECRET", "ana", '"bo"', "asked sales"):
        assert hidden not in shown
    for needed in ("load_balance", "c1-", "suspend", "coordinated-extraction", "0.001"):
        assert needed in shown


def test_who_was_asked_is_for_nobody_who_only_reads(cases: Cases, claimed: str) -> None:
    cases.desk.ask(claimed, ANA, "who pays?", of="eve@acct-1.example")
    assert "eve@" not in msgspec.json.encode(redacted(view(cases, claimed))).decode()


def test_the_owner_is_told_what_holds_and_not_how_it_was_noticed(
    cases: Cases, keys: KeyStore, clock: Clock
) -> None:
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    cases.bench.propose(case, ANA, draft(clause="4.2", measures=SUSPEND))
    cases.bench.approve(case, BO)
    with cases.database.reading() as (connection, _):
        told = statement(connection, cases.desk.case(case), "acct-1")
        with pytest.raises(CaseError, match="is no account of"):
            statement(connection, cases.desk.case(case), "acct-7")
    assert (told.reason, told.clause, told.terms) == ("coordinated-extraction", "4.2", "2026-03")
    assert told.clause_text == "No training on answers."
    assert [(m.kind, m.until) for m in told.measures] == [("suspend", NOW + 7 * DAY)]
    text = msgspec.json.encode(told).decode()
    for hidden in ("acct-2", "echo", "load_balance", "ana", "asked sales", "one template"):
        assert hidden not in text


def test_erasing_an_account_leaves_no_trace_of_its_name(
    cases: Cases, suspended: str, tmp_path: Path
) -> None:
    cases.desk.add(suspended, CAM, Item(kind="counter", text="acct-1 wrote to us"))
    cases.registry.allow("acct-1", "research", DAY, "agreement", ANA)
    kinds = {kind for kind, _ in held(cases.database, "acct-1")}
    assert kinds == {"case", "event", "allowance"}
    assert erase_account(cases.database, "acct-1") == 3
    assert list(held(cases.database, "acct-1")) == []
    shown = view(cases, suspended)
    assert [party.account for party in shown.accounts] == [None, "acct-2"]
    assert shown.counter_evidence[-1].text == "(erased) wrote to us"
