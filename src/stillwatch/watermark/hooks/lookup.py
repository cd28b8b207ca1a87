"""From the name of a mark to the mark itself: settings and keys that only the engine's side has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from stillwatch.watermark.choices import KeyedMark
from stillwatch.watermark.choices.english import TABLE
from stillwatch.watermark.gated import GatedMark
from stillwatch.watermark.gumbel import GumbelMark, scheme_under
from stillwatch.watermark.hooks.label import Label
from stillwatch.watermark.keys import GLOBAL, KeyRing, MarkKey
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Mark
from stillwatch.watermark.prf import DEFAULT, SGLANG, number_of
from stillwatch.watermark.sglang_layers import SglangMark
from stillwatch.watermark.tournament import TournamentMark

__all__ = ["CHOICES", "PROFILES", "SCHEMES", "Found", "MarkSettings", "Marks", "Profile", "Scheme"]

#: one key for everybody, which proves theft; a key for each cluster, which traces; a layer of each
Profile = Literal["provenance", "radioactive", "both"]
PROFILES: Final[tuple[Profile, ...]] = ("provenance", "radioactive", "both")
#: the unbiased ones on tokens; and choices among wordings, which the gateway writes
Scheme = Literal["gumbel", "tournament", "choices"]
SCHEMES: Final[tuple[Scheme, ...]] = ("gumbel", "tournament", "choices")
CHOICES: Final[Scheme] = "choices"
#: tokens of a context: what detects best in one text, and what a student inherits
_WIDE, _NARROW = 4, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSettings:
    """What one name of a mark stands for.

    Args:
        profile: whose key it is under.
        context: tokens of a context under the cluster's key (of the global key for `provenance`);
            by default 4 for `provenance` and 1 otherwise.
        global_context: the same for the global layer of `both`.
        share: of contexts that the global layer of `both` is put on.
        prf: the keyed function, a name in :data:`stillwatch.watermark.prf.NAMES`. With that of
            SGLang it is the mark that SGLang puts on, of the profile `both` with both layers as
            wide as that of the cluster.
        scheme: `gumbel`, `tournament`, or `choices`: among wordings, which the gateway writes into
            the text; no engine has a part in it, and the settings of tokens have no meaning.
        entropy_floor: nats; rows below are not marked. 0 marks all.
        strong: the name of the mark in its place where an action asks for a strong one.

    Raises:
        ValueError: a profile, a scheme or a keyed function that is not known, a context below 1, a
            share that does not lie between 0 and 1, an entropy floor that is negative or none; of
            SGLang's function anything that SGLang does not do; of choices anything of tokens.
    """

    profile: Profile
    context: int | None = None
    global_context: int = _WIDE
    share: float = 0.5
    prf: str = DEFAULT
    scheme: Scheme = "gumbel"
    entropy_floor: float = 0.0
    strong: str | None = None

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"no profile {self.profile!r}; there are {', '.join(PROFILES)}")
        if self.scheme not in SCHEMES:
            raise ValueError(f"no scheme {self.scheme!r}; there are {', '.join(SCHEMES)}")
        if not 0 <= self.entropy_floor < np.inf:
            raise ValueError("an entropy floor is finite and not negative")
        if self.scheme == CHOICES:
            self._check_choices()
        if self.prf == SGLANG and (self.scheme != "gumbel" or self.entropy_floor):
            raise ValueError(f"with {SGLANG} the scheme is 'gumbel', and there is no entropy floor")
        if self.width < 1 or self.global_context < 1:
            raise ValueError("a context has at least one token")
        if not 0 < self.share < 1:
            raise ValueError("a share lies between 0 and 1")
        number_of(self.prf)

    def _check_choices(self) -> None:
        if self.profile == "both":
            raise ValueError(
                "a choice has one key: with the scheme 'choices' the profile is 'provenance' "
                "or 'radioactive'"
            )
        ours = MarkSettings(profile=self.profile, strong=self.strong)
        for name in ("context", "global_context", "share", "prf", "entropy_floor"):
            if getattr(self, name) != getattr(ours, name):
                raise ValueError(f"with the scheme 'choices', {name} has no meaning; leave it out")

    @property
    def width(self) -> int:
        """Tokens of a context of the mark, or of the cluster's layer."""
        if self.context is not None:
            return self.context
        return _WIDE if self.profile == "provenance" else _NARROW


