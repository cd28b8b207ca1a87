"""Which limits can be kept, and what a request comes to."""

from __future__ import annotations

from typing import Any

import pytest

from stillwatch.access.limits import Limit, check_limit
from stillwatch.errors import SettingsError

RATE = {"unit": "tokens", "amount": 60, "period": 60.0}


@pytest.mark.parametrize(
    "limit",
    [
        RATE,
        {**RATE, "burst": 1},
        {**RATE, "amount": 10**18},
        {"unit": "requests", "amount": 0, "calendar": "month"},
        {"unit": "tokens", "amount": 2**52, "calendar": "month"},
        {"unit": "concurrent", "amount": 0},
        {"unit": "distinct", "amount": 5, "period": 3600.0},
    ],
)
def test_limits_that_can_be_kept(limit: dict[str, Any]) -> None:
    check_limit(Limit(name="mine", scope="key", **limit))


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ({"unit": "tokens", "amount": 60}, "either a period"),
        ({**RATE, "calendar": "day"}, "either a period"),
        ({**RATE, "amount": 0}, "at least 1"),
        ({**RATE, "period": 1e-10}, "nanosecond"),
        ({**RATE, "period": 86_400.0 * 53}, "52 days"),
        ({**RATE, "burst": 60 * 60 * 24 * 53}, "52 days"),
        ({**RATE, "burst": 0}, "at least 1"),
        ({"unit": "tokens", "amount": 60, "calendar": "day", "burst": 5}, "belongs to a rate"),
        ({"unit": "tokens", "amount": -1, "calendar": "day"}, "below 0"),
        ({"unit": "tokens", "amount": 2**52 + 1, "calendar": "day"}, "not be above"),
        ({"unit": "concurrent", "amount": 60, "period": 1.0}, "concurrent has neither"),
        ({"unit": "concurrent", "amount": 100_001}, "not be above"),
        ({"unit": "distinct", "amount": 60}, "distinct has a period"),
        ({"unit": "distinct", "amount": 60, "calendar": "day"}, "distinct has a period"),
    ],
)
def test_limits_that_cannot_be_kept_are_named_with_the_reason(
    limit: dict[str, Any], why: str
) -> None:
    with pytest.raises(SettingsError, match=f"'mine'.*{why}"):
        check_limit(Limit(name="mine", scope="key", **limit))
