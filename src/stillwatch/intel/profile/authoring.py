"""Objects of the profile, as one provider makes them: marked, and sealed with its key."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from stillwatch.intel.profile.buckets import bucket
from stillwatch.intel.profile.checking import schema_text
from stillwatch.intel.profile.markings import Tlp
from stillwatch.intel.profile.names import DISTILLATION, PROFILE, SKETCH, TEMPLATE_PATTERN, VERSION
from stillwatch.intel.profile.patterns import DigestPattern, TemplatePattern, cell_text
from stillwatch.intel.profile.seals import Seal
from stillwatch.intel.profile.times import to_the_second, written
from stillwatch.ledger import SigningKey

__all__ = ["Author", "Detector", "bundle", "definition", "new_id", "profile_identity"]

_PROFILE_IDENTITY: Final = "identity--b1c9d9f5-98a5-5f0a-8a56-6a7f9c0f3d11"
_PUBLISHED: Final = "2026-11-22T00:00:00.000Z"


def new_id(kind: str) -> str:
    """A random id for an object of type `kind`."""
    return f"{kind}--{uuid.uuid4()}"


@dataclass(frozen=True)
class Detector:
    """What found it, and how often it is wrong where the sender measured that: None otherwise.

    `measured_on` says on what: a rate without it is none.
    """

    name: str
    version: str
    false_positive_rate: float | None = None
    measured_on: str | None = None

    def fields(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "false_positive_rate": self.false_positive_rate,
            "measured_on": self.measured_on,
        }


@dataclass(frozen=True)
class Author:
    """A provider that says something: `identity` is its id, `key` seals, `tlp` marks."""

    identity: str
    key: SigningKey
    tlp: Tlp

    def make(
        self, kind: str, now: datetime, properties: Mapping[str, Any],
        extension: Mapping[str, Any] | None = None, *, named: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """A sealed object; `named` is its id, a random one if None."""
        at = written(now)
        thing: dict[str, Any] = {
            "type": kind,
            "spec_version": "2.1",
            "id": named or new_id(kind),
            "created_by_ref": self.identity,
            "created": at,
            "modified": at,
            **properties,
            "object_marking_refs": [self.tlp.id],
        }
        if extension:
            own = {"extension_type": "property-extension", **extension}
            thing["extensions"] = {DISTILLATION: own}
        return Seal.sign(thing, self.key)

    def described(self, name: str, now: datetime) -> dict[str, Any]:
        """The identity of this provider, an organization."""
        properties = {"name": name, "identity_class": "organization"}
        return self.make("identity", now, properties, named=self.identity)

    def digest(
        self, scheme: str, field: str, value: str, *, accounts: str, detector: Detector,
        valid_from: datetime, valid_until: datetime, now: datetime, named: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """An indicator: a field has this digest. `accounts` is a bucket."""
        return self.make(
            "indicator",
            now,
            {
                "name": f"A {field} of a distillation campaign",
                "indicator_types": ["anomalous-activity"],
                "pattern": str(DigestPattern(field, value)),
                "pattern_type": "stix",
                # the stix2 library writes it where it is missing, and a seal is of every byte
                "pattern_version": "2.1",
                "valid_from": to_the_second(valid_from),
                "valid_until": to_the_second(valid_until),
            },
            {
                "digest": {"scheme": scheme, "field": field, "value": value},
                "accounts": accounts,
                "detector": detector.fields(),
            },
            named=named,
        )

    def template(
        self, scheme: str, least: int, cells: Sequence[int], *, accounts: str, k: int,
        detector: Detector, valid_from: datetime, valid_until: datetime, now: datetime,
        named: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """An indicator: an exchange has `least` of these cells, each sent by `k` accounts."""
        told = sorted(set(cells), key=cell_text)
        pattern = TemplatePattern(scheme, least, tuple(told))
        return self.make(
            "indicator",
            now,
            {
                "name": "A wording of a distillation campaign",
                "indicator_types": ["anomalous-activity"],
                "pattern": str(pattern),
                "pattern_type": TEMPLATE_PATTERN,
                "pattern_version": PROFILE,
                "valid_from": to_the_second(valid_from),
                "valid_until": to_the_second(valid_until),
            },
            {
                "template": {
                    "scheme": scheme,
                    "least": least,
                    "cells": [cell_text(cell) for cell in told],
                    "accounts": accounts,
                    "k": k,
                    "sketch": SKETCH,
                },
                "detector": detector.fields(),
            },
            named=named,
        )

    def related(
        self, source: str, kind: str, target: str, now: datetime, *, named: str | None = None
    ) -> dict[str, Any]:
        """A relationship, such as indicator ``indicates`` campaign."""
        ends = {"relationship_type": kind, "source_ref": source, "target_ref": target}
        return self.make("relationship", now, ends, named=named)

    def note(
        self, label: str, abstract: str, content: str, refs: Sequence[str], now: datetime, *,
        named: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """A note; `label` is ``fact`` for what was observed, ``inference`` for what was scored."""
        said = {
            "labels": [label], "abstract": abstract, "content": content, "object_refs": list(refs),
        }  # fmt: skip
        return self.make("note", now, said, named=named)

    def sighting(
        self, indicator: str, outcome: str, *, exchanges: int, first_seen: datetime,
        last_seen: datetime, now: datetime, named: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Somebody's indicator was sighted here, and what became of it; the count in a bucket."""
        seen = {
            "sighting_of_ref": indicator,
            "where_sighted_refs": [self.identity],
            "first_seen": to_the_second(first_seen),
            "last_seen": to_the_second(last_seen),
        }
        own = {"outcome": outcome, "count": bucket(exchanges)}
        return self.make("sighting", now, seen, own, named=named)


def profile_identity() -> dict[str, Any]:
    """Who wrote the profile: the creator that STIX asks of an extension definition."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": _PROFILE_IDENTITY,
        "created": _PUBLISHED,
        "modified": _PUBLISHED,
        "name": "The Stillwatch developers",
        "identity_class": "group",
    }


def definition() -> dict[str, Any]:
    """The extension definition of the profile, with its JSON schema; the same for everybody."""
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": DISTILLATION,
        "created_by_ref": _PROFILE_IDENTITY,
        "created": _PUBLISHED,
        "modified": _PUBLISHED,
        "name": "Distillation campaigns",
        "description": "Campaigns that copy a language model through its interface: buckets, "
        "keyed digests and shared wordings, with the sender's own rate of false positives.",
        "schema": schema_text(),
        "version": VERSION,
        "extension_types": ["property-extension"],
    }


def bundle(objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A bundle of `objects`, in their order."""
    return {"type": "bundle", "id": new_id("bundle"), "objects": [dict(each) for each in objects]}
