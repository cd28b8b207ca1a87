"""`stillwatch intel match LOG…`: which accounts of ours meet what others told."""

from __future__ import annotations

import time
from pathlib import Path

import click

from stillwatch.cli.intel_received import COMMUNITY, keys_of, received_at, sets_of, stored
from stillwatch.cli.stored import print_rows

__all__ = ["match"]

_SHOWN = 20


@click.command()
@stored
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@COMMUNITY
@click.option(
    "--format",
    "format_",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Format of the logs, as `scan` has it.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all hits there: .parquet, or one JSON object a line.",
)
@click.option(
    "--dry-run", is_flag=True, help="Do not keep the hits: `intel apply` will not know of them."
)
def match(
    state: str,
    ledger: Path | None,
    logs: tuple[str, ...],
    community: tuple[Path, ...],
    format_: str,
    out: Path | None,
    dry_run: bool,
) -> None:
    """Look in logs for what others told. A match is no verdict, and does nothing by itself.

    LOG may also be the state folder of a gateway that keeps what members of the community can
    compare (`serve --community`), or the event store in it.

    Hits are kept in the store: `intel apply` acts on them if the rules say so, and `intel
    sightings` tells their senders. Only live indicators of members are looked for.

    \b
    Example:
      stillwatch intel match requests.jsonl --community forum.key --state state --out hits.jsonl
      stillwatch intel match state --community forum.key --state state
    """
    from stillwatch.campaigns.recorded import named_store
    from stillwatch.intel.matching import match_log, match_store, write_hits
    from stillwatch.sources import open_log

    keys, recorded = keys_of(community), named_store(logs)
    with received_at(state, ledger) as received:
        sets = sets_of(received.indicators(), keys, time.time())
        if recorded is None:
            found = match_log(open_log(logs, format=format_), sets)
        else:
            found = match_store(recorded, sets, named=not dry_run)
        if not dry_run:
            received.keep_hits(found)
    if out is not None:
        write_hits(found.hits, out)
    spread = found.spread()
    accounts = {hit.account for hit in found.hits}
    click.echo(
        f"{len(accounts):,} of {found.accounts:,} accounts meet {len(spread):,} of "
        f"{sum(map(len, sets)):,} indicators ({found.rows:,} exchanges, {found.rejected:,} "
        "rows refused)"
    )
    if found.passed:
        click.echo(
            f"{found.passed:,} exchanges were recorded without the key, and not looked at", err=True
        )
    best = sorted(found.hits, key=lambda hit: (spread[hit.pattern], -hit.exchanges, hit.account))
    if best:
        print_rows(
            ("ACCOUNT", "BY", "EXCHANGES", "SENDERS", "ACCOUNTS", "INDICATOR"),
            [
                (
                    hit.account, hit.kind, f"{hit.exchanges:,}", str(len(hit.senders)),
                    f"{spread[hit.pattern]:,}", hit.indicators[0],
                )
                for hit in best[:_SHOWN]
            ],
        )  # fmt: skip
    if len(best) > _SHOWN:
        click.echo(f"… and {len(best) - _SHOWN:,} more; --out FILE writes all", err=True)
