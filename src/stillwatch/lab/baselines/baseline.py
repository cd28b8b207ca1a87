"""What every baseline does: read exchanges, give each account a score, flag some of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stillwatch.errors import InputError
from stillwatch.exchange import RawExchange
from stillwatch.sources import open_log

__all__ = ["Baseline", "Judged", "rows_of"]


@dataclass(frozen=True)
class Judged:
    """A score for every account of the log; at or above `threshold` an account is flagged."""

    scores: dict[str, float]
    threshold: float

    @property
    def flagged(self) -> frozenset[str]:
        """Names of the accounts that the method would report."""
        return frozenset(name for name, score in self.scores.items() if score >= self.threshold)


class Baseline(Protocol):
    """One method that judges every account of a log by itself.

    Attributes:
        name: what tables call it.
    """

    name: str

    @abstractmethod
    def judge(self, batches: Iterable[Sequence[RawExchange]]) -> Judged:
        """Judge all accounts that occur in `batches`."""

    def flag(self, log: Path) -> dict[str, float]:
        """The flagged accounts of `log` with their scores, the most suspicious first.

        Raises:
            InputError: the log cannot be read whole.
        """
        judged = self.judge(rows_of(log))
        flagged = ((name, judged.scores[name]) for name in judged.flagged)
        return dict(sorted(flagged, key=lambda each: (-each[1], each[0])))


def rows_of(log: Path) -> Iterator[list[RawExchange]]:
    """The batches of `log`.

    Raises:
        InputError: the log cannot be read, or a row of it was refused: figures about a log that was
            read in part would mislead.
    """
    for batch in open_log([log]).batches():
        for reject in batch.rejects:
            raise InputError(
                f"{reject.reason}; a baseline needs a log without refused rows",
                path=reject.path,
                line=reject.line,
            )
        yield batch.rows
