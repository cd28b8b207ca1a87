"""`stillwatch mark trace`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from stillwatch.cli.mark_options import (
    CONTEXT,
    FILE,
    KEY_FILE,
    PRF,
    SCHEME,
    TENANT,
    VOCABULARY,
    mark_of,
    ring_of,
)  # fmt: skip
from stillwatch.cli.progress import open_progress
from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus, InputError
from stillwatch.watermark import (
    GLOBAL,
    ClusterHypothesis,
    Evidence,
    LayeredMark,
    Mark,
    Trace,
    TracedCluster,
    TracedHypothesis,
    TracePlan,
    Vocabulary,
    trace,
)
from stillwatch.watermark.answer_files import read_answers

__all__ = ["traced"]

_HEADS = ("", "name", "log10 p", "corrected", "rank", "members", "")
_TOP = 20


@click.command("trace")
@click.argument("answers", type=FILE)
@KEY_FILE
@click.option(
    "--epoch", "epochs", multiple=True, required=True,
    help="An epoch in which the suspect may have been fed. May be given often: a cluster's keys of "
    "all epochs are weighed together.",
)  # fmt: skip
@TENANT
@click.option(
    "--clusters", "cluster_file", type=click.File("r"),
    help="All clusters that could have fed it, one a line; - is standard input. Without it, the "
    "members of the hypotheses.",
)  # fmt: skip
@click.option(
    "--hypotheses", "campaigns", type=FILE,
    help="campaigns.json of `stillwatch scan`: the accounts of each campaign are tested together.",
)  # fmt: skip
@click.option(
    "--account-clusters", type=FILE,
    help="Which cluster's key each account had: account, a tab, cluster on each line. Without it a "
    "key is that of the account's own name.",
)  # fmt: skip
@SCHEME
@CONTEXT
@PRF
@click.option(
    "--global-context", type=click.IntRange(1),
    help="Answers were marked in two layers, the global one with contexts of so many tokens.",
)  # fmt: skip
@click.option(
    "--global-share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.5,
    show_default=True, help="Of contexts, in two layers, that the global mark was put on.",
)  # fmt: skip
@VOCABULARY
@click.option(
    "--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.01,
    show_default=True, help="The odds that anybody at all is named who took no part, at most.",
)  # fmt: skip
@click.option(
    "--decoys", type=click.IntRange(0), default=1_000, show_default=True,
    help="Random keys that are scored beside.",
)  # fmt: skip
@click.option(
    "--split", "split", type=click.IntRange(0, (1 << 63) - 1), metavar="SEED",
    help="Trace one half of the evidence, and hold out the other.",
)  # fmt: skip
@click.option("--half", type=click.Choice(["1", "2"]), help="Which half, with --split.")
@click.option(
    "--plan-only", is_flag=True,
    help="Print the digest of the plan, and look at nothing: keep it where its date can be shown.",
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(0), default=_TOP, show_default=True,
    help="Clusters in the table beside those found.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for all clusters.")
@click.option("--quiet", is_flag=True, help="No progress.")
def traced(
    answers: Path,
    key_file: Path | None,
    epochs: tuple[str, ...],
    tenant: str,
    cluster_file: TextIO | None,
    campaigns: Path | None,
    account_clusters: Path | None,
    scheme: str,
    context: int,
    prf: str,
    global_context: int | None,
    global_share: float,
    vocabulary: int | None,
    alpha: float,
    decoys: int,
    split: int | None,
    half: str | None,
    plan_only: bool,
    top: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Ask whose keys fed what a suspect wrote: ANSWERS, one a line.

    A line is {"prompt": [ids], "answer": [ids]}, or a text as `mark detect` reads it. Prompts are
    read so that what was copied from them is not scored.

    Every cluster is tested, and every hypothesis: a set of clusters that behaviour joined, whose
    small traces are added up. All p-values are exact and corrected together (Holm): with odds of at
    most --alpha anybody is named whose key took no part. A hypothesis that is found says that at
    least one member took part; `members` says how many at least.

    The question comes before the answer. ANSWERS can be traced under one plan: clusters, hypotheses
    and settings are noted in a record beside it (ANSWERS.looks), and another plan is refused from
    then on. To test what a trace suggests, begin with one half (--split 1 --half 1) and ask the
    other. Deleting the record to look again makes every later p-value a lie.

    \b
    Exit status: 0 nothing found, 3 somebody found, 2 unreadable input or a second plan.

    \b
    Examples:
      stillwatch mark trace said.jsonl --key-file mark.key --epoch 2026-11 --clusters all.txt
      stillwatch mark trace said.jsonl --key-file mark.key --epoch 2026-10 --epoch 2026-11 \\
          --clusters all.txt --hypotheses report/campaigns.json
    """
    if (split is None) != (half is None):
        raise click.UsageError("--split and --half belong together")
    hypotheses = _hypotheses(campaigns, account_clusters)
    clusters = [line.strip() for line in cluster_file or () if line.strip()]
    if cluster_file is None:
        clusters = [member for each in hypotheses for member in each.members]
    if not clusters:
        raise click.UsageError("name whom to ask for: --clusters, --hypotheses or both")
    ring = ring_of(key_file, epochs[0], tenant)
    one = mark_of(ring, "-", scheme, context, prf)
    mark: Mark | LayeredMark = one
    if global_context is not None:
        everybody = mark_of(ring, GLOBAL, "gumbel", global_context, prf)
        mark = LayeredMark(everybody, one, global_share)
    try:
        plan = TracePlan.of(
            ring, mark, clusters, hypotheses=hypotheses, epochs=epochs, alpha=alpha, decoys=decoys
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if plan_only:
        click.echo(plan.digest)
        return ExitStatus.NOTHING_FOUND
    size = None if vocabulary is None else Vocabulary(vocabulary)
    evidence = Evidence.of_answers(read_answers(answers), context, vocabulary=size)
    left_out = evidence.left_out
    if split is not None:
        evidence = evidence.split(split)[half == "2"]
    with open_progress(quiet=quiet) as progress:
        for reason in itertools.islice(left_out, 3):
            progress.note(f"answer {reason}")
        if len(left_out) > 3:
            progress.note(f"and {len(left_out) - 3:,} more that cannot be scored")
        record = answers.with_name(answers.name + ".looks")
        said = trace(evidence, plan, ring, record=record, progress=progress)
    if as_json:
        for each in _objects(said, plan):
            click.echo(msgspec.json.encode(each))
    else:
        _print_table(said, top)
    found = any(each.found for each in said.hypotheses) or bool(said.found)
    return ExitStatus.CAMPAIGNS_FOUND if found else ExitStatus.NOTHING_FOUND


def _hypotheses(campaigns: Path | None, account_clusters: Path | None) -> list[ClusterHypothesis]:
    if campaigns is None:
        if account_clusters is not None:
            raise click.UsageError("--account-clusters is for --hypotheses")
        return []
    known = None if account_clusters is None else dict(_pairs(account_clusters))
    return ClusterHypothesis.from_campaigns(campaigns, known)


def _pairs(path: Path) -> Iterable[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", path=path) from error
    for number, line in enumerate(lines, 1):
        account, tab, cluster = line.partition("\t")
        if line.strip():
            if not (tab and account.strip() and cluster.strip()):
                raise InputError("must be account, a tab, cluster", path=path, line=number)
            yield account.strip(), cluster.strip()


def _objects(said: Trace, plan: TracePlan) -> Iterable[dict[str, Any]]:
    """What was asked, then hypotheses, then clusters, the most evident first."""
    yield {
        "kind": "trace",
        "plan": said.plan,
        "evidence": said.evidence,
        "epochs": plan.epochs,
        "scheme": plan.mark.scheme,
        "context": plan.mark.context,
        "alpha": said.alpha,
        "scored": said.scored,
        "clusters": len(plan.clusters),
        "abstained": said.abstained,
    }
    for group in said.hypotheses:
        yield {
            "kind": "hypothesis",
            "name": group.hypothesis.name,
            "members": group.hypothesis.members,
            "source": group.hypothesis.source,
            **_numbers(group),
            "log10_p_beside": group.log10_p_beside,
            "at_least": group.at_least,
        }
    for cluster in said:
        yield {"kind": "cluster", "name": cluster.name, **_numbers(cluster)}


def _numbers(said: TracedCluster | TracedHypothesis) -> dict[str, Any]:
    return {
        "log10_p": said.log10_p,
        "corrected_log10_p": said.corrected_log10_p,
        "decoy_rank": said.decoy_rank,
        "decoys": said.decoys,
        "found": said.found,
    }


def _print_table(said: Trace, top: int) -> None:
    click.echo(f"plan      {said.plan}\nevidence  {said.evidence}, {said.scored:,} windows scored")
    if said.abstained is not None:
        click.echo(f"nothing is said: {said.abstained}")
        return
    shown = itertools.islice(said, max(top, len(said.found)))
    groups = sorted(said.hypotheses, key=lambda each: each.log10_p)
    print_rows(_HEADS, [*map(_line, groups), *map(_line, shown)])
    if (rest := len(said) - max(top, len(said.found))) > 0:
        click.echo(f"and {rest:,} clusters more, none of them found")


def _line(said: TracedCluster | TracedHypothesis) -> tuple[str, ...]:
    if isinstance(said, TracedHypothesis):
        kind, name = "hypothesis", said.hypothesis.name
        members = f"{said.at_least}/{len(said.hypothesis.members)}"
    else:
        kind, name, members = "cluster", said.name, ""
    rank = "-" if said.decoy_rank is None else f"{said.decoy_rank:,}/{said.decoys + 1:,}"
    p = (f"{x:.2f}" if math.isfinite(x) else "-" for x in (said.log10_p, said.corrected_log10_p))
    return kind, name, *p, rank, members, "found" if said.found else ""
