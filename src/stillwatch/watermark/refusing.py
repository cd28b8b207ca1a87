"""Texts about which nothing can be said, and why."""

from __future__ import annotations

from dataclasses import dataclass

from stillwatch.watermark.mark import Int64s

__all__ = ["Vocabulary", "reason_to_abstain"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The vocabulary of the model that was marked.

    Args:
        size: ids are below it. An engine may pad its logits beyond; scores do not depend on that.
        tokenizer: a name or a digest of its tokenizer, to compare with that of a text.

    Raises:
        ValueError: a size below 1.
    """

    size: int
    tokenizer: str | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("a vocabulary has at least one token")


def reason_to_abstain(
    tokens: Int64s, vocabulary: Vocabulary | None, tokenizer: str | None
) -> str | None:
    """Why no mark can be looked for in these tokens, or None.

    Raises:
        ValueError: they are no integers [length].
    """
    if tokens.ndim != 1 or (tokens.size and tokens.dtype.kind not in "iu"):
        raise ValueError(f"tokens are integers [length], not {tokens.dtype} {tokens.shape}")
    known = None if vocabulary is None else vocabulary.tokenizer
    if tokenizer is not None and known is not None and tokenizer != known:
        return f"tokens of {tokenizer!r}, and the mark is on those of {known!r}: tokenize again"
    if not tokens.size:
        return "the text is empty"
    if tokens.size == 1:
        return "the text is one token"
    if tokens.min() < 0:
        return f"the token {tokens.min()} is none"
    if vocabulary is not None and tokens.max() >= vocabulary.size:
        return (
            f"the token {tokens.max()} lies beyond the vocabulary of {vocabulary.size}: "
            "the text is of another tokenizer"
        )
    if tokens.min() == tokens.max():
        return "the text is one token repeated"
    return None
