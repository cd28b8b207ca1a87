"""Lets a draft leave, or takes back all that left for a case: on the record first, then out.

Whatever fails in between, the ledger never knows less than what is outside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stillwatch.durable import write_whole
from stillwatch.errors import IntelError, OutputError, PolicyError
from stillwatch.intel.exporting.draft import Draft, contents_of
from stillwatch.intel.exporting.register import Register
from stillwatch.intel.profile.authoring import bundle
from stillwatch.intel.profile.names import extension_of
from stillwatch.intel.profile.seals import Seal
from stillwatch.intel.profile.times import written
from stillwatch.intel.profile.versions import revoked
from stillwatch.ledger import Entry, Ledger, SigningKey

__all__ = ["release", "take_back"]


def release(
    draft: Draft, register: Register, ledger: Ledger, out: Path, *, by: str, now: datetime,
    expected: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Record a draft in the ledger and the register, and write its bundle to `out`.

    Args:
        expected: :attr:`Draft.contents` of the preview that somebody agreed to.

    Returns:
        The bundle.

    Raises:
        PolicyError: the policy refuses it, it is not what was expected, or something left or was
            taken back since it was made. Nothing left.
        OutputError: there is a file already, or it cannot be written.
    """
    if draft.refused:
        raise PolicyError(
            f"the policy '{draft.policy.name}' does not let {draft.subject} leave: "
            + "; ".join(draft.refused)
        )
    if expected is not None and expected != draft.contents:
        raise PolicyError(
            f"this is not what was previewed: its contents are {draft.contents[:16]}…, and "
            f"{expected[:16]}… was agreed to; look at the preview again"
        )
    if out.exists():
        raise OutputError("there is a file already; name another one", path=out)
    register.check_last(draft.subject, draft.after)
    made = bundle(draft.objects)
    data = json.dumps(made, ensure_ascii=False, indent=1).encode() + b"\n"
    policy = draft.policy
    ledger.append(
        [
            Entry(
                kind="export",
                at=written(now),
                by=by,
                body={
                    "case": draft.subject,
                    "bundle": hashlib.sha256(data).hexdigest(),
                    "contents": draft.contents,
                    "objects": len(draft.authored),
                    "recipients": list(policy.recipients),
                    "policy": {"name": policy.name, "digest": policy.digest},
                    "tlp": str(policy.tlp),
                    "purpose": policy.purpose,
                    "legal_basis": policy.legal_basis,
                    "community": draft.scheme,
                    "valid_until": draft.valid_until,
                    "retain_until": draft.retain_until,
                },
            )
        ]
    )
    register.tidy(now)
    register.record(
        draft.subject,
        draft.authored,
        after=draft.after,
        at=now,
        contents=draft.contents,
        policy=policy.digest,
        recipients=policy.recipients,
        retain_until=draft.retain_until,
    )
    write_whole(out, data)
    return made


def take_back(
    what: str, register: Register, ledger: Ledger, key: SigningKey, *, by: str, now: datetime
) -> tuple[dict[str, Any], ...]:
    """Revoked versions, sealed, of all that left for a case; or of the one object of that id.

    They are recorded here, and have to reach everybody who received what they take back: where all
    was taken back before, the same versions are given again, for a file may be lost. The identity
    of the sender is not revoked: it is not about the case.

    Raises:
        IntelError: nothing left for it, or nobody may keep it any more.
        PolicyError: something else left for it meanwhile.
    """
    subject = register.subject_of(what) or what
    last = register.last(subject)
    if last is None:
        raise IntelError(f"{what}: nothing was exported for it")
    meant = [
        each
        for each in register.current(subject).values()
        if _is_of_case(each) and what in (subject, each["id"])
    ]
    taken = [Seal.sign(revoked(each, now), key) for each in meant if not each.get("revoked")]
    if not meant:
        raise IntelError(f"{what}: those who received it have to have deleted it by now")
    if not taken:
        return tuple(meant)
    contents = contents_of(taken)
    ledger.append(
        [
            Entry(
                kind="export",
                at=written(now),
                by=by,
                body={
                    "case": subject,
                    "revoked": len(taken),
                    "all": what == subject,
                    "contents": contents,
                    "recipients": list(last.recipients),
                    "policy": {"digest": last.policy},
                },
            )
        ]
    )
    register.record(
        subject,
        taken,
        after=last.number,
        at=now,
        contents=contents,
        policy=last.policy,
        recipients=last.recipients,
        retain_until=_retained(taken),
        taken_back=what == subject,
    )
    return tuple(taken)


def _is_of_case(thing: Mapping[str, Any]) -> bool:
    return str(thing["type"]) != "identity"


def _retained(things: Sequence[dict[str, Any]]) -> str:
    return max(str(extension_of(each).get("retain_until", "")) for each in things)
