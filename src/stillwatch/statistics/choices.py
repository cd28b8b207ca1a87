"""How often the favoured one among a few options was taken, where their number differs.

Each choice is a hit with its own probability, one in as many options as there were. The exact tail
is that of a sum of unlike coins (Poisson, 1837), by convolution of masses that were tilted so that
what was observed is expected (Esscher, 1932): only positive terms are added, and the faintest tail
keeps its digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy
from scipy.special import expit, logit, logsumexp

__all__ = ["choice_e_values", "choice_tail"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: by how much the alternative multiplies the odds of a hit; fixed, so that more choices add to a
#: process that has begun
_ODDS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0)
_MOST = 20_000
_STEEPEST = 60.0


def choice_tail(hits: int, shares: npt.ArrayLike, rng: np.random.Generator | None = None) -> float:
    """log10 of P(X ≥ hits), X the number of hits among choices with these probabilities of one.

    Null: each choice is a hit with its own probability. Assumption: choices are independent. Exact.
    With a generator the randomised p-value P(X > hits) + U · P(X = hits), which is uniform under
    the null (Geyer and Meeden, Statistical Science 20, 2005).

    Args:
        shares: [n], each between 0 and 1 and neither; at most 20,000.

    Raises:
        ValueError: shares that are none, or too many; hits that are no count of them.
    """
    p = _checked(shares)
    if not 0 <= hits <= len(p):
        raise ValueError(f"{hits} hits of {len(p)} choices")
    if len(p) > _MOST:
        raise ValueError(f"at most {_MOST:,} choices")
    tilt = _tilt(hits, p)
    tilted = expit(logit(p) + tilt)
    masses = np.ones(1)
    for each in tilted.tolist():
        longer = np.append(masses * (1 - each), 0.0)
        longer[1:] += masses * each
        masses = longer
    beyond = np.arange(len(p) - hits + 1)
    weights = masses[hits:] * np.exp(-tilt * beyond)
    if rng is not None:
        weights[0] *= rng.random()
    # E[exp(tilt · X)], by which tilting divided
    log = np.log1p(p * np.expm1(tilt)).sum() - tilt * hits
    with np.errstate(divide="ignore"):
        return float(min(0.0, (log + np.log(weights.sum())) / np.log(10)))


def choice_e_values(hits: Mask, shares: npt.ArrayLike) -> Floats:
    """Nats, float64 [n], after each choice, that more are hits than their probabilities allow.

    A test martingale: whoever stops after any choice, for whatever reason, holds the log of an
    e-value. The average, over alternatives that multiply the odds of every hit, of the likelihood
    ratio. Null: each choice is a hit with its own probability, whatever came before it.
    Assumption: none beyond the null. Source: the method of mixtures (Robbins, 1970; Ramdas,
    Grünwald, Vovk and Shafer, Statistical Science 38, 2023).

    Args:
        hits: bool [n], in the order in which they were settled.
        shares: [n], each between 0 and 1 and neither.

    Raises:
        ValueError: shares that are none, or not as many as hits.
    """
    p = _checked(shares)
    if np.shape(hits) != p.shape:
        raise ValueError("there is one share for each choice")
    raised = expit(logit(p)[:, None] + np.log(_ODDS))
    fell = np.log1p(-raised) - np.log1p(-p)[:, None]
    ratio = np.where(np.asarray(hits, np.bool_)[:, None], np.log(raised / p[:, None]), fell)
    wealth = logsumexp(np.cumsum(ratio, axis=0), axis=1) - np.log(len(_ODDS))
    out: Floats = np.asarray(wealth, np.float64)
    return out


def _checked(shares: npt.ArrayLike) -> Floats:
    p = np.asarray(shares, np.float64)
    if p.ndim != 1 or not ((p > 0) & (p < 1)).all():
        raise ValueError("shares [n] lie between 0 and 1, and are neither")
    return p


def _tilt(hits: int, p: Floats) -> float:
    """By how many nats to raise the log-odds of all, so that about `hits` are expected."""
    wanted = min(hits, len(p) - 0.5)
    if wanted <= p.sum():
        return 0.0
    odds = logit(p)
    if expit(odds + _STEEPEST).sum() <= wanted:
        return _STEEPEST
    return float(scipy.optimize.brentq(lambda t: expit(odds + t).sum() - wanted, 0.0, _STEEPEST))
