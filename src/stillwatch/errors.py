"""One tree of exceptions, each with a stable code and the exit status of the command it ends.

Messages say what is wrong, where, and what to do about it. Codes never change their meaning;
``docs/errors.md`` lists them, and a test holds that page against this tree.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar

__all__ = [
    "CaseError",
    "CollectionError",
    "CommitmentError",
    "ConflictError",
    "EntryError",
    "EvidenceSpentError",
    "ExitStatus",
    "ExpiredError",
    "FourEyesError",
    "IndicatorError",
    "InputError",
    "IntelError",
    "KeyFileError",
    "LateMessageError",
    "LatePlanError",
    "LowEntropyError",
    "NotAllowedError",
    "OtherVersionError",
    "OutputError",
    "OverlapError",
    "PlanError",
    "PolicyError",
    "ReplayedError",
    "SealError",
    "SettingsError",
    "StillwatchError",
    "StorageError",
    "StoreFormatError",
    "SuspectError",
    "TamperedError",
    "TaxiiError",
    "TimestampError",
    "TooFewControlsError",
    "TranscriptError",
    "UnknownCaseError",
    "UnknownCollectionError",
    "UnknownFormatError",
    "WrongMessageError",
    "WrongRecipientError",
]


class ExitStatus:
    """The exit statuses that other programs may rely on."""

    NOTHING_FOUND = 0
    OUR_FAILURE = 1
    UNREADABLE = 2
    CAMPAIGNS_FOUND = 3
    TAMPERED = 4
    INTERRUPTED = 130


class StillwatchError(Exception):
    """The root of the tree. ``code`` is stable, ``exit_status`` ends a command that meets it."""

    code: ClassVar[str] = "SW000"
    exit_status: ClassVar[int] = ExitStatus.OUR_FAILURE

    def __init__(
        self, message: str, *, path: Path | str | None = None, line: int | None = None
    ) -> None:
        self.path = None if path is None else str(path)
        self.line = line
        where = "" if self.path is None else self.path + (f":{line}" if line else "") + ": "
        super().__init__(where + message)


class InputError(StillwatchError):
    """A log that cannot be read at all: missing, truncated, not of the format it claims."""

    code = "SW100"
    exit_status = ExitStatus.UNREADABLE


class UnknownFormatError(InputError):
    """No reader recognises the log, or two of its files are of different formats."""

    code = "SW101"


class KeyFileError(InputError):
    """A key file that is missing, too short, or readable by everybody."""

    code = "SW102"


class EntryError(InputError):
    """An entry that the ledger does not take: of no known kind, not canonicalisable, too large."""

    code = "SW103"


class EvidenceSpentError(StillwatchError):
    """A second plan for evidence that was looked at under another one."""

    code = "SW110"
    exit_status = ExitStatus.UNREADABLE


class TranscriptError(InputError):
    """Recorded answers that are none, answer a prompt twice, or leave prompts out."""

    code = "SW120"


class TooFewControlsError(InputError):
    """A similarity without enough unrelated models beside it, which would say nothing."""

    code = "SW121"


class PlanError(InputError):
    """A plan that is empty, contradicts itself, or is not that of the test that is made."""

    code = "SW122"


class LatePlanError(PlanError):
    """A plan that came after the answers that it is about: nothing was fixed beforehand."""

    code = "SW123"


class CommitmentError(PlanError):
    """A ledger that says of a plan what the plan does not say, or two things at once."""

    code = "SW124"


class SettingsError(StillwatchError):
    """``stillwatch.yaml`` (or an option) holds something that no room understands."""

    code = "SW200"
    exit_status = ExitStatus.UNREADABLE


class StorageError(StillwatchError):
    """The machine failed us while writing: a full disk, a lost mount, no permission."""

    code = "SW300"
    #: numbers of an OSError that say that a disk or a quota is exhausted
    DISK_FULL: ClassVar[frozenset[int]] = frozenset({errno.ENOSPC, errno.EDQUOT})


class StoreFormatError(StorageError):
    """An event store that another version wrote, or that is damaged."""

    code = "SW301"
    exit_status = ExitStatus.UNREADABLE


class OutputError(StillwatchError):
    """The output folder is in the way: it is not empty and ``--force`` was not given."""

    code = "SW302"
    exit_status = ExitStatus.UNREADABLE


class TamperedError(StillwatchError):
    """A ledger, a head or a proof that is not what was recorded or signed.

    ``index`` is the number of the first entry that cannot be trusted; None where no entry is at
    fault, as with a forged head.
    """

    code = "SW400"
    exit_status = ExitStatus.TAMPERED

    def __init__(
        self, message: str, *, path: Path | str | None = None, index: int | None = None
    ) -> None:
        self.index = index
        super().__init__(message, path=path)


class TimestampError(StillwatchError):
    """A time-stamping authority that cannot be reached, refuses, or answers something else."""

    code = "SW401"


class CaseError(StillwatchError):
    """What was asked of a case, or of a rule that acts by itself, cannot stand as it is."""

    code = "SW500"
    exit_status = ExitStatus.UNREADABLE


class ConflictError(CaseError):
    """A case is in another state than this needs, or somebody else was first."""

    code = "SW501"


class FourEyesError(CaseError):
    """A second person must decide this, and it is the same one, or no person."""

    code = "SW502"


class ExpiredError(CaseError):
    """What was to be approved was proposed too long ago."""

    code = "SW503"


class UnknownCaseError(CaseError):
    """There is no case, rule or token of that name."""

    code = "SW504"


class NotAllowedError(CaseError):
    """A token is unknown, has expired, or its role does not allow this."""

    code = "SW505"


class SuspectError(StillwatchError):
    """A suspect that cannot be reached, refuses the request, or answers something else."""

    code = "SW410"


class IntelError(StillwatchError):
    """What was to be shared with others, or came from them, cannot stand as it is."""

    code = "SW600"
    exit_status = ExitStatus.UNREADABLE


class LowEntropyError(IntelError):
    """A value that whoever holds the community key could find by trying, digest or not."""

    code = "SW601"


class SealError(IntelError):
    """An object without a seal, or with one that does not hold, or that is not of its sender."""

    code = "SW602"


class IndicatorError(IntelError):
    """An object that is not of the profile: says which property, and what is wrong with it."""

    code = "SW603"


class PolicyError(IntelError):
    """The sharing policy does not allow this, or is none."""

    code = "SW604"


class CollectionError(IntelError):
    """What was asked of a collection, a member or a token of the TAXII server cannot stand."""

    code = "SW640"


class UnknownCollectionError(CollectionError):
    """There is no collection, member or token of that name."""

    code = "SW641"


class TaxiiError(IntelError):
    """A TAXII server cannot be reached, refuses, or answers something else than TAXII.

    ``status`` is the HTTP status of its refusal; None where there was no answer of TAXII.
    """

    code = "SW642"
    exit_status = ExitStatus.OUR_FAILURE

    def __init__(
        self, message: str, *, path: Path | str | None = None, status: int | None = None
    ) -> None:
        self.status = status
        super().__init__(message, path=path)


class OverlapError(IntelError):
    """A message of a private set intersection is none, or what it needs is not installed."""

    code = "SW650"


class WrongRecipientError(OverlapError):
    """A message of an intersection that is meant for somebody else."""

    code = "SW651"


class ReplayedError(OverlapError):
    """A question that was answered before."""

    code = "SW652"


class LateMessageError(OverlapError):
    """A message of an intersection whose time is over."""

    code = "SW653"


class OtherVersionError(OverlapError):
    """A message of an intersection in a version that this one does not read."""

    code = "SW654"


class WrongMessageError(OverlapError):
    """A request where an answer is needed, the other way round, or the answer to another one."""

    code = "SW655"
