"""What stands in a bundle: names of files, the predicate, keys that were opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.errors import InputError
from stillwatch.ledger import canonical, merkle_root, parsed
from stillwatch.provenance.keyed import SCHEME, KeyedMark, Role
from stillwatch.watermark import MarkKey

__all__ = [
    "ENTRY", "ENVIRONMENT", "HEAD", "OPENED", "PLAN", "PREDICATE_TYPE", "PROBES", "PROOF", "REPORT",
    "RESULTS", "STATEMENT", "Model", "Opened", "Predicate", "json_file", "transcript_root",
]  # fmt: skip

PREDICATE_TYPE: Final = "urn:stillwatch:evidence:1"
STATEMENT: Final = "statement.json"
PLAN: Final = "plan.json"
PROBES: Final = "probes.jsonl"
RESULTS: Final = "results.json"
ENVIRONMENT: Final = "environment.json"
OPENED: Final = "opened.json"
REPORT: Final = "report.html"
ENTRY, HEAD, PROOF = "ledger/entry.json", "ledger/head.json", "ledger/proof.json"


class Model(msgspec.Struct, frozen=True):
    """A model that answered: its file in the bundle, and the RFC 6962 root over its lines."""

    name: str
    role: Role
    file: str
    answers: int
    root: str


class Predicate(msgspec.Struct, frozen=True, kw_only=True):
    """What the statement says of the files.

    Attributes:
        at: when it was sealed, by the clock of whoever sealed it; RFC 3339.
        registration: the digest of the plan.
        models: whose answers were tested, in the order of the results.
        code: the digest of the program that computed the results.
        opened: whether the keys are in the bundle, so that anybody can compute them again.
        ledger: the name of the ledger on which the plan stands; None where on none.
        limits: what the evidence does not show.
    """

    at: str
    registration: str
    models: tuple[Model, ...]
    code: str
    opened: bool
    ledger: str | None
    limits: tuple[str, ...]


class OpenedKey(msgspec.Struct, frozen=True):
    """A key of a mark; `value` is 16 hexadecimal digits."""

    epoch: str
    cluster: str
    value: str
    reader: str


class Opened(msgspec.Struct, frozen=True):
    """Salt and keys of a plan, shown so that others can check the commitments and compute again.

    They are the keys of these clusters and epochs alone; others of the same master stay secret.
    """

    salt: str
    keys: tuple[OpenedKey, ...]

    @classmethod
    def of(cls, marks: list[KeyedMark], salt: bytes) -> Opened:
        return cls(
            salt.hex(),
            tuple(
                OpenedKey(m.key.epoch, m.key.cluster, f"{m.key.value:016x}", m.reader)
                for m in marks
            ),
        )

    @classmethod
    def parse(cls, data: bytes, path: Path) -> Opened:
        """Read opened keys; raises InputError where these are none."""
        try:
            found = msgspec.convert(parsed(data), cls, strict=True)
            bytes.fromhex(found.salt)
            if not all(re.fullmatch("[0-9a-f]{16}", key.value) for key in found.keys):
                raise ValueError("a key has 16 hexadecimal digits")  # noqa: TRY301
        except ValueError as error:
            raise InputError(f"holds no opened keys: {error}", path=path) from error
        return found

    def marks(self) -> list[KeyedMark]:
        """The marks of the plan, in its order."""
        return [
            KeyedMark(MarkKey(int(key.value, 16), key.epoch, key.cluster, SCHEME), key.reader)
            for key in self.keys
        ]


def transcript_root(data: bytes) -> str:
    """The RFC 6962 root over the lines of a file of transcripts, without their ends."""
    return merkle_root(line for line in data.split(b"\n") if line.strip())


def json_file(value: Any) -> bytes:
    """A value as a file of canonical JSON."""
    return canonical(value) + b"\n"
