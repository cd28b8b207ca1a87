"""`stillwatch cases rule|allow|terms`: what may act by itself, who is known, what was agreed."""

from __future__ import annotations

import time
from pathlib import Path

import click

from stillwatch.access.registration import PURPOSES
from stillwatch.cases import Clause, Rule
from stillwatch.cases.reasons import REASONS
from stillwatch.cases.tokens import APPROVES
from stillwatch.cli.cases_measures import automatic_measures, measures_of
from stillwatch.cli.cases_stored import BY, TOKEN, acting, cases_at, secret, stored
from stillwatch.cli.clock import DURATION, spoken
from stillwatch.cli.stored import JSON, print_lines, print_rows

__all__ = ["allow", "rule", "terms"]


@click.group()
def rule() -> None:
    """Rules that act by themselves: they slow and narrow, and two people stand behind each."""


@rule.command("propose")
@stored
@click.argument("name")
@automatic_measures
@click.option("--reason", default="precaution", show_default=True, type=click.Choice(list(REASONS)))
@click.option("--message", required=True, help="For the owners of the accounts.")
@click.option("--why", required=True, help="Why a rule may do this.")
@click.option("--level", type=float, default=0.01, show_default=True,
              help="Findings of at most this error rate.")  # fmt: skip
@click.option("--families", type=int, default=2, show_default=True, help="Of evidence, at least.")
@click.option("--detection", "detections", multiple=True, help="That must be among its evidence.")
@click.option("--segment", "segments", multiple=True, help="Only there; without it everywhere.")
@click.option("--lasts", type=DURATION, default="30d", show_default=True, help="The rule ends.")
@BY
def rule_propose(
    state: str, ledger: Path | None, name: str, lasting: int | None, slow: float | None,
    narrow: tuple[str, ...], reason: str, message: str, why: str, level: float, families: int,
    detections: tuple[str, ...], segments: tuple[str, ...], lasts: int, by: str | None,
) -> None:  # fmt: skip
    """Propose a new version of a rule. It does nothing until another person approves it.

    \b
    Example:
      stillwatch cases rule propose coordinated-slow --slow 5 --for 24h --level 0.005 \\
        --message "We look at unusual use of your account." --why "shadowed for a month" \\
        --state state --by ana
    """
    made = Rule(
        name=name,
        measures=measures_of(lasting, slow=slow, narrow=narrow),
        reason=reason,
        message=message,
        why=why,
        level_at_most=level,
        families_at_least=families,
        detections=detections,
        segments=segments,
    )
    with cases_at(state, ledger, create=True) as cases:
        version = cases.rules.propose(made, lasts, acting(cases, by))
    click.echo(f"{name}: version {version.version} waits for a second person", err=True)


@rule.command("approve")
@stored
@click.argument("name")
@click.argument("version", type=int)
@BY
def rule_approve(state: str, ledger: Path | None, name: str, version: int, by: str | None) -> None:
    """Let a version act from now on, in place of those before it."""
    with cases_at(state, ledger) as cases:
        found = cases.rules.approve(name, version, acting(cases, by, roles=APPROVES))
    click.echo(f"{name}/{version} acts until {spoken(found.expires_at)} UTC", err=True)


@rule.command("revoke")
@stored
@click.argument("name")
@click.argument("version", type=int)
@BY
def rule_revoke(state: str, ledger: Path | None, name: str, version: int, by: str | None) -> None:
    """End a version now. What it has done stays until it is undone, or ends."""
    with cases_at(state, ledger) as cases:
        cases.rules.revoke(name, version, acting(cases, by))
    click.echo(f"{name}/{version} acts no more", err=True)


@rule.command("list")
@stored
@JSON
def rule_list(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show all versions of all rules."""
    now = time.time()
    with cases_at(state, ledger) as cases:
        versions = cases.rules.versions()
    if as_json:
        print_lines(versions)
        return
    print_rows(
        ("RULE", "VERSION", "DOES", "PROPOSED BY", "APPROVED BY", "ENDS", "ACTS"),
        (
            (
                each.rule.name, str(each.version),
                ", ".join(m.kind for m in each.rule.measures), each.proposed_by,
                each.approved_by or "-", spoken(each.expires_at),
                "yes" if each.in_force(now) else "no",
            )
            for each in versions
        ),
    )  # fmt: skip


@click.group()
def allow() -> None:
    """Evaluators and researchers: a finding about them becomes a case that says so, and no rule
    acts on it."""


@allow.command("add")
@stored
@click.argument("account")
@click.option("--purpose", required=True, type=click.Choice(list(PURPOSES)))
@click.option("--for", "lasting", type=DURATION, required=True, metavar="90d", help="It ends.")
@click.option("--why", required=True, help="Who vouches, and where that can be looked up.")
@BY
def allow_add(
    state: str,
    ledger: Path | None,
    account: str,
    purpose: str,
    lasting: int,
    why: str,
    by: str | None,
) -> None:
    """Put an account on the allow-list; its id, alone on standard output, is what ends it.

    \b
    Example:
      stillwatch cases allow add uni-lab --purpose research --for 90d \\
        --why "agreement 2026-17" --state state --by ana
    """
    with cases_at(state, ledger, create=True) as cases:
        click.echo(
            cases.registry.allow(
                account, purpose, lasting, why, acting(cases, by, roles=APPROVES)
            ).id
        )


@allow.command("end")
@stored
@click.argument("allowance")
@BY
def allow_end(state: str, ledger: Path | None, allowance: str, by: str | None) -> None:
    """End an allowance now. Cases that were opened meanwhile keep saying that it held."""
    with cases_at(state, ledger) as cases:
        found = cases.registry.disallow(allowance, acting(cases, by, roles=APPROVES))
    click.echo(f"{found.account} is not on the allow-list any more by {allowance}", err=True)


@allow.command("list")
@stored
@JSON
def allow_list(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show the allow-list, also what has ended."""
    now = time.time()
    with cases_at(state, ledger) as cases:
        found = cases.registry.allowances()
    if as_json:
        print_lines(found)
        return
    print_rows(
        ("ALLOWANCE", "ACCOUNT", "PURPOSE", "BY", "ENDS", "HOLDS"),
        (
            (each.id, each.account, each.purpose, each.by, spoken(each.expires_at),
             "no" if each.ended_at is not None or each.expires_at <= now else "yes")
            for each in found
        ),
    )  # fmt: skip


@click.group()
def terms() -> None:
    """The clauses of each version of your terms, which verdicts name."""


@terms.command("add")
@stored
@click.argument("version")
@click.argument("clause")
@click.argument("text")
@TOKEN
def terms_add(state: str, ledger: Path | None, version: str, clause: str, text: str) -> None:
    """Write down what a clause of a version says. It is never changed: other words are another
    version.

    \b
    Example:
      stillwatch cases terms add 2026-03 4.2 "Answers train no competing model." --state state
    """
    with cases_at(state, ledger, create=True) as cases:
        if secret() is not None or cases.tokens.named():
            acting(cases, None, roles=APPROVES)
        cases.registry.add_clause(Clause(terms=version, clause=clause, text=text))


@terms.command("list")
@stored
@JSON
def terms_list(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show all clauses."""
    with cases_at(state, ledger) as cases:
        found = cases.registry.clauses()
    if as_json:
        print_lines(found)
        return
    print_rows(("TERMS", "CLAUSE", "TEXT"), ((c.terms, c.clause, c.text) for c in found))
