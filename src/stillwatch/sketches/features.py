"""The names behind the sketch columns ``script``, ``shape`` and ``asks``. Values never change."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["Asks", "Script", "Shape", "describe_asks", "describe_shape"]


class Script(IntEnum):
    """The script that most letters of a text belong to."""

    NONE = 0
    """No letters at all."""
    LATIN = 1
    CYRILLIC = 2
    GREEK = 3
    ARABIC = 4
    HEBREW = 5
    DEVANAGARI = 6
    BENGALI = 7
    TAMIL = 8
    TELUGU = 9
    HANGUL = 10
    GEORGIAN = 11
    ARMENIAN = 12
    ETHIOPIC = 13
    OTHER = 14
    """A script with spaces that has no number of its own here."""
    HAN = 16
    """From here on, scripts that do not put spaces between words."""
    JAPANESE = 17
    """Kana, or Han with at least a tenth of kana."""
    THAI = 18
    LAO = 19
    KHMER = 20
    MYANMAR = 21


class Shape(IntFlag):
    """Surface forms that occur in the new text."""

    LIST = 1 << 0
    NUMBERED_LIST = 1 << 1
    TABLE = 1 << 2
    JSON = 1 << 3
    CODE_FENCE = 1 << 4
    INLINE_CODE = 1 << 5
    URL = 1 << 6
    QUESTION = 1 << 7
    CHOICES = 1 << 8
    MATH = 1 << 9
    HEADINGS = 1 << 10
    TAGS = 1 << 11
    PLACEHOLDERS = 1 << 12
    QUOTATION = 1 << 13


class Asks(IntFlag):
    """What a prompt asks for that harvesters ask for, and honest users too: never proof alone."""

    STEP_BY_STEP = 1 << 0
    HIDDEN_REASONING = 1 << 1
    GRADE = 1 << 2
    REWRITE_PROMPT = 1 << 3
    OWN_INSTRUCTIONS = 1 << 4
    GENERATE_TASKS = 1 << 5
    COMPARE_ANSWERS = 1 << 6
    FINAL_ANSWER_FORMAT = 1 << 7
    SELF_CRITIQUE = 1 << 8
    MANY_VARIANTS = 1 << 9
    SIMULATE_USER = 1 << 10
    CONFIDENCE = 1 << 11


_SHAPE_NAMES = {
    Shape.LIST: "a bulleted list",
    Shape.NUMBERED_LIST: "a numbered list",
    Shape.TABLE: "a table",
    Shape.JSON: "JSON",
    Shape.CODE_FENCE: "fenced code",
    Shape.INLINE_CODE: "inline code",
    Shape.URL: "a web address",
    Shape.QUESTION: "a question",
    Shape.CHOICES: "multiple choices",
    Shape.MATH: "mathematical notation",
    Shape.HEADINGS: "headings",
    Shape.TAGS: "markup tags",
    Shape.PLACEHOLDERS: "unfilled placeholders",
    Shape.QUOTATION: "a quotation",
}

_ASKS_NAMES = {
    Asks.STEP_BY_STEP: "step-by-step reasoning",
    Asks.HIDDEN_REASONING: "the hidden reasoning behind an answer",
    Asks.GRADE: "a grade or rubric score",
    Asks.REWRITE_PROMPT: "a rewritten or evolved prompt",
    Asks.OWN_INSTRUCTIONS: "the model's own instructions",
    Asks.GENERATE_TASKS: "new tasks, questions or training examples",
    Asks.COMPARE_ANSWERS: "a comparison of answers",
    Asks.FINAL_ANSWER_FORMAT: "a final answer in a machine-readable place",
    Asks.SELF_CRITIQUE: "a critique or correction of an answer",
    Asks.MANY_VARIANTS: "several different answers or wordings",
    Asks.SIMULATE_USER: "an invented user or dialogue",
    Asks.CONFIDENCE: "a stated confidence or probability",
}


def describe_asks(bits: int) -> list[str]:
    """Plain-language names of the features in `bits`, in the order of their values."""
    return [name for flag, name in _ASKS_NAMES.items() if bits & flag]


def describe_shape(bits: int) -> list[str]:
    """Plain-language names of the surface forms in `bits`, in the order of their values."""
    return [name for flag, name in _SHAPE_NAMES.items() if bits & flag]
