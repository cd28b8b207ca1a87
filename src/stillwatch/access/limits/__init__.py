"""Limits on requests, tokens, slots and different items: reserved before, settled after.

In: the charges of a decision, then what the request used. Out: a reservation, or the first limit
that had no room. :class:`MemoryLimiter` keeps limits in this process, :class:`RedisLimiter` for
several replicas; both keep the same promises, which ``docs/limits.md`` states.
"""

from stillwatch.access.limits.charges import (
    Charge,
    Exceeded,
    Limit,
    Limiter,
    Reservation,
    Scope,
    Unit,
    Usage,
)
from stillwatch.access.limits.memory import LEASE, MemoryLimiter
from stillwatch.access.limits.redis import RedisLimiter
from stillwatch.access.limits.terms import check_limit

__all__ = [
    "LEASE",
    "Charge",
    "Exceeded",
    "Limit",
    "Limiter",
    "MemoryLimiter",
    "RedisLimiter",
    "Reservation",
    "Scope",
    "Unit",
    "Usage",
    "check_limit",
]
