"""Why an account is in a campaign, in phrases that a reviewer understands without the code."""

from __future__ import annotations

from collections.abc import Mapping

from stillwatch.campaigns.candidates import Candidate
from stillwatch.detections import percent

__all__ = ["noun", "reasons"]

#: a label of :class:`stillwatch.detections.Findings` → what a reviewer calls one, and several
_NOUNS = {
    "style": ("wording", "wordings"),
    "payment": ("payment instrument", "payment instruments"),
    "device": ("device", "devices"),
    "ip": ("IP address", "IP addresses"),
    "ja4": ("TLS fingerprint", "TLS fingerprints"),
    "email_domain": ("mail domain", "mail domains"),
}
#: labels that name no thing to be counted → what an account has in common with others by them
_DEEDS = {
    "conversations": "goes on with conversations of",
    "returned answers": "passes the model's answers on to, or has them from,",
    "succession of a blocked pool": "blocked, or new after a block, together with",
}


def noun(detection: str, label: str) -> str:
    """What a shared object is called: ``payment instrument``; unknown labels as they are."""
    if detection == "shape":
        return f"parameters ({label})"
    return _NOUNS.get(label, (label,))[0]


def reasons(
    candidate: Candidate, labels: Mapping[int, str], share: Mapping[int, float]
) -> dict[int, tuple[str, ...]]:
    """For each account what it shares with how many others, wording first.

    Args:
        labels: what shared objects are called.
        share: by member the share of its exchanges that carries the shared wording; who is linked
            and no member does not count.
    """
    held: dict[int, dict[tuple[str, str], list[set[int]]]] = {}
    for detection, shared, accounts in candidate.objects():
        label = labels.get(shared, detection)
        together = share.keys() & set(accounts.tolist())
        for account in together if len(together) > 1 else ():
            held.setdefault(account, {}).setdefault((detection, label), []).append(together)
    return {
        account: tuple(
            _phrase(detection, label, len(groups), len(set().union(*groups)) - 1, share[account])
            for (detection, label), groups in sorted(shares.items(), key=_order)
        )
        for account, shares in held.items()
    }


def _order(shares: tuple[tuple[str, str], list[set[int]]]) -> tuple[bool, str, str]:
    detection, label = shares[0]
    return detection != "echo", detection, label


def _phrase(detection: str, label: str, objects: int, others: int, share: float) -> str:
    fellows = f"{others:,} other" + ("s" if others != 1 else "")
    if detection == "echo" and share > 0:
        often = f"{share:.0%}" if share >= 0.01 else percent(share)
        return f"the wording of {fellows} in {often} of its exchanges"
    if label in _DEEDS:
        return f"{_DEEDS[label]} {fellows}"
    one, *several = _NOUNS.get(label, (noun(detection, label),))
    what = one if objects == 1 else f"{objects} {several[0] if several else one}"
    return f"{what} shared with {fellows}"
