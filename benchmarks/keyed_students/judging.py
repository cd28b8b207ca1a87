"""What the tests say of models, each by a plan that was registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.keyed_students.students import READER
from stillwatch.provenance import Plan, Probes, Registration
from stillwatch.provenance.keyed import (
    KeyedMark,
    KeyedOutcome,
    keyed_test,
    reference_name,
)
from stillwatch.provenance.registration import Statistic

__all__ = ["Said", "outcome_of", "registered"]

Said = Mapping[str, str]
_SALT = bytes(range(32))


def registered(
    statistic: Statistic, mark: KeyedMark, probes: Probes, reference: Said | None = None
) -> Registration:
    """The plan of every table: fixed before the seeds that are reported were looked at."""
    name = None if reference is None else reference_name("reference", reference, probes)
    plan = Plan(statistic=statistic, alpha=1e-6, sightings=2, decoys=200, reference=name)
    return Registration.of(plan, [mark], [probes.text_set()], salt=_SALT)


def outcome_of(
    said: Said,
    mark: KeyedMark,
    asked: Sequence[str],
    statistic: Statistic,
    reference: Said | None = None,
) -> KeyedOutcome:
    """The outcome of one suspect that was asked these prompts."""
    probes = Probes.of(asked)
    here = {prompt: said[prompt] for prompt in asked}
    beside = None if reference is None else {prompt: reference[prompt] for prompt in asked}
    plan = registered(statistic, mark, probes, beside)
    controls = {} if beside is None else {"reference": beside}
    return keyed_test(
        {"suspect": here}, plan, [mark], probes, READER, salt=_SALT, controls=controls
    )[0]  # fmt: skip
