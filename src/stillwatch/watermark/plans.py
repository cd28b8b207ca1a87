"""What a trace will ask, fixed before it is asked: clusters, hypotheses, scheme, alpha."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from stillwatch.watermark.hypotheses import ClusterHypothesis
from stillwatch.watermark.keys import GLOBAL, KeyRing, MarkKey
from stillwatch.watermark.layers import Coin, LayeredMark, LayerMark
from stillwatch.watermark.mark import Mark
from stillwatch.watermark.rows import NO_KEY

__all__ = ["DECOYS", "TracePlan"]

DECOYS = 1_000
_VERSION = "stillwatch-trace-plan-v1"


@dataclass(frozen=True)
class TracePlan:
    """A trace to be; make one with :meth:`of`. Nothing in it can be changed.

    Attributes:
        mark: the scheme with its settings, of a layered one the cluster layer; its key is of no
            matter.
        ring: the fingerprint of the ring whose keys are asked.
        epochs: of which each cluster's keys are weighed together.
        clusters: in ascending order, each once.
        hypotheses: in the order of their names.
        alpha: with at most this probability anything at all is named that did not take part.
        decoys: random keys that are scored beside.
    """

    mark: Mark
    ring: str
    epochs: tuple[str, ...]
    clusters: tuple[str, ...]
    hypotheses: tuple[ClusterHypothesis, ...]
    alpha: float
    decoys: int

    @classmethod
    def of(
        cls,
        ring: KeyRing,
        mark: Mark | LayeredMark,
        clusters: Iterable[str],
        *,
        hypotheses: Iterable[ClusterHypothesis] = (),
        epochs: Iterable[str] = (),
        alpha: float = 0.01,
        decoys: int = DECOYS,
    ) -> TracePlan:
        """A plan.

        Args:
            ring: whose keys will be asked.
            mark: a mark of the scheme, with the settings that text was marked with, under any key.
            clusters: all that could have fed the suspect, not the ones that are thought to have.
            hypotheses: sets of these clusters that behaviour joined.
            epochs: in which the suspect may have been fed; those of the ring without.
            alpha: of the whole trace.
            decoys: random keys beside, see :class:`.tracing.Trace`.

        Raises:
            ValueError: no cluster; the global one, which traces nobody; a name that no cluster can
                have; a member that is no cluster of the plan; two hypotheses of one name; an alpha
                that is no probability.
        """
        named = tuple(sorted(set(clusters)))
        guessed = tuple(sorted(hypotheses, key=lambda each: each.name))
        if not named:
            raise ValueError("a plan names the clusters that could have taken part")
        if GLOBAL in named:
            raise ValueError("the global key traces nobody: detect it apart")
        for name in named:
            if not name or name.startswith(GLOBAL):
                raise ValueError(f"no cluster can be called {name!r}")
        names, known = Counter(each.name for each in guessed), set(named)
        if len(names) < len(guessed):
            raise ValueError(f"two hypotheses are called {names.most_common(1)[0][0]!r}")
        for each in guessed:
            unknown = [member for member in each.members if member not in known]
            if unknown:
                raise ValueError(
                    f"{unknown[0]!r} of the hypothesis {each.name!r} is no cluster of the plan"
                )
        if not 0 < alpha < 1:
            raise ValueError("alpha lies between 0 and 1")
        if decoys < 0:
            raise ValueError("there cannot be fewer decoys than none")
        one = mark.layers[1] if isinstance(mark, LayeredMark) else mark
        if isinstance(one, LayerMark) and not isinstance(one.coin, Coin):
            raise ValueError(  # noqa: TRY004  it is the plan that cannot be
                "which contexts SGLang's layers are on depends on the cluster's own key, so that "
                "clusters share no evidence: look for each with detect"
            )
        return cls(
            one.with_key(NO_KEY), ring.fingerprint, tuple(sorted(set(epochs))) or (ring.epoch,),
            named, guessed, alpha, decoys,
        )  # fmt: skip

    def mark_at(self, ring: KeyRing) -> Mark:
        """The mark as it is in the epoch of `ring`: the coin of a layer turns with the epoch."""
        if not isinstance(self.mark, LayerMark):
            return self.mark
        coin = self.mark.coin
        assert isinstance(coin, Coin)
        turned = replace(coin, key=ring.key(coin.key.cluster, coin.key.scheme))
        layer: Mark = replace(self.mark, coin=turned)
        return layer

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that is asked, 64 hexadecimal digits: to be kept before the answer is.

        Over JSON in UTF-8 with sorted names and no spaces. It binds to the master secret through
        the ring's fingerprint, and shows nothing of it.
        """
        said = {
            "version": _VERSION,
            "mark": _settings(self.mark),
            "ring": self.ring,
            "epochs": self.epochs,
            "clusters": self.clusters,
            "hypotheses": [[each.name, each.members, each.source] for each in self.hypotheses],
            "alpha": self.alpha,
            "decoys": self.decoys,
        }
        written = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()


def _settings(mark: Any) -> Any:
    """A scheme's settings as JSON, without keys: those of the coin are in the ring's fingerprint.

    A scheme is a dataclass of plain values; another one has its ``repr`` taken.
    """
    if isinstance(mark, MarkKey):
        return [mark.cluster, mark.scheme]
    if is_dataclass(mark) and not isinstance(mark, type):
        found = {each.name: _settings(getattr(mark, each.name)) for each in fields(mark)}
        return {"scheme": type(mark).__name__, **found}
    if isinstance(mark, str | int | float | bool | None):
        return mark
    return repr(mark)
