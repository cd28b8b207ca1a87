"""Rules with hand-set limits, in the manner of what operators write today."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stillwatch.exchange import RawExchange
from stillwatch.lab.baselines.baseline import Baseline, Judged
from stillwatch.lab.baselines.words import hashed_words, prompts, unit_rows
from stillwatch.sketches import Asks, Sketcher, SketchKey

__all__ = ["LIMITS", "Limits", "RuledAccount", "Rules"]

_BITS = 12
_DAY = 86_400_000_000
_KEY = SketchKey(bytes(32))  # nothing keyed is kept: only the `asks` column is read


@dataclass(frozen=True)
class Limits:
    """At or above each limit a rule gives an account one point; `points` of them flag it.

    Attributes:
        daily: requests a day, over the days on which the account sent any.
        similarity: mean cosine between two prompts of the account, as bags of words.
        reasoning: share of its prompts that ask for one of `phrases`.
        payment: accounts on the same payment instrument, itself included.
        address: accounts on the same client address, itself included.
        fewest: prompts below which similarity and reasoning are not judged.
    """

    daily: float = 1_000
    similarity: float = 0.5
    reasoning: float = 0.3
    payment: int = 3
    address: int = 5
    fewest: int = 10
    points: int = 2
    phrases: Asks = Asks.STEP_BY_STEP | Asks.HIDDEN_REASONING | Asks.SELF_CRITIQUE | Asks.GRADE


LIMITS = Limits()


@dataclass
class RuledAccount:
    """Sums over the requests of one account."""

    requests: int = 0
    reasoning: int = 0
    days: set[int] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    words: NDArray[np.float32] = field(default_factory=lambda: np.zeros(1 << _BITS, np.float32))
    lengths: float = 0.0


class Rules(Baseline):
    """One point a rule that an account breaks; the score adds, below 1, how near the others came.

    No labels are used. What is shared is counted over the accounts of the log.
    """

    name = "rules"

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits

    def judge(self, batches: Iterable[Sequence[RawExchange]]) -> Judged:
        return self.judge_accounts(self.read(batches))

    def read(self, batches: Iterable[Sequence[RawExchange]]) -> dict[str, RuledAccount]:
        """What the rules look at, of each account by itself."""
        return _read(batches, self.limits.phrases)

    def judge_accounts(self, accounts: Mapping[str, RuledAccount]) -> Judged:
        """Judge accounts that were read before; what is shared is counted over these alone."""
        payments = Counter(each for account in accounts.values() for each in account.payments)
        addresses = Counter(each for account in accounts.values() for each in account.addresses)
        scores = {}
        for name, account in accounts.items():
            ratios = list(self._ratios(account, payments, addresses))
            points = sum(ratio >= 1 for ratio in ratios)
            scores[name] = points + 0.99 * sum(min(r, 1.0) for r in ratios) / len(ratios)
        return Judged(scores, float(self.limits.points))

    def _ratios(
        self, account: RuledAccount, payments: Counter[str], addresses: Counter[str]
    ) -> Iterator[float]:
        """What each rule measures, in units of its limit."""
        limits, count = self.limits, account.requests
        yield count / len(account.days) / limits.daily
        judged = count >= limits.fewest
        yield _similarity(account) / limits.similarity if judged else 0.0
        yield account.reasoning / count / limits.reasoning if judged else 0.0
        yield max((payments[each] for each in account.payments), default=0) / limits.payment
        yield max((addresses[each] for each in account.addresses), default=0) / limits.address


def _read(batches: Iterable[Sequence[RawExchange]], phrases: Asks) -> dict[str, RuledAccount]:
    accounts: dict[str, RuledAccount] = defaultdict(RuledAccount)
    sketcher = Sketcher(_KEY)
    for rows in batches:
        texts = prompts(rows)
        bare = [
            RawExchange(at=row.at, account=row.account, prompt=text)
            for row, text in zip(rows, texts, strict=True)
        ]
        asks = sketcher.sketch(bare)["asks"].to_numpy() & int(phrases)
        words = unit_rows(hashed_words(texts, bits=_BITS)).tocsr()
        for row, asked, start, end in zip(
            rows, asks.tolist(), words.indptr[:-1], words.indptr[1:], strict=True
        ):
            account = accounts[row.account]
            account.requests += 1
            account.reasoning += bool(asked)
            account.days.add(row.at // _DAY)
            account.words[words.indices[start:end]] += words.data[start:end]
            account.lengths += float(end > start)
            if row.payment:
                account.payments.add(row.payment)
            if row.ip:
                account.addresses.add(row.ip)
    return accounts


def _similarity(account: RuledAccount) -> float:
    """Mean cosine over the pairs: the sum of unit vectors, squared, less each with itself."""
    pairs = account.requests * (account.requests - 1)
    total = float(account.words.astype(np.float64) @ account.words)
    return (total - account.lengths) / pairs if pairs else 0.0
