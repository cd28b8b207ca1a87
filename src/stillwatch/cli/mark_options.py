"""What the commands about marks take alike: keys, clusters, and how text was marked."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TextIO

import click

from stillwatch.watermark import GLOBAL, GreenListMark, GumbelMark, KeyRing, Mark, TournamentMark
from stillwatch.watermark.gumbel import scheme_under
from stillwatch.watermark.prf import DEFAULT, NAMES

__all__ = [
    "CLUSTER", "CLUSTERS", "CONTEXT", "EPOCH", "FILE", "GLOBAL_TOO", "KEY_FILE", "PRF", "SCHEME",
    "TENANT", "VOCABULARY", "clusters_named", "mark_of", "ring_of",
]  # fmt: skip

FILE: Final = click.Path(path_type=Path, dir_okay=False)

KEY_FILE = click.option(
    "--key-file", type=FILE, help="The master key; else the variable STILLWATCH_MARK_KEY."
)
EPOCH = click.option("--epoch", required=True, help="The epoch of the keys, such as 2026-11.")
TENANT = click.option("--tenant", default="", help="The tenant of the keys.")
CLUSTER = click.option(
    "--cluster", "clusters", multiple=True, help="A cluster to look for. May be given often."
)
CLUSTERS = click.option(
    "--clusters", "cluster_file", type=click.File("r"),
    help="A file of clusters to look for, one a line; - is standard input.",
)  # fmt: skip
GLOBAL_TOO = click.option(
    "--global", "everybody", is_flag=True, help="Look for the global key, too."
)
CONTEXT = click.option(
    "--context", type=click.IntRange(1), default=1, show_default=True, help="Tokens of a context."
)
PRF = click.option(
    "--prf", type=click.Choice(list(NAMES)), default=DEFAULT, show_default=True,
    help="The keyed function: vLLM's, ours, or SGLang's.",
)  # fmt: skip
VOCABULARY = click.option(
    "--vocabulary", type=click.IntRange(1), help="Tokens of the model's vocabulary."
)

_SCHEMES: Final[dict[str, type[GumbelMark] | type[GreenListMark] | type[TournamentMark]]] = {
    "gumbel": GumbelMark,
    "green-list": GreenListMark,
    "tournament": TournamentMark,
}
SCHEME = click.option(
    "--scheme", type=click.Choice(list(_SCHEMES)), default="gumbel", show_default=True,
    help="How text was marked.",
)  # fmt: skip


def ring_of(key_file: Path | None, epoch: str, tenant: str) -> KeyRing:
    """The keys of an epoch, from the file, or else from the environment.

    Raises:
        KeyFileError: the master key cannot be had.
    """
    if key_file is None:
        return KeyRing.from_environment(epoch, tenant=tenant)
    return KeyRing.from_file(key_file, epoch, tenant=tenant)


def mark_of(ring: KeyRing, cluster: str, scheme: str, context: int, prf: str) -> Mark:
    """The mark of a cluster, by what :data:`SCHEME`, :data:`CONTEXT` and :data:`PRF` gave."""
    derived = scheme_under(prf) if scheme == "gumbel" else scheme
    return _SCHEMES[scheme](ring.key(cluster, derived), context=context, prf=prf)


def clusters_named(given: tuple[str, ...], file: TextIO | None, *, everybody: bool) -> list[str]:
    """The clusters of the command line and the file, each once; the global one last.

    Raises:
        UsageError: there are none.
    """
    named = [*given, *(line.strip() for line in file or () if line.strip())]
    named += [GLOBAL] if everybody else []
    if not named:
        raise click.UsageError("name what to look for: --cluster, --clusters or --global")
    return list(dict.fromkeys(named))
