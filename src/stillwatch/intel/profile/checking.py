"""Is this an object of the profile? The JSON schema first, then what a schema cannot say."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from datetime import datetime
from importlib import resources
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from stillwatch.errors import IndicatorError
from stillwatch.intel.profile.buckets import bucket_edges
from stillwatch.intel.profile.names import DISTILLATION, TEMPLATE_PATTERN, extension_of
from stillwatch.intel.profile.patterns import DigestPattern, TemplatePattern, cell_text
from stillwatch.intel.profile.times import moment

__all__ = ["schema", "schema_text", "validate"]

#: mistakes of one object that are looked at, for the one that is told
_MOST_ERRORS: Final = 50
_FILE: Final = "distillation.schema.json"
_TIMES: Final = ("created", "modified", "valid_from", "valid_until", "first_seen", "last_seen")
_ORDERED: Final = (
    ("created", "modified"), ("valid_from", "valid_until"), ("first_seen", "last_seen"),
)  # fmt: skip
_BUCKETS: Final = ("accounts", "exchanges", "tokens", "count")


@functools.cache
def schema_text() -> str:
    """The JSON schema of the profile (draft 2020-12), as it is shipped."""
    return (resources.files(__package__) / _FILE).read_text(encoding="utf-8")


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON schema of the profile."""
    found: dict[str, Any] = json.loads(schema_text())
    return found


def validate(thing: Any) -> None:
    """Refuse what is not of the profile. Objects of other types need only what all objects need.

    Seals are not looked at here: :func:`~stillwatch.intel.profile.check_seal` does.

    Raises:
        IndicatorError: says which property, and what is wrong with it.
    """
    try:
        error = best_match(islice(_validator().iter_errors(thing), _MOST_ERRORS))
    except RecursionError as deep:
        raise IndicatorError("it is nested too deeply") from deep
    if error is not None:
        raise IndicatorError(f"{_where(error)}: {_said(error)}")
    if thing["id"].rpartition("--")[0] != thing["type"]:
        raise IndicatorError(f"id: {thing['id'][:80]} is no id of a {thing['type'][:40]}")
    _check_times(thing)
    own = extension_of(thing)
    _check_extension(own)
    if thing["type"] == "indicator":
        _check_indicator(thing, own)


def _check_times(thing: dict[str, Any]) -> None:
    found: dict[str, datetime] = {}
    for name in _TIMES:
        if name in thing:
            try:
                found[name] = moment(thing[name])
            except IndicatorError as error:
                raise IndicatorError(f"{name}: {error}") from error
    for first, last in _ORDERED:
        if first in found and last in found and found[first] > found[last]:
            raise IndicatorError(f"{last}: it lies before {first}")
    if thing.get("valid_from") is not None and found.get("valid_until") == found["valid_from"]:
        raise IndicatorError("valid_until: it is not later than valid_from")


def _check_extension(own: dict[str, Any]) -> None:
    for name in _BUCKETS:
        if isinstance(own.get(name), str):
            _check_bucket(f"extensions.{DISTILLATION}.{name}", own[name])
    for each in own.get("linkage") or ():
        if isinstance(each, dict) and isinstance(each.get("accounts"), str):
            _check_bucket(f"extensions.{DISTILLATION}.linkage", each["accounts"])
    window = own.get("window")
    if isinstance(window, dict):
        begun, ended = (_moment("window", window.get(end)) for end in ("from", "to"))
        if begun > ended:
            raise IndicatorError(f"extensions.{DISTILLATION}.window: it ends before it begins")
    if "valid_until" in own:
        _moment("valid_until", own["valid_until"])


def _moment(field: str, text: object) -> datetime:
    try:
        return moment(text)
    except IndicatorError as error:
        raise IndicatorError(f"extensions.{DISTILLATION}.{field}: {error}") from error


def _check_indicator(thing: dict[str, Any], own: dict[str, Any]) -> None:
    """The pattern says the same as the extension: whoever reads only one of them is not misled."""
    if thing["pattern_type"] == TEMPLATE_PATTERN:
        template = own["template"]
        pattern = TemplatePattern.parse(thing["pattern"])
        told = (template["scheme"], template["least"], tuple(template["cells"]))
        if told != (pattern.scheme, pattern.least, tuple(map(cell_text, pattern.cells))):
            raise IndicatorError("pattern: it is not what the extension's template says")
        _, most = _check_bucket("template.accounts", template["accounts"])
        if most < template["k"]:
            raise IndicatorError(
                f"template.accounts: {template['accounts']} accounts, where at least "
                f"{template['k']} must have sent each cell"
            )
    elif "digest" in own:
        digest = DigestPattern.parse(thing["pattern"])
        if (digest.field, digest.value) != (own["digest"].get("field"), own["digest"].get("value")):
            raise IndicatorError("pattern: it is not what the extension's digest says")


def _check_bucket(where: str, text: str) -> tuple[int, int]:
    try:
        return bucket_edges(text)
    except ValueError as error:
        raise IndicatorError(f"{where}: {error}") from error


@functools.cache
def _validator() -> Any:
    """Draft 2020-12, where ``$`` is the end of a text: Python would let a line feed follow."""
    return extend(Draft202012Validator, {"pattern": _pattern})(schema())  # type: ignore[no-untyped-call]


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError(f"{instance[:80]!r} does not match {pattern}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _where(error: ValidationError) -> str:
    return ".".join(str(part)[:80] for part in error.absolute_path) or "the object"


def _said(error: ValidationError) -> str:
    return error.message if len(error.message) <= 200 else error.message[:200] + "…"
