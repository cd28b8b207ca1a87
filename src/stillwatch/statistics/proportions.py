"""Bounds on a share from a count (Clopper and Pearson, Biometrika 26, 1934)."""

from __future__ import annotations

from scipy.special import betaincinv

__all__ = ["share_interval", "upper_bound"]


def upper_bound(hits: int, of: int, *, confidence: float = 0.95) -> float:
    """One-sided upper confidence bound on a binomial share; 1 where nothing was tried.

    Null: the share is at least the bound. Assumption: the tries are independent and alike. Exact,
    hence conservative: the bound holds with at least `confidence`.
    """
    if of == 0 or hits >= of:
        return 1.0
    return float(betaincinv(hits + 1, of - hits, confidence))


def share_interval(hits: int, of: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided confidence interval of a binomial share; (0, 1) where nothing was tried.

    Null: the share lies outside. Assumption: the tries are independent and alike. Exact.
    """
    side = (1 + confidence) / 2
    if of == 0:
        return 0.0, 1.0
    return 1 - upper_bound(of - hits, of, confidence=side), upper_bound(hits, of, confidence=side)
