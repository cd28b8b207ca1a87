"""What tests of every room may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# how long an example takes depends on what else the machine does; benchmarks are for that
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder that the project's files stand in."""
    return Path(__file__).parents[1]
