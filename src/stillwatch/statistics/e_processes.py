"""E-processes: evidence against one null each (an account, a cluster) that may be read at any time.

Each look brings a p-value; capital is bet on its being small, with several powers at once, and the
mean of their capitals is the evidence. Whoever stops at a time of their choice holds an e-value.
"Was it ever high?" is another question: a running maximum is no e-value, and e-BH on maxima does
not control the false discovery rate (Tavyrikov, Goeman and de Heide, arXiv 2501.19360). An adjuster
takes away from the maximum what looking back is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from stillwatch.statistics.e_values import checked, mixture_calibrator

__all__ = ["KAPPAS", "EProcesses", "adjust"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: powers that the default mixture bets with, from rare tiny p-values to a slight lean
KAPPAS = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class EProcesses:
    """Many e-processes side by side; plain arrays, never changed, so that `vars` can be stored.

    Attributes:
        bets: process × power, log capital, 0 at the start.
        kappas: the powers.
        highest: nats, the most that each process ever reached (0 at the start).
        stopped: processes that no p-value changes any more.
    """

    bets: Floats
    kappas: Floats
    highest: Floats
    stopped: Flags

    @classmethod
    def start(cls, size: int, kappas: Sequence[float] = KAPPAS) -> EProcesses:
        """`size` processes with no evidence; one power in `kappas` makes a plain power bet."""
        powers = np.asarray(kappas, dtype=np.float64)
        if not len(powers) or not ((powers > 0) & (powers < 1)).all():
            raise ValueError("each kappa lies between 0 and 1")
        return cls(np.zeros((size, len(powers))), powers, np.zeros(size), np.zeros(size, np.bool_))

    def update(self, log_p: Floats) -> EProcesses:
        """One look: a log p-value for each process, NaN where there was nothing to look at.

        Null: given everything known before, whatever the process, p is no smaller than uniform.
        Assumption: that "everything" is common to all processes when they are stopped or judged
        together. Conformal p-values against one fixed sample do not qualify; those of
        :func:`calibrate` do. Whether a process is looked at may depend on the past, not on p.
        Source: power martingales, Vovk, Nouretdinov and Gammerman (ICML 2003).
        """
        seen = ~np.isnan(log_p) & ~self.stopped
        step = np.where(seen, checked(np.where(seen, log_p, 0.0)), 0.0)[:, None]
        gain = np.log(self.kappas) + (self.kappas - 1) * step
        after = replace(self, bets=np.where(seen[:, None], self.bets + gain, self.bets))
        return replace(after, highest=np.maximum(self.highest, after.evidence()))

    def evidence(self) -> Floats:
        """Nats now: the log of an e-value at any stopping time (Ramdas et al., 2020)."""
        out: Floats = logsumexp(self.bets, axis=1) - np.log(len(self.kappas))
        return out

    def stop(self, which: Flags) -> EProcesses:
        """Freeze some processes at what they have. Assumption: chosen by what was seen so far."""
        return replace(self, stopped=self.stopped | which)

    def join(self, size: int) -> EProcesses:
        """As many more processes, without evidence, after those that are there."""
        new = EProcesses.start(size, tuple(self.kappas.tolist()))
        return EProcesses(
            np.concatenate([self.bets, new.bets]),
            self.kappas,
            np.concatenate([self.highest, new.highest]),
            np.concatenate([self.stopped, new.stopped]),
        )

    def ever(self) -> Floats:
        """Nats that "it was once so high" is worth: :func:`adjust` of the running maximum."""
        return adjust(self.highest)


def adjust(highest: Floats, calibrator: Callable[[Floats], Floats] = mixture_calibrator) -> Floats:
    """Nats of an e-value, valid at all times at once, from the running maximum of an e-process.

    A maximum of m is a p-value of 1 / m (Ville's inequality), so that any calibrator of p-values is
    an adjuster: the power κ gives κ m^(1-κ), Shafer's gives √m - 1, the mixture gives
    (m - 1 - ln m) / ln² m. e-BH on these never has to take a flag back.
    Null: `highest` is the log of the maximum of an e-process. Assumption: none on dependence.
    Source: Shafer, Shen, Vereshchagin and Vovk (Statistical Science 26, 2011); Dawid, de Rooij et
    al. (2011); Tavyrikov, Goeman and de Heide (arXiv 2501.19360).
    """
    highest = np.asarray(highest, dtype=np.float64)
    if (highest < 0).any():
        raise ValueError("an e-process starts at 1: its maximum is not below 0 nats")
    return calibrator(-highest)
