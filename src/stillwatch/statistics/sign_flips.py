"""Do paired differences lean to one side? By flipping their signs, exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.sign_tails import sign_tail

__all__ = ["sign_flip_tail"]


def sign_flip_tail(differences: npt.ArrayLike) -> float:
    """log10 p-value, two-sided, that paired differences [n] lean to either side.

    Null: each difference is as likely as its negative, whatever its size; so it is where the two of
    a pair may be exchanged. Assumption: pairs are independent. Source: Fisher's randomisation test
    (The design of experiments, 1935, section 21), on the sum, over all 2^n signs. Below
    2^(1 - n) of n differences that are not 0 it cannot fall.

    Raises:
        ValueError: differences that are not whole; too large ones (:func:`sign_tail`).
    """
    numbers = np.asarray(differences, np.float64)
    one_sided = float(sign_tail(abs(float(numbers.sum())), numbers))
    return min(0.0, one_sided + float(np.log10(2)))
