"""Fixtures of the tests of a watch."""

import pytest

from stillwatch.campaigns.watching import look
from tests.campaigns.watching.standin import find


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks take milliseconds, and find what their names betray."""
    monkeypatch.setattr(look, "find_campaigns", find)
