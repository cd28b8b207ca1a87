"""Marks by name, and an engine that batches as vLLM does."""

from __future__ import annotations

import pytest

from stillwatch.watermark import KeyRing
from stillwatch.watermark.hooks import Marks, MarkSettings


@pytest.fixture(scope="session")
def marks() -> Marks:
    return Marks(
        KeyRing(bytes(range(32)), "2026-11"),
        {
            "provenance": MarkSettings(profile="provenance", strong="radioactive"),
            "radioactive": MarkSettings(profile="radioactive"),
            "both": MarkSettings(profile="both", context=2, share=0.375),
        },
    )
