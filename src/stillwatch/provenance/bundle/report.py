"""``report.html``: one file, no script, no request; its first page is for somebody in a court."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stillwatch.ledger import Entry
from stillwatch.provenance.bundle.contents import Predicate
from stillwatch.provenance.bundle.limits import LIMITS
from stillwatch.provenance.bundle.words import chance, decimal, listing, names, one_in, power
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.keyed import KeyedOutcome
from stillwatch.provenance.registration import Registration

__all__ = ["render"]


def render(
    registration: Registration,
    predicate: Predicate,
    outcomes: Sequence[KeyedOutcome],
    commitment: Commitment | None,
    signer: str,
) -> bytes:
    """The page as UTF-8; equal arguments give equal bytes. It can be printed.

    The policy in its head forbids every request; the style is allowed by its hash. All that a model
    or a user could have chosen is escaped.
    """
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    suspects = [each for each in outcomes if each.role == "suspect"]
    controls = [each for each in outcomes if each.role == "control"]
    page = _environment().get_template("evidence.html").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'",
        style=Markup(style),
        plan=registration.plan,
        registration=registration,
        predicate=predicate,
        suspects=suspects,
        controls=controls,
        models=_by_model(suspects),
        control_models=_by_model(controls),
        controls_found=sorted({each.model for each in controls if each.found}),
        entry=None if commitment is None else Entry.parse(commitment.entry),
        commitment=commitment,
        signer=signer,
        limits=LIMITS,
        keys=len(registration.marks),
    )  # fmt: skip
    return page.encode("utf-8", "backslashreplace")


def _by_model(outcomes: Sequence[KeyedOutcome]) -> dict[str, list[KeyedOutcome]]:
    found: dict[str, list[KeyedOutcome]] = {}
    for each in outcomes:
        found.setdefault(each.model, []).append(each)
    return found


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
        "chance": chance, "decimal": decimal, "listing": listing, "names": names,
        "one_in": one_in, "power": power,
    }  # fmt: skip
    return environment
