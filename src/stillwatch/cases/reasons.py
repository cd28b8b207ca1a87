"""The reason codes that the owner of an account is shown, each with its sentence.

Codes never change their meaning. They name what the terms forbid or what is asked, and never how
it was noticed.
"""

from __future__ import annotations

import difflib

from stillwatch.errors import CaseError

__all__ = ["REASONS", "accusation", "check_reason", "sentence"]

REASONS: dict[str, str] = {
    "coordinated-extraction": "Accounts that act together collect the model's answers in bulk.",
    "single-extraction": "This account collects the model's answers in bulk.",
    "competing-model": "Answers are used to train a model, which the terms do not allow.",
    "reasoning-collection": "The model's reasoning is collected systematically.",
    "shared-access": "Access is passed on to others, which the terms do not allow.",
    "identity-unclear": "It is unclear who uses this account.",
    "successor-account": "This account goes on with what a suspended account did.",
    "precaution": "A limit holds while a person looks at unusual use.",
    "no-breach": "A review found no breach of the terms.",
    "not-enough-evidence": "A review could not show a breach of the terms.",
}


#: those that say that nothing was shown
_CLEARING = frozenset({"no-breach", "not-enough-evidence"})


def check_reason(code: str, *, upheld: bool) -> None:
    """Refuse a code that tells the owner the opposite of what was decided.

    Raises:
        CaseError: it accuses where nothing was upheld, or clears where something was.
    """
    if (code in _CLEARING) == upheld:
        said = "says that no breach was shown" if upheld else "accuses"
        fitting = [each for each in REASONS if (each in _CLEARING) != upheld]
        raise CaseError(
            f"reason: {code} {said}, which is not what is decided; there are {', '.join(fitting)}"
        )


def accusation(code: str) -> str:
    """The sentence of a code that something can be done about an account for.

    Raises:
        CaseError: there is no such code, or it clears.
    """
    said = sentence(code)
    check_reason(code, upheld=True)
    return said


def sentence(code: str) -> str:
    """The sentence of a code.

    Raises:
        CaseError: there is no such code.
    """
    if code not in REASONS:
        close = difflib.get_close_matches(code, REASONS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(REASONS)}"
        raise CaseError(f"reason: there is no code {code!r}; {hint}")
    return REASONS[code]
