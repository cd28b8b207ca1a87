"""The page: its environment, its content security policy, and what the first lines say."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stillwatch.campaigns.campaign import ScanReport
from stillwatch.campaigns.report import words
from stillwatch.campaigns.report.card import BRIEF, FULL, MEMBERS, Card, card, title_of
from stillwatch.campaigns.report.families import MEANING
from stillwatch.campaigns.report.names import LongNames, masked, shorten, visible
from stillwatch.campaigns.report.review import level_of, odds, reviewed, tests_of
from stillwatch.campaigns.track_record import EVERYWHERE

__all__ = ["render"]

MANY = 8
"""Campaigns from which on each is shown in less detail."""


def render(report: ScanReport) -> str:
    """``report.html`` as a string: equal reports give equal pages, byte for byte.

    The policy in its head forbids every request; style and script are allowed by their hashes.
    Whatever an account's owner could have chosen is escaped and shown visibly.
    """
    names = LongNames()
    detail = FULL if len(report.campaigns) <= MANY else BRIEF
    cards = [
        card(rank, each, report, names, detail) for rank, each in enumerate(report.campaigns, 1)
    ]
    style, script = _asset("report.css"), _asset("report.js")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )
    return _environment().get_template("page.html").render(
        report=report,
        cards=cards,
        reviews=reviewed(report, names),
        together=_Together(report, cards),
        metadata={ran.metadata.name: ran.metadata for ran in report.detections},
        policy=policy,
        style=Markup(style),
        script=Markup(script),
    )  # fmt: skip


class _Together:
    """All campaigns at once: an account that is in two of them counts once."""

    def __init__(self, report: ScanReport, cards: list[Card]) -> None:
        members = {m.account for each in report.campaigns for m in each.members}
        self.accounts = len(members)
        self.exchanges = sum(each.exchanges for each in report.campaigns)
        known = [each.tokens for each in report.campaigns if each.tokens is not None]
        self.tokens = sum(known) if known else None
        self.all_tokens = len(known) == len(report.campaigns)
        self.rows = report.source.rows
        self.fewest = min((each.counting for each in cards), default=0)
        self.most = max((each.counting for each in cards), default=0)
        self.best = max((each.score for each in report.campaigns), default=0.0)
        self.rejected = max(0, report.considered - len(cards))


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _finalize(value: object) -> object:
    """Everything that a template prints passes here: hidden characters become visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("stillwatch.campaigns.report"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": words.clock,
        "day": words.day,
        "listing": words.listing,
        "masked": masked,
        "n": words.number,
        "percent": words.percent,
        "shorten": shorten,
    }
    environment.globals |= {
        "MEMBERS": MEMBERS,
        "EVERYWHERE": EVERYWHERE,
        "MEANING": MEANING,
        "count": words.count,
        "duration": words.duration,
        "level_of": level_of,
        "odds": odds,
        "period": words.period,
        "plural": words.plural,
        "tests_of": tests_of,
        "title_of": title_of,
    }
    return environment
