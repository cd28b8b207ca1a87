"""Combinations of features that give logits away, refused whatever level and rules say.

Log probabilities alone show the top of a distribution. With a way to choose which tokens stand at
the top they show all of it: `logit_bias` and five alternatives read the full logits of a prompt in
a few hundred requests, rounding or not (Carlini et al. 2024, arXiv:2403.06634; Finlayson et al.
2024, arXiv:2403.09539). So a request has either, never both.
"""

from __future__ import annotations

from stillwatch.access.facts import Asked
from stillwatch.access.surface import MOST_LOGPROBS, Structure

__all__ = ["leak"]


def leak(asked: Asked) -> str | None:
    """What is wrong with this combination, or ``None``. JSON mode chooses no token, and passes."""
    if not (asked.logprobs or asked.prompt_logprobs):
        return None
    if asked.logprobs > MOST_LOGPROBS:
        return f"at most {MOST_LOGPROBS} log probabilities a position are available"
    forcing = [
        name
        for name, used in (
            ("logit_bias", bool(asked.bias)),
            ("a schema or grammar for the answer", asked.structure >= Structure.SCHEMA),
            ("a prefilled answer", asked.prefill),
            ("echo", asked.echo),
        )
        if used
    ]
    if not forcing:
        return None
    return (
        f"log probabilities cannot be combined with {' or '.join(forcing)}; leave one of them out"
    )
