"""Which identifiers a side brings: those that a question asks about, those that an answer is of.

A question may be about everything that a case's accounts used, or about a file of identifiers. An
answer is made of what an export of the same cases could tell under the same policy, and of nothing
else: the floor stands where it can be held, on what goes in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from stillwatch.cases import Cases, open_cases
from stillwatch.errors import InputError, IntelError
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.exporting.indicators import Dropped, withheld
from stillwatch.intel.exporting.known import Known, known_of
from stillwatch.intel.exporting.minimum import unmet
from stillwatch.intel.exporting.observed import Used, observe
from stillwatch.intel.guessing import why_guessable
from stillwatch.intel.identifiers import FIELDS, REFUSED, identifiers, normalised
from stillwatch.intel.overlap.texts import text_of
from stillwatch.intel.policy import Policy
from stillwatch.sources import open_log

__all__ = ["Gathered", "Item", "of_case", "of_cases", "of_file"]

_ROWS: Final = 16_384
#: cases of one answer: all of them stand in one entry of the ledger
_MOST_CASES: Final = 2_000


class Item(msgspec.Struct, frozen=True):
    """An identifier: its field, and whose it is here: accounts, or the value as a file has it."""

    field: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class Gathered:
    """What a side brings.

    Attributes:
        items: text (:func:`~stillwatch.intel.overlap.texts.text_of`) → the identifier.
        dropped: what stays out, and why.
        cases: that the identifiers are of; none of a file.
    """

    items: Mapping[str, Item]
    dropped: tuple[Dropped, ...] = ()
    cases: tuple[str, ...] = ()

    def counted(self) -> dict[str, int]:
        """Field → how many identifiers, sorted."""
        return dict(sorted(Counter(item.field for item in self.items.values()).items()))


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    field: str
    value: str


def of_case(
    state: str, case: str, logs: Sequence[str], fields: frozenset[str], key: CommunityKey,
    now: datetime, *, format: str = "auto",  # noqa: A002
) -> Gathered:  # fmt: skip
    """Everything that the accounts of a case used, and nobody could guess.

    Raises:
        UnknownCaseError: there is no such case.
        InputError: the log cannot be read.
        IntelError: none of the accounts is in it.
    """
    with open_cases(state) as cases:
        known = known_of(cases, case, now)
    found: dict[str, dict[str, set[str]]] = {}
    there: set[str] = set()
    for batch in open_log(logs, format=format).batches(_ROWS):
        for row in batch.rows:
            if row.account in known.accounts:
                there.add(row.account)
                for field, value in identifiers(row).items():
                    if field in fields:
                        values = found.setdefault(field, {})
                        values.setdefault(normalised(field, value), set()).add(row.account)
    if not there:
        raise IntelError(
            f"none of the {len(known.accounts):,} accounts of {case} is in the log: give the one "
            "that the case was found in"
        )
    items: dict[str, Item] = {}
    why: Counter[tuple[str, str]] = Counter()
    for field, values in found.items():
        for value, accounts in values.items():
            _put(items, why, field, value, tuple(sorted(accounts)), key)
    return Gathered(items, _dropped(why), (case,))


def of_file(path: Path, fields: frozenset[str], key: CommunityKey) -> Gathered:
    """The identifiers of a file: one JSON object with ``field`` and ``value`` a line.

    Raises:
        InputError: the file cannot be read, or a line is no such object.
    """
    items: dict[str, Item] = {}
    why: Counter[tuple[str, str]] = Counter()
    decoder = msgspec.json.Decoder(_Line)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise InputError(
                f'no object such as {{"field": "payment", "value": "…"}}: {error}',
                path=path, line=number,
            ) from error  # fmt: skip
        if told.field in REFUSED:
            why[told.field, REFUSED[told.field]] += 1
        elif told.field not in FIELDS:
            raise InputError(f"field: one of {', '.join(FIELDS)}", path=path, line=number)
        elif told.field not in fields:
            why[told.field, "the policy does not allow it"] += 1
        else:
            value = normalised(told.field, told.value)
            _put(items, why, told.field, value, (told.value,), key)
    return Gathered(items, _dropped(why))


def of_cases(
    state: str, chosen: Sequence[str], logs: Sequence[str], policy: Policy, fields: frozenset[str],
    key: CommunityKey, now: datetime, *, format: str = "auto",  # noqa: A002
) -> Gathered:  # fmt: skip
    """What an export of cases could tell under a policy: shared by enough accounts of one of them,
    met among few others, and not to be guessed.

    Args:
        chosen: ids of cases; every case there is where none is named. One that does not reach the
            minimum of the policy stays out.

    Raises:
        UnknownCaseError: there is no case of an id.
        InputError: the log cannot be read.
        IntelError: there are too many cases.
    """
    dropped: list[Dropped] = []
    with open_cases(state) as cases:
        told = _told(cases, chosen, policy, now, dropped)
    if len(told) > _MOST_CASES:
        raise IntelError(f"{len(told):,} cases; name at most {_MOST_CASES:,} of them with --case")
    spared = frozenset().union(*(known.spared for known in told))
    groups = [known.accounts - spared for known in told]
    accounts = frozenset().union(*groups)
    if not accounts:
        return Gathered({}, tuple(dropped))
    aside = frozenset().union(*(known.aside for known in told)) - accounts
    seen = observe(
        open_log(logs, format=format), accounts, aside=aside, community=key, k=policy.k,
        wordings=False,
    )  # fmt: skip
    items: dict[str, Item] = {}
    why: Counter[tuple[str, str]] = Counter()
    for field in sorted(fields):
        for digest, used in seen.values.get(field, {}).items():
            reason = _withheld(field, used, groups, len(seen.others), policy)
            if reason is None:
                items[text_of(field, digest)] = Item(field, ())
            else:
                why[field, reason] += 1
    return Gathered(items, (*dropped, *_dropped(why)), tuple(known.case for known in told))


def _told(
    cases: Cases, chosen: Sequence[str], policy: Policy, now: datetime, dropped: list[Dropped]
) -> list[Known]:
    """The cases that reach the minimum of the policy."""
    found = []
    for case in dict.fromkeys(chosen) or [row.id for row in cases.desk.queue()]:
        cases.desk.case(case)  # an id that nobody has is an error, an erased case is none
        try:
            known = known_of(cases, case, now)
        except IntelError as error:
            dropped.append(Dropped(case, str(error)))
            continue
        lacking = list(unmet(known, policy.minimum))
        if lacking:
            dropped += [Dropped(case, why) for why in lacking]
        else:
            found.append(known)
    return found


def _withheld(
    field: str, used: Used, groups: Sequence[frozenset[str]], others: int, policy: Policy
) -> str | None:
    """Why no case may tell a value; None where one may. One that shares it most is asked."""
    members = max(len(used.members & group) for group in groups)
    return withheld(field, used, members, others, policy)


def _put(
    items: dict[str, Item], why: Counter[tuple[str, str]], field: str, value: str,
    of: tuple[str, ...], key: CommunityKey,
) -> None:  # fmt: skip
    if (guessable := why_guessable(field, value)) is not None:
        why[field, guessable] += 1
        return
    items[text_of(field, key.digest(field, value))] = Item(field, of)


def _dropped(why: Counter[tuple[str, str]]) -> tuple[Dropped, ...]:
    return tuple(
        Dropped(field, f"{number:,} {'value' if number == 1 else 'values'}: {text}")
        for (field, text), number in sorted(why.items())
    )
