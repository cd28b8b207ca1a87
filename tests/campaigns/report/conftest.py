"""A scan report made by hand: four fictional campaigns of 5, 24, 312 and 3,000 accounts.

And a reader of pages, strict about what a careless template gets wrong.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import random
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from stillwatch.campaigns import Campaign, Member, Ran, ScanReport, Source, Template, Tie
from stillwatch.detections import Evidence, Family, Metadata

START = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def metadata(
    name: str, family: Family, title: str, sees: str, base_rate: str, *look_alikes: str
) -> Metadata:
    return Metadata(
        name=name,
        family=family,
        title=title,
        sees=sees,
        null="accounts act independently of each other",
        base_rate=base_rate,
        look_alikes=look_alikes,
        atlas=("AML.T0024.002",),
    )


DETECTIONS = (
    Ran(
        metadata("echo", Family.CONTENT, "The same wording from many accounts",
                 "masked word 5-grams that several accounts share and that occur together",
                 "every popular tool, framework and harness has one: the report counts them",
                 "tools and frameworks", "coding harnesses", "assignments", "benchmarks"),
        None, 4.2),
    Ran(
        metadata("focus", Family.PURPOSE, "Interchangeable accounts with one purpose",
                 "topics, lengths and scripts, within and between accounts",
                 "measured on simulated tools and classrooms",
                 "classrooms with one assignment", "one company’s batch job over many keys"),
        None, 1.1),
    Ran(
        metadata("elicitation", Family.PURPOSE, "Asks for reasoning, grades or prompt rewrites",
                 "asks for hidden or stepwise reasoning, grades, prompt rewrites, instructions",
                 "measured in the same log, on a random sample of other accounts",
                 "tutoring", "evaluators", "prompt optimisers", "answer graders"),
        None, 0.4),
    Ran(
        metadata("parameters", Family.SHAPE, "The same rare request parameters",
                 "temperature, limits, samples and formats that go together",
                 "stock settings of popular clients are left out", "stock clients"),
        None, 0.3),
    Ran(
        metadata("infrastructure", Family.INFRASTRUCTURE, "Shared payment, device or address",
                 "payment instruments, devices, addresses and mail domains of several accounts",
                 "simulated: 2 % of accounts share one outside their organisation",
                 "offices and campuses behind one address", "VPNs", "families sharing a card"),
        None, 0.9),
    Ran(
        metadata("indicators", Family.OUTSIDE, "Indicators received from others",
                 "keyed matches with campaigns that partners have seen",
                 "depends on the sender’s own error rate", "recycled addresses"),
        "no indicator file was given", 0.0),
)  # fmt: skip


def same_wording(members: int, orgs: int, share: float, outside: float) -> Evidence:
    text = (
        f"{members:,} accounts of {orgs:,} organisations send the same masked wordings, in "
        f"{share:.0%} of their exchanges; of other accounts {outside:.2%} ever do."
    )
    return Evidence(Family.CONTENT, "echo", orgs, outside, text, weight=5.0)


def same_payment(sharing: int, members: int, weight: float) -> Evidence:
    text = (
        f"{sharing} of {members} accounts, of different organisations, share a payment instrument "
        "or a device with another of them; outside the group 1.9% of accounts do."
    )
    value = sharing / members
    return Evidence(Family.INFRASTRUCTURE, "infrastructure", value, 0.019, text, weight=weight)


def even_load(members: int, median: int, spread: float, weight: float) -> Evidence:
    text = (
        f"Its {members:,} accounts send {median} marked exchanges each at the median, with a "
        f"log-spread of {spread}: as even as a load balancer makes them."
    )
    return Evidence(Family.TIME, "load_balance", spread, None, text, weight=weight)


def one_queue(kappa: float, weight: float, *, speaks_for: bool) -> Evidence:
    comparison = "no more alike than" if speaks_for else "more alike than"
    text = (
        f"Two exchanges of one account are {comparison} two of different accounts (agreement "
        f"beyond chance {kappa} ± 0.03; 0 where accounts work off one queue, 0.2 and more among "
        "honest users of one tool)."
    )
    return Evidence(Family.PURPOSE, "focus", kappa, None, text, weight, speaks_for)


def asks(share: float, what: str, usual: float, weight: float, *, explained: bool) -> Evidence:
    text = (
        f"{share:.0%} of the group's exchanges ask for what a distiller needs ({what}); among "
        f"other accounts {usual:.1%} do."
        + (" One shared template may explain all of it." if explained else "")
    )
    return Evidence(Family.PURPOSE, "elicitation", share, usual, text, weight, explained=explained)


def build_campaign(
    names: list[str],
    *,
    seed: int = 1,
    start: dt.datetime = START,
    hours: int = 47,
    evidence: tuple[Evidence, ...] = (),
    counter: tuple[Evidence, ...] = (),
    templates: tuple[Template, ...] = (),
    ties: tuple[Tie, ...] = (),
    tokens: int | None = None,
    volume: float = 20,
    reasons: tuple[str, ...] = ("echo",),
) -> Campaign:
    """A campaign whose numbers fit each other: members, hours, score."""
    chance = random.Random(seed)
    members = []
    for place, name in enumerate(names):
        first = start + chance.random() * hours / 3 * HOUR
        registered = start - (3 + chance.random() * 20) * 24 * HOUR
        members.append(
            Member(
                account=name,
                score=round(4 + 6 * (1 - place / len(names)) + chance.random(), 3),
                exchanges=2 + int(volume * chance.lognormvariate(0, 0.5)),
                share=round(min(1.0, 0.25 + 0.75 * chance.random()), 3),
                first_seen=first,
                last_seen=first + chance.random() * (start + hours * HOUR - first),
                registered_at=registered if place % 7 else None,
                reasons=reasons,
            )
        )
    total = sum(member.exchanges for member in members)
    weights = [
        0.4 + chance.random() + 0.5 * math.sin(i / 24 * 2 * math.pi) ** 2 for i in range(hours)
    ]
    per_hour = [total * weight / sum(weights) for weight in weights]
    counts = {
        start + i * HOUR: (round(0.7 * n), round(0.3 * n))
        for i, n in enumerate(per_hour)
        if n > 0.3
    }
    best: dict[Family, float] = {}
    for each in evidence:
        if not each.explained:
            best[each.family] = max(best.get(each.family, 0.0), each.weight)
    return Campaign(
        id=f"c-{seed:04x}-{len(names)}",
        score=sum(best.values()) - sum(each.weight for each in counter),
        first_seen=min(member.first_seen for member in members),
        last_seen=max(member.last_seen for member in members),
        exchanges=sum(pair[0] for pair in counts.values()),
        tokens=tokens,
        members=tuple(members),
        evidence=evidence,
        counter_evidence=counter,
        templates=templates,
        ties=ties,
        hours=counts,
    )


def graders() -> Campaign:
    names = [f"orchard-{chr(97 + i)}{i * 37 % 100:02d}" for i in range(24)]
    settings = "The requests use 11 different settings of temperature, as independent users would."
    invoice = "3 of its accounts are of one organisation that pays by invoice since last year."
    return build_campaign(
        names,
        seed=11,
        volume=110,
        tokens=3_911_204,
        evidence=(
            same_wording(24, 22, 0.71, 0.0031),
            same_payment(19, 24, 4.4),
            even_load(24, 96, 0.21, 3.7),
            asks(0.68, "grades, stepwise reasoning", 0.061, 3.1, explained=True),
        ),
        counter=(
            Evidence(Family.SHAPE, "parameters", 11, 0.62, settings, 0.8, speaks_for=False),
            Evidence(Family.INFRASTRUCTURE, "infrastructure", 3, None, invoice, speaks_for=False),
        ),
        templates=(
            Template("evaluate the response on a scale from ▢ to ▢ and explain", 24, 9, 1630),
            Template("you are an expert judge of ▢ answers be strict", 23, 2, 1622),
            Template("first write your complete reasoning then the final ▢ as json", 21, 0, 1204),
            Template("which of the two answers to ▢ would a careful reader prefer", 17, 1, 877),
            Template("do not mention that you are a model when ▢", 9, 31, 211),
        ),
        ties=(
            Tie("echo", "style", tuple(names)),
            Tie("echo", "style", tuple(names[4:20])),
            Tie("infrastructure", "payment", tuple(names[:9])),
            Tie("infrastructure", "payment", tuple(names[9:15])),
            Tie("infrastructure", "device", tuple(names[12:19])),
            Tie("infrastructure", "address", tuple(names[2:6])),
        ),
        reasons=("echo", "infrastructure"),
    )


def harvest() -> Campaign:
    names = [f"key-{i * 7919 % 99991:05d}" for i in range(312)]
    settings = "41% of its exchanges set temperature 0.6 with top-p 0.95 and 16,384 tokens."
    return build_campaign(
        names,
        seed=12,
        volume=19,
        start=START + 5 * HOUR,
        hours=40,
        evidence=(
            same_wording(312, 298, 0.54, 0.0),
            one_queue(0.03, 4.8, speaks_for=True),
            same_payment(210, 312, 6.0),
            Evidence(Family.SHAPE, "parameters", 0.41, 0.21, settings),
        ),
        templates=(
            Template("请 逐 步 写 出 完 整 的 推 理 过 程 ▢ 不 要 省 略", 301, 0, 4120),
            Template("题 目 ▢ 请 先 思 考 再 作 答", 288, 14, 3977),
            Template("أجب خطوة بخطوة عن ▢ ثم لخّص", 12, 3, 40),
        ),
        ties=(
            Tie("echo", "style", tuple(names)),
            Tie("echo", "style", tuple(names[30:200])),
            *(Tie("infrastructure", "payment", tuple(names[i : i + 7])) for i in range(0, 210, 7)),
        ),
    )


def slow() -> Campaign:
    names = [f"user{i:05d}@fictional.example" for i in range(3000)]
    wording = "rewrite the ▢ so that a reader who knows nothing about ▢ understands it"
    return build_campaign(
        names,
        seed=13,
        volume=5,
        hours=48,
        evidence=(same_wording(3000, 2990, 0.38, 0.0002), even_load(2610, 4, 0.38, 1.9)),
        counter=(one_queue(0.31, 1.6, speaks_for=False),),
        templates=(Template(wording, 2950, 88, 9006),),
        ties=(
            Tie("echo", "style", tuple(names)),
            Tie("echo", "style", tuple(names[:800])),
            *(
                Tie("infrastructure", "payment", tuple(names[i : i + 12]))
                for i in range(0, 2400, 12)
            ),
            *(
                Tie("infrastructure", "device", tuple(names[i : i + 9]))
                for i in range(100, 1900, 25)
            ),
        ),
    )


def five() -> Campaign:
    names = ["brightleaf/ci", "mosswork", "quillpoint-test", "tall ship 9", "hexa"]
    return build_campaign(
        names,
        seed=14,
        start=START + 30 * HOUR,
        hours=2,
        evidence=(
            asks(0.9, "the model's own instructions", 0.004, 3.4, explained=False),
            same_payment(5, 5, 2.2),
        ),
        ties=(
            Tie("infrastructure", "payment", tuple(names)),
            Tie("infrastructure", "device", tuple(names[1:4])),
        ),
    )


def build_report(*campaigns: Campaign, **changes: object) -> ScanReport:
    report = ScanReport(
        source=Source(
            rows=151_204,
            rejected=17,
            first=START,
            last=START + 48 * HOUR - dt.timedelta(seconds=9),
            accounts=12_480,
            files=("traffic-2026-11-03.jsonl.gz", "traffic-2026-11-04.jsonl.gz"),
            format="native JSON lines",
        ),
        campaigns=campaigns,
        considered=len(campaigns) + 11,
        detections=DETECTIONS,
        notes=(
            "the columns “mood” and “zodiac” are unknown and were ignored",
            "17 rows were rejected: 12 without an account, 5 with a time in the future",
        ),
        reference=None,
        pseudonymous=False,
        version="0.1.0",
    )
    return dataclasses.replace(report, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def full_report() -> ScanReport:
    """Everything that a page can show."""
    found = sorted((graders(), harvest(), slow(), five()), key=lambda each: -each.score)
    return build_report(*found, caveat="All accounts in this log are simulated.")


@pytest.fixture(scope="session")
def empty_report() -> ScanReport:
    """A scan that found nothing."""
    return build_report()


@pytest.fixture(scope="session")
def make_report() -> Callable[..., ScanReport]:
    return build_report


@pytest.fixture(scope="session")
def make_campaign() -> Callable[..., Campaign]:
    return build_campaign


VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as its elements and its text; refuses tags that do not close each other."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        assert max(names.values(), default=1) == 1, f"an attribute twice: <{tag} {attrs}>"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open):
            self.text += data

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute, in the order of the page."""
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]

    def tags(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of that name."""
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="session")
def read() -> Callable[[str], Page]:
    return Page
