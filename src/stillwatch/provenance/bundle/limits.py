"""What each kind of part does not show, however small its p-value: printed with every bundle."""

from __future__ import annotations

from typing import Final

__all__ = ["CAPABILITY", "KEYED", "NEUTRALITY", "RADIOACTIVITY", "REFUSALS", "TRIAGE"]

_RECORDS: Final = (
    "The records are the recorder's.",
    "That these answers came from the suspect rests on whoever asked it. The seal shows that they "
    "were not changed since.",
)
_CHANCE: Final = (
    "The p-value is about chance alone.",
    "It says how often a key that took no part would look like this. It is not the probability "
    "that the suspect is innocent, and it covers only what the plan fixed beforehand.",
)
_EXPOSURE: Final = (
    "Exposure is not abuse of an interface.",
    "A key that is found shows that text carrying it reached the suspect. It does not show by "
    "whom, by which way, or against which terms.",
)
_AT_HAND: Final = (
    "Training, or text at hand.",
    "A service that looks things up, keeps answers, or passes questions on to our model shows the "
    "key without having been trained on anything. Whether the suspect was asked without such aids "
    "rests on who asked it.",
)
_LOOKED: Final = (
    "A look before the plan.",
    "Keys or questions that somebody picked after seeing what this suspect answers make any "
    "p-value small. That the plan is older than the recorded answers does not rule this out; that "
    "it is older than the suspect itself does.",
)
_LEFT_OUT: Final = (
    "What was left out.",
    "Other plans, suspects, controls and ways to ask (temperature, system message, a second try) "
    "may have been tried and not shown. A ledger lists every plan and seal: ask for it whole.",
)
_REPUBLICATION: Final = (
    "Republication.",
    "Somebody entitled to the answers may have published them, and the suspect may have been "
    "trained on what is public. Who was served under this key, and whether those answers stand "
    "anywhere in public, must be looked into.",
)
_FORGERY: Final = (
    "Forgery, and a key that leaked.",
    "Whoever has the key, or many answers under it, can write text that carries it and feed it to "
    "a model. Who had access to the key is a question for witnesses, not for statistics.",
)

#: a heading and what it means
KEYED: Final[tuple[tuple[str, str], ...]] = (
    _EXPOSURE,
    _AT_HAND,
    _REPUBLICATION,
    _FORGERY,
    (
        "Restyling.",
        "A student that was taught restyled, paraphrased or translated answers carries no key. "
        "That nothing was found is no evidence of innocence.",
    ),
    _CHANCE,
    _LOOKED,
    _LEFT_OUT,
    _RECORDS,
)

RADIOACTIVITY: Final[tuple[tuple[str, str], ...]] = (
    _EXPOSURE,
    _AT_HAND,
    _REPUBLICATION,
    _FORGERY,
    (
        "Paraphrase, and further training.",
        "These hide a mark, as a small share of marked text among other does. "
        "That nothing was found is no evidence of innocence.",
    ),
    (
        "The reference.",
        "What the suspect says beyond a reference model is what is scored. That the reference was "
        "the one that the plan names nobody checks. A bad one hides a mark; numbers that somebody "
        "with the key made up would make one.",
    ),
    _CHANCE,
    _LOOKED,
    _LEFT_OUT,
    _RECORDS,
)

REFUSALS: Final[tuple[tuple[str, str], ...]] = (
    (
        "Not where the difference comes from.",
        "A model that refuses little was perhaps never taught to. Without the model that the "
        "suspect started from, nothing says that anything was removed.",
    ),
    (
        "The judge errs.",
        "A program decided what is a refusal. The intervals hold its errors as they were counted "
        "on other models; on this one they may be others.",
    ),
    (
        "Usefulness is form.",
        "Whether a harmful answer would work was not looked at. No prompt and no answer is in this "
        "bundle, only labels and digests.",
    ),
    (
        "The prompts were chosen by the accuser.",
        "Other prompts may show more, or nothing, also where these were fixed beforehand.",
    ),
    _RECORDS,
)

NEUTRALITY: Final[tuple[tuple[str, str], ...]] = (
    (
        "It calls no view right.",
        "Two sides need not deserve equal words, the teacher is no standard of truth, and a model "
        "may be found because it is more even-handed.",
    ),
    (
        "Words were counted.",
        "Stance is favourable less unfavourable words: irony, negation and what is praised are "
        "not known.",
    ),
    (
        "The pairs were chosen by the accuser.",
        "Other pairs may show more, or nothing, also where these were fixed beforehand.",
    ),
    _RECORDS,
)

CAPABILITY: Final[tuple[tuple[str, str], ...]] = (
    (
        "Not where it comes from.",
        "A suspect may be better than its base because of other data, more training or tools. That "
        "it learnt from the teacher takes a key to show.",
    ),
    (
        "The base is the one that was named.",
        "What the suspect gained is counted from there. That it started from this base rests on "
        "who says so.",
    ),
    (
        "Rules read the answers.",
        "A number, a letter or words are looked for. A model that writes in another manner than "
        "its base may be misread more often.",
    ),
    (
        "The tasks were chosen by the accuser.",
        "Others may show more, or nothing, also where these were fixed beforehand; and who was "
        "trained on the very tasks looks able.",
    ),
    _RECORDS,
)

TRIAGE: Final[tuple[tuple[str, str], ...]] = (
    (
        "Similarity is not descent.",
        "Models are alike because of the same public data, the same base, the same fashion. A rank "
        "says where a keyed test is worth its price, and nothing else.",
    ),
    (
        "The controls were chosen by the accuser.",
        "All rests on their being unrelated and otherwise like the suspect. With controls of "
        "another time or purpose an innocent suspect ranks first more often than not.",
    ),
    (
        "No p-value here can be small.",
        "With so few controls the smallest that can come out is printed beside it.",
    ),
    _RECORDS,
)