@dataclass(frozen=True, slots=True)
class Found:
    """The mark to put on, or why there is none. `epoch` is that of its keys."""

    mark: Mark | LayeredMark | None
    epoch: str = ""
    reason: str | None = None

    def answer(self, label: Label) -> str:
        """The header of the response, as the gateway reads it."""
        if self.mark is None:
            return f"none;{self.reason}"
        return f"{label.name};epoch={self.epoch}"


class Marks:
    """The marks of one deployment, under the keys of one epoch.

    Args:
        ring: of the epoch in which marks are put on.
        settings: of each mark by its name.

    Raises:
        ValueError: a strong mark that is not there.
    """

    def __init__(self, ring: KeyRing, settings: Mapping[str, MarkSettings]) -> None:
        for name, each in settings.items():
            if each.strong is not None and each.strong not in settings:
                raise ValueError(f"the mark {name!r} names {each.strong!r}, and there is none")
        self._ring, self._settings = ring, dict(settings)

    @property
    def epoch(self) -> str:
        """The epoch of the keys."""
        return self._ring.epoch

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the marks."""
        return tuple(self._settings)

    def mark_for(self, name: str, strength: str = "normal", cluster: str | None = None) -> Found:
        """The mark of this name for a cluster. It is never put on under a key that was not meant:
        whatever is missing is a reason to go without."""
        if name not in self._settings:
            return self._none("unknown mark")
        if strength not in ("normal", "strong"):
            return self._none("unknown strength")
        settings = self._meant(name, strength)
        if settings.scheme == CHOICES:
            return self._none("choices")  # not of tokens
        if settings.profile == "provenance":
            return Found(self._mark(settings, GLOBAL, settings.width), self.epoch)
        if not cluster:
            return self._none("no cluster")
        if cluster.startswith(GLOBAL):
            return self._none("unknown cluster")
        traced = self._mark(settings, cluster, settings.width)
        if settings.profile == "radioactive":
            return Found(traced, self.epoch)
        if settings.prf == SGLANG:
            proving = self._mark(settings, GLOBAL, settings.width)
            return Found(SglangMark(proving, traced, settings.share), self.epoch)
        proving = self._mark(settings, GLOBAL, settings.global_context)
        return Found(LayeredMark(proving, traced, settings.share), self.epoch)

    def chooses(self, name: str, strength: str = "normal") -> bool:
        """Whether the mark of this name is of choices, which the gateway writes."""
        return name in self._settings and self._meant(name, strength).scheme == CHOICES

    def chosen_for(self, name: str, strength: str, cluster: str) -> KeyedMark | None:
        """The mark of choices of this name for a cluster; ``None`` where it is of tokens.

        Raises:
            ValueError: the cluster has no name that is one.
        """
        if not self.chooses(name, strength):
            return None
        shared = self._meant(name, strength).profile == "provenance"
        return KeyedMark.of(self._ring, GLOBAL if shared else cluster, TABLE)

    def of(self, label: Label | None) -> Found:
        """What the gateway's word comes to; ``None`` where it said none that can be read."""
        return self._none("not asked for") if label is None else self.mark_for(*label)

    def key_of(self, cluster: str, scheme: str) -> MarkKey:
        """The key of a cluster for an engine that has a scheme of its own."""
        return self._ring.key(cluster, scheme)

    def draws(self) -> np.random.Generator:
        """Random numbers for schemes that draw some: the same in every worker of one model, each of
        which samples for itself, and known to nobody without the master key."""
        return np.random.default_rng(self.key_of(GLOBAL, "draws").value)

    def _meant(self, name: str, strength: str) -> MarkSettings:
        settings = self._settings[name]
        if strength == "strong" and settings.strong is not None:
            return self._settings[settings.strong]
        return settings

    def _mark(self, settings: MarkSettings, cluster: str, width: int) -> Mark:
        prf = settings.prf
        mark: Mark
        if settings.scheme == "tournament":
            mark = TournamentMark(self._ring.key(cluster, "tournament"), context=width, prf=prf)
        else:
            key = self._ring.key(cluster, scheme_under(prf))
            mark = GumbelMark(key, context=width, prf=prf)
        return GatedMark(mark, settings.entropy_floor) if settings.entropy_floor else mark

    def _none(self, reason: str) -> Found:
        return Found(None, self.epoch, reason)
