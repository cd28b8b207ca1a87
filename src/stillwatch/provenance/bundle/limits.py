"""What keyed evidence does not show, however small its p-value: printed with every bundle."""

from __future__ import annotations

from typing import Final

__all__ = ["LIMITS"]

#: a heading and what it means
LIMITS: Final[tuple[tuple[str, str], ...]] = (
    (
        "Exposure is not abuse of an interface.",
        "A key that is found shows that text carrying it reached the training of the suspect. It "
        "does not show by whom, by which way, or against which terms.",
    ),
    (
        "Republication.",
        "Somebody entitled to the answers may have published them, and the suspect may have been "
        "trained on what is public. Who was served under this key, and whether those answers stand "
        "anywhere in public, must be looked into.",
    ),
    (
        "Forgery, and a key that leaked.",
        "Whoever has the key, or many answers under it, can write text that carries it and feed it "
        "to a model. Who had access to the key is a question for witnesses, not for statistics.",
    ),
    (
        "Restyling.",
        "A student that was taught restyled, paraphrased or translated answers carries no key. "
        "That nothing was found is no evidence of innocence.",
    ),
    (
        "The p-value is about chance alone.",
        "It says how often a key that took no part would look like this. It is not the probability "
        "that the suspect is innocent, and it covers only what the plan fixed beforehand.",
    ),
    (
        "The records are the recorder's.",
        "That these answers came from the suspect rests on whoever asked it. The seal shows that "
        "they were not changed since.",
    ),
)
