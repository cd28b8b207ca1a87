"""What tests of every room may use."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder that the project's files stand in."""
    return Path(__file__).parents[1]
