"""What an entry may be about: a closed set, so that a reader knows each kind that can occur.

A new kind is added here, in its alphabetical place, and to docs/ledger.md; none is ever taken away,
for ledgers that hold it are still read.
"""

from __future__ import annotations

from typing import Final

__all__ = ["KINDS"]

#: kind → what its entries record
KINDS: Final[dict[str, str]] = {
    "access": "somebody was given, or lost, the right to act on cases",
    "action": "an account was verified, slowed, narrowed, marked or suspended, or that was undone",
    "allowance": "an account came onto the list of those on whom no rule acts, or left it",
    "appeal": "an owner of an account asked for a verdict to be looked at again",
    "approval": "a second person approved, or refused, what the first proposed",
    "erasure": "what was held about somebody was erased",
    "evidence": "an evidence bundle was sealed",
    "expiry": "what was kept for longer than its period was deleted: how much of what, no names",
    "export": "something left the house: to whom, under which policy, its digest",
    "indicator": "an indicator was received from others",
    "key_commitment": "a key was committed to before anything was released under it",
    "retention": "raw prompts are kept for a purpose, until a date",
    "rule_version": "a version of rules or settings came into force",
    "test_plan": "a test was fixed before it was run: statistic, α, stopping rule, code",
    "verdict": "a case was decided: what, on which evidence",
}
