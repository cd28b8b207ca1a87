"""report.html as a file: whole, closed to the outside, equal for equal reports, small."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.campaigns import Campaign, ScanReport, Template, Tie, TrackRecord
from stillwatch.campaigns.campaign import Bound, Calibration
from stillwatch.campaigns.report import render
from stillwatch.detections import Evidence, Family

Read = Callable[[str], Any]

MIXED = (
    [f"account-{i}" for i in range(30)],
    [
        (kind, kind, tuple(f"account-{j}" for j in range(30) if j % 7 == i % 7 or j == i))
        for kind in ("echo", "infrastructure")
        for i in range(14)
    ],
)
"""Accounts, and ties that overlap."""


@pytest.fixture(scope="module")
def full(full_report: ScanReport) -> str:
    return render(full_report)


@pytest.fixture(scope="module")
def empty(empty_report: ScanReport) -> str:
    return render(empty_report)


def policy(html: str) -> str:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert found
    return found[1].replace("&#39;", "'")


def test_equal_reports_give_equal_bytes(full_report: ScanReport, full: str) -> None:
    assert render(dataclasses.replace(full_report)) == full


def test_another_process_with_other_hashes_gives_the_same_bytes(
    make_report: Callable[..., ScanReport], make_campaign: Callable[..., Campaign]
) -> None:
    names, ties = MIXED
    here = render(make_report(make_campaign(names, ties=tuple(Tie(*tie) for tie in ties))))
    conftest = Path(__file__).with_name("conftest.py")
    elsewhere = f"""
