"""Replays of small logs, written out row by row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.gateway.replaying import Replay, Replayed, ReplayOptions, RuleLine, replay

Run = Callable[..., Replayed]

#: 2026-03-02 12:00 UTC
NOON = 1_772_452_800


class Silent:
    """Somebody who does not wait."""

    def step(self, name: str, total: int | None = None) -> None: ...
    def advance(self, done: int) -> None: ...


def row(**fields: Any) -> dict[str, Any]:
    """A request at noon; `after` are seconds later."""
    at = NOON + fields.pop("after", 0)
    return {
        "at": at, "account": "acme", "prompt": "why is the sky blue", "model": "small",
        "endpoint": "/v1/chat/completions",
    } | fields  # fmt: skip


def line(report: Replay, name: str) -> RuleLine:
    """The line of a rule."""
    return next(each for each in report.rules if each.id == name)


@pytest.fixture
def ask(tmp_path: Path) -> Run:
    """Replay rows under the text of some rules."""

    def run(rows: list[dict[str, Any]], rules: str, against: str | None = None, **options: Any
            ) -> Replayed:  # fmt: skip
        log, file, old = (tmp_path / name for name in ("log.jsonl", "rules.yaml", "old.yaml"))
        log.write_text("".join(json.dumps(each) + "\n" for each in rows))
        file.write_text(rules)
        if against is not None:
            old.write_text(against)
        return replay(
            ReplayOptions(
                rules=file, logs=(str(log),), against=None if against is None else old, **options
            ),
            Silent(),
        )

    return run
