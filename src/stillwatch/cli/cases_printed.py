"""A case for people: facts, inference and what speaks against it apart from each other."""

from __future__ import annotations

from collections.abc import Iterator

import click

from stillwatch.cases.views import CaseView, EvidenceView, ProposalView
from stillwatch.cli.clock import spoken
from stillwatch.cli.stored import shown

__all__ = ["print_case"]


def print_case(view: CaseView) -> None:
    """Print a case. Whatever others wrote stays on its line and cannot pass for one of ours."""
    for part in (_head(view), _accounts(view), _evidence(view), _decided(view)):
        for line in part:
            click.echo(shown(line))


def _head(view: CaseView) -> Iterator[str]:
    verdict = f", {view.verdict}" if view.verdict else ""
    score = "" if view.emergency_until is not None else f"  score {view.score:g}"
    yield f"{view.id}  {view.state}{verdict}  campaign {view.campaign}{score}"
    families = ", ".join(view.families) or "-"
    yield (
        f"opened {spoken(view.opened_at)}  segment {view.segment}  families {families}  "
        f"with {view.claimed_by or 'nobody'}"
    )
    if view.emergency_until is not None:
        yield f"an emergency: one person suspended until {spoken(view.emergency_until)} UTC"
    if view.withdrawn:
        yield "a later look withdrew the finding"
    for each in view.held_back:
        yield f"no rule acted: {each}"


def _accounts(view: CaseView) -> Iterator[str]:
    yield ""
    yield f"Accounts ({len(view.accounts)})"
    for party in view.accounts:
        standing = party.standing
        terms = "terms unknown" if standing is None else f"terms {standing.terms or 'unknown'}"
        allowed = "  on the allow-list or registered" if party.allowed else ""
        yield f"  {party.number}  {party.account or '(erased)'}  {terms}{allowed}"


def _evidence(view: CaseView) -> Iterator[str]:
    heads = ("Facts", "Inference", "Counter-evidence")
    for head, pieces in zip(
        heads, (view.facts, view.inference, view.counter_evidence), strict=True
    ):
        yield ""
        yield f"{head}{'' if pieces else ': none'}"
        for piece in pieces:
            yield f"  {_piece(piece, scored=head == 'Inference')}"
    if view.question:
        yield ""
        yield f"Asked of {view.question_of}: {view.question}"


def _piece(piece: EvidenceView, *, scored: bool) -> str:
    rate = "unknown" if piece.base_rate is None else f"{piece.base_rate:g}"
    value = "" if piece.value is None else f" = {piece.value:g}"
    source = f"  [{piece.source}]" if piece.source else ""
    return f"{piece.text}{value}{f'  (base rate {rate})' if scored else ''}{source}"


def _decided(view: CaseView) -> Iterator[str]:
    if view.pending is not None:
        yield from _pending(view, view.pending)
    for decision in view.decisions:
        yield ""
        yield (
            f"Decided {spoken(decision.at)}: {decision.decided.verdict} "
            f"({decision.decided.reason}) by {decision.decided.proposed_by} "
            f"and {decision.approved_by}"
        )
    if view.measures:
        yield ""
        yield "Measures"
    for measure in view.measures:
        end = "undone" if measure.undone_at is not None else f"until {spoken(measure.until)} UTC"
        yield f"  {measure.id}  {measure.kind} on {measure.of} {measure.subject}  {end}"


def _pending(view: CaseView, pending: ProposalView) -> Iterator[str]:
    kinds = [f"{each.kind} for {each.lasting / 86_400:g} days" for each in pending.measures]
    yield ""
    yield (
        f"Proposed by {pending.proposed_by}: {pending.verdict}, "
        f"{', '.join(kinds) or 'no measure'}; approve {pending.proposal} before "
        f"{spoken(pending.expires_at)} UTC"
    )
    yield f"  {pending.summary}"
    names = {party.number: party.account or "(erased)" for party in view.accounts}
    if pending.accounts:
        yield f"  for {', '.join(names[number] for number in pending.accounts)}"
    yield f"  the owners read: {pending.message}"
    for reach in pending.reaches:
        yield (
            f"  reaches {reach.kind} {reach.subject or '(erased)'}: {reach.accounts:,} accounts"
            f", {reach.others:,} of them not of this case, {reach.listed:,} allow-listed or "
            "registered for a purpose"
        )