import hashlib, runpy
from stillwatch.campaigns import Tie
from stillwatch.campaigns.report import render
from stillwatch.detections import Evidence, Family
made = runpy.run_path({str(conftest)!r})
ties = tuple(Tie(*tie) for tie in {ties!r})
campaign = made["build_campaign"]({names!r}, ties=ties)
print(hashlib.sha256(render(made["build_report"](campaign)).encode()).hexdigest())
"""
    ran = subprocess.run(
        [sys.executable, "-c", elsewhere],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


def test_the_order_of_members_and_ties_does_not_matter(
    make_report: Callable[..., ScanReport], full_report: ScanReport
) -> None:
    for each in full_report.campaigns:
        turned = dataclasses.replace(each, members=each.members[::-1], ties=each.ties[::-1])
        assert render(make_report(turned)) == render(make_report(each))


def test_the_page_names_no_other_resource(full: str, read: Read) -> None:
    page = read(full)
    assert page.values("src") == []
    assert page.values("srcset") == []
    links = page.values("href") + page.values("xlink:href")
    assert [link for link in links if not link.startswith(("#", "data:,"))] == []
    assert not re.search(r"url\(|@import|https?:", full)


def test_the_policy_allows_nothing_but_the_pages_own_style_and_script(full: str) -> None:
    allowed = policy(full)
    assert "default-src 'none'" in allowed
    assert "unsafe" not in allowed
    for kind in ("style", "script"):
        text = re.search(rf"<{kind}>(.*?)</{kind}>", full, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in allowed


def test_no_element_carries_style_or_script_that_the_policy_would_refuse(
    full: str, read: Read
) -> None:
    names = {name for _, attrs in read(full).elements for name in attrs}
    assert "style" not in names
    assert [name for name in names if name.startswith("on")] == []


def test_every_id_is_single_and_every_reference_finds_one(full: str, read: Read) -> None:
    page = read(full)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    wanted = {name for value in page.values("aria-labelledby") for name in value.split()}
    wanted |= {link[1:] for link in page.values("href") if link.startswith("#")}
    assert wanted <= set(ids)


def test_every_heading_cell_says_what_it_heads_and_every_drawing_is_named_or_hidden(
    full: str, read: Read
) -> None:
    page = read(full)
    assert all("scope" in cell for cell in page.tags("th"))
    inner = [{"viewbox"}, {"data-h"}]
    drawings = [each for each in page.tags("svg") if not any(i <= set(each) for i in inner)]
    assert all({"aria-hidden", "aria-labelledby", "aria-label"} & set(d) for d in drawings)


def test_headings_step_down_one_level_at_a_time(full: str, empty: str, read: Read) -> None:
    for html in (full, empty):
        levels = [int(tag[1]) for tag, _ in read(html).elements if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_the_first_lines_answer_how_many_and_how_sure(full: str, read: Read) -> None:
    text = " ".join(read(full).text.split())
    assert "All accounts in this log are simulated." in text
    assert "Four suspected campaigns, 3,341 accounts" in text
    assert "The score ranks, and does no more." in text
    assert "A link is not a verdict." in text
    assert "What to do next" in text


def test_a_campaign_shows_why_how_rare_and_what_speaks_against_it(full: str, read: Read) -> None:
    text = " ".join(read(full).text.split())
    assert "24 accounts send the same rare wording, move in step and share payment" in text
    assert "About 1 in 320 honest accounts or groups looks like this." in text
    assert "nats = 5.0 content + 3.7 time + 4.4 infrastructure − 0.8 against" in text
    assert "The requests use 11 different settings of temperature" in text
    assert "3.1 nats, not added: the shared template may explain it" in text
    assert "answer graders" in text


def test_what_is_against_gets_as_much_room_as_what_is_for(full: str) -> None:
    assert full.count('<section class="for"') == full.count('<section class="against"') == 4
    assert ".two { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr));" in full


def test_fifty_members_are_listed_and_the_rest_is_pointed_to(full: str, read: Read) -> None:
    text = " ".join(read(full).text.split())
    assert "The other 2,950 stand in campaigns.json and accounts.parquet" in text
    table = full.split('<table class="sortable members">')[-1].split("</table>")[0]
    assert table.count("<tr>") == 1 + 50


def test_the_page_says_what_was_looked_at_and_what_cannot_be_seen(full: str, read: Read) -> None:
    text = " ".join(read(full).text.split())
    assert "151,204 as native JSON lines" in text
    assert "17 each with line and reason in rejects.jsonl" in text
    assert "Abstained: no indicator file was given" in text
    assert "17 rows were rejected: 12 without an account" in text
    assert "Country and nationality are no input." in text
    assert "Relayed real traffic." in text
    assert "Answers bought or collected elsewhere." in text


def test_the_page_says_how_the_tests_behave_and_what_holds_wherever_one_stops(
    make_report: Callable[..., ScanReport], read: Read
) -> None:
    report = make_report(
        calibration=Calibration(groups=93, large=1),
        bounds=(Bound(1, 30.0, 0), Bound(2, 4.0, 1)),
    )
    text = " ".join(read(render(report)).text.split())
    assert "Of the 93 groups that were tested and are not reported, 1 has an e-value of 20" in text
    assert re.search(r"10¹³ to 1\s*0 of 1", text)
    assert re.search(r"54.6 to 1\s*1 of 2", text)
    nothing = read(render(make_report())).text
    assert "Wherever you stop" not in nothing
    assert "e-value of 20" not in nothing


def test_a_page_without_campaigns_says_what_that_does_not_mean(empty: str, read: Read) -> None:
    text = " ".join(read(empty).text.split())
    assert "No campaign found" in text
    assert "Eleven groups of accounts were close enough to each other to be judged" in text
    assert "It does not mean that nobody copies the model." in text
    assert "suspected" not in text


def test_a_log_without_a_row_still_gets_a_page(
    make_report: Callable[..., ScanReport], read: Read
) -> None:
    report = make_report(considered=0)
    source = dataclasses.replace(report.source, rows=0, accounts=0, first=None, last=None)
    text = read(render(dataclasses.replace(report, source=source))).text
    assert "the log holds no exchange that could be read" in text


def test_a_campaign_without_anything_optional_still_gets_a_card(
    make_report: Callable[..., ScanReport], make_campaign: Callable[..., Campaign], read: Read
) -> None:
    bare = dataclasses.replace(make_campaign(["one", "two"], seed=3), hours={}, members=())
    text = " ".join(read(render(make_report(bare, detections=(), notes=()))).text.split())
    assert "No hourly counts were kept for this campaign." in text
    assert "No object is shared by two of its accounts" in text
    assert "Nothing in this log speaks against it" in text
    assert "One suspected campaign, 0 accounts" in text


def test_an_account_of_two_campaigns_counts_once(
    make_report: Callable[..., ScanReport], make_campaign: Callable[..., Campaign]
) -> None:
    html = render(make_report(make_campaign(["a", "b", "c"]), make_campaign(["c", "d"], seed=2)))
    assert "Two suspected campaigns, 4 accounts" in html


def test_the_reference_period_and_digests_are_named(
    make_report: Callable[..., ScanReport], read: Read
) -> None:
    text = read(render(make_report(reference="October 2026", pseudonymous=True))).text
    assert "Novelty was judged against October 2026." in text
    assert "Accounts appear as digests." in text


def test_twenty_campaigns_of_three_thousand_accounts_stay_under_one_megabyte(
    full_report: ScanReport,
    make_report: Callable[..., ScanReport],
    make_campaign: Callable[..., Campaign],
) -> None:
    slow = max(full_report.campaigns, key=lambda each: len(each.members))
    names = [member.account for member in slow.members]
    assert len(names) == 3000
    everything = [each for found in full_report.campaigns for each in found.evidence]
    wide = make_campaign(
        names,
        hours=24 * 92,
        volume=50,
        evidence=tuple(everything),
        counter=slow.counter_evidence,
        ties=slow.ties,
        templates=tuple(Template(f"{i} evaluate ▢ " * 5, 2000, 3, 4) for i in range(40)),
        reasons=("echo", "infrastructure", "a third reason that is rather long"),
    )
    html = render(make_report(*[wide] * 20))
    assert len(html.encode()) <= 1_000_000


def test_a_wording_that_nobody_else_sends_is_said_to_be_sent_by_none(
    make_report: Callable[..., ScanReport], make_campaign: Callable[..., Campaign], read: Read
) -> None:
    wordings = (Template("put each step", 3, 0, 9), Template("on its own line", 2, 1, 5))
    campaign = make_campaign(["a", "b", "c"], templates=wordings)
    text = " ".join(read(render(make_report(campaign))).text.split())
    assert "… put each step …in 9 exchanges all 3 none of 12,477" in text
    assert "… on its own line …in 5 exchanges 2 of 3, 67 % 1 of 12,477, <0.01 %" in text


def test_what_speaks_against_is_a_question_and_has_no_base_rate(
    make_report: Callable[..., ScanReport], make_campaign: Callable[..., Campaign], read: Read
) -> None:
    against = Evidence(
        Family.CONTENT, "echo", 0.1, 0.02, "Strangers send it too.", speaks_for=False, weight=1.0
    )
    text = " ".join(
        read(render(make_report(make_campaign(["a", "b"], counter=(against,))))).text.split()
    )
    assert "The same wording from many accounts? content Strangers send it too. Measured" in text


def test_light_evidence_is_in_the_sum_and_look_alikes_stand_beside_their_detection(
    make_report: Callable[..., ScanReport], make_campaign: Callable[..., Campaign], read: Read
) -> None:
    evidence = (
        Evidence(Family.CONTENT, "echo", 3, 0.001, "Same words.", weight=5.0),
        Evidence(Family.PURPOSE, "focus", 0.1, None, "One purpose.", weight=1.0),
    )
    text = " ".join(
        read(render(make_report(make_campaign(["a", "b"], evidence=evidence)))).text.split()
    )
    assert "nats = 5.0 content + 1.0 purpose" in text
    assert (
        "rarest single observation is The same wording from many accounts: about 1 in 1,000" in text
    )
    assert "The same wording from many accounts: tools and frameworks; coding harnesses;" in text


RECORD = (
    TrackRecord("*", "*", 29, 2, least=0.786, most=0.992),
    TrackRecord("echo", "*", 29, 2, least=0.786, most=0.992),
    TrackRecord("echo", "enterprise", 0, 2, least=0.0, most=0.842),
)


def test_what_analysts_found_stands_beside_the_base_rate_and_by_kind_of_customer(
    full_report: ScanReport, full: str
) -> None:
    html = render(dataclasses.replace(full_report, track_record=RECORD))
    said = "Of 31 reviewed campaigns with this detection 29 were confirmed"
    opinions = html.split('<div class="opinion')[1:]
    with_echo = [each for each in opinions if "The same wording from many accounts" in each]
    assert with_echo
    assert all(said in each for each in with_echo if 'class="rate"' in each)
    assert "No campaign with this detection was decided by analysts yet" in html
    assert "<td>enterprise</td><td>2</td><td>0</td><td>0 %" in html
    assert "How often each detection was right" in html
    assert "with this detection" not in full, "a scan that was not told says nothing of it"
    assert "How often each detection was right" not in full
