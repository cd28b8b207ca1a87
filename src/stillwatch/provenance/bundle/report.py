"""``report.html``: one file, no script, no request; its first page is for somebody in a court.

It is made of what is sealed, and of nothing else, so that whoever verifies can make it again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stillwatch.ledger import Entry, Head, parse_proof
from stillwatch.ledger.timestamps import claimed_at
from stillwatch.provenance.bundle.contents import (
    ENTRY,
    HEAD,
    PLAN,
    PROOF,
    RESULTS,
    Part,
    Place,
    Predicate,
)
from stillwatch.provenance.bundle.dating import dated
from stillwatch.provenance.bundle.kinds import EVIDENCE, KINDS
from stillwatch.provenance.bundle.words import (
    chance,
    decimal,
    exponent,
    listing,
    names,
    one_in,
    percent,
    power,
)
from stillwatch.provenance.measurements import Measurement
from stillwatch.provenance.registration import Registration

__all__ = ["render"]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A part, as the templates take it.

    Attributes:
        code: the digest of the program that computed the results.
        models: of a test by keys: the results of each suspect by its name; `controls` alike.
        stamped: when the head's time stamp says that it was given; held against nothing here.
        dated: whether the plan was there before the first recorded answer.
    """

    part: Part
    code: str
    value: Any
    registration: Registration | Measurement | None
    entry: Entry | None
    head: Head | None
    index: int | None
    stamped: datetime | None
    dated: str

    @property
    def limits(self) -> tuple[tuple[str, str], ...]:
        return KINDS[self.part.kind].limits

    @property
    def models(self) -> dict[str, list[dict[str, Any]]]:
        return self._by_model("suspect")

    @property
    def controls(self) -> dict[str, list[dict[str, Any]]]:
        return self._by_model("control")

    def _by_model(self, role: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.value:
            if row["role"] == role:
                found.setdefault(row["model"], []).append(row)
        return found


def render(bundle: Path, predicate: Predicate, signer: str) -> bytes:
    """The page of the bundle in this folder as UTF-8; the same files give the same bytes.

    The policy in its head forbids every request; the style is allowed by its hash. All that a model
    or a user could have chosen is escaped.
    """
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = [_shown(Place(bundle, part), predicate.code) for part in predicate.parts]
    page = _environment().get_template("evidence.html").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'",
        style=Markup(style),
        predicate=predicate,
        evidence=[each for each in parts if each.part.label == EVIDENCE],
        others=[each for each in parts if each.part.label != EVIDENCE],
        suspects=_suspects(parts),
        limits=_limits(parts),
        signer=signer,
    )  # fmt: skip
    return page.encode("utf-8", "backslashreplace")


def _shown(place: Place, code: str) -> _Shown:
    part = place.part
    entry, head, index, stamped = None, None, None, None
    if part.ledger is not None:
        entry, head = Entry.parse(place.read(ENTRY)), Head.parse(place.read(HEAD))
        index = getattr(parse_proof(place.read(PROOF)), "index", None)
        stamped = claimed_at(head)
    return _Shown(
        part, code, place.value(RESULTS),
        None if part.registration is None else KINDS[part.kind].plan(place.path(PLAN)),
        entry, head, index, stamped,
        dated(None if entry is None else entry.at, stamped, place.first_at(), checked=False),
    )  # fmt: skip


def _suspects(parts: Sequence[_Shown]) -> list[str]:
    """Names of suspects, of evidence alone where there is any."""
    some = [each for each in parts if each.part.label == EVIDENCE] or parts
    return list(dict.fromkeys(
        model.name for each in some for model in each.part.models if model.role == "suspect"
    ))  # fmt: skip


def _limits(parts: Sequence[_Shown]) -> dict[tuple[str, str], None]:
    """What evidence does not show, each limit once; of a bundle without evidence, its parts'."""
    some = [each for each in parts if each.part.label == EVIDENCE] or parts
    return dict.fromkeys(limit for each in some for limit in each.limits)


@cache
def _style() -> str:
    return (files(__package__) / "templates" / "evidence.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("stillwatch.provenance.bundle"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "chance": chance, "decimal": decimal, "exponent": exponent, "listing": listing,
        "names": names, "one_in": one_in, "percent": percent, "power": power,
    }  # fmt: skip
    return environment
