"""`stillwatch intel export`: a case as objects that others can use, as the policy allows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stillwatch.cli.cases_stored import BY, stored
from stillwatch.durable import write_whole
from stillwatch.errors import IntelError
from stillwatch.ledger import Ledger

if TYPE_CHECKING:
    from stillwatch.intel.exporting import Draft

__all__: list[str] = []

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("case")
@stored
@click.option("--policy", type=_FILE, metavar="FILE", help="The sharing policy (YAML).")
@click.option("--log", "logs", multiple=True, metavar="LOG", help="The raw log of the case.")
@click.option("--format", "format_", default="auto", metavar="NAME",
              help="Format of the log, as for scan; auto recognises it.")  # fmt: skip
@click.option("--community", type=_FILE, metavar="FILE", help="The key of the community.")
@click.option("--key", type=_FILE, metavar="FILE",
              help="Seals what leaves; without it ledger.key of the state folder.")  # fmt: skip
@click.option("--as", "name", metavar="NAME", help="What others call you.")
@click.option("--settings", type=_FILE, metavar="FILE",
              help="YAML whose section 'intel' has name, key, community, policy.")  # fmt: skip
@click.option("--extraction-family", metavar="NAME", help="How data was drawn, as you judge it.")
@click.option("--capability", "capabilities", multiple=True, metavar="NAME",
              help="What was aimed at, as you judge it; may be repeated.")  # fmt: skip
@click.option("--preview", is_flag=True, help="Show what would leave, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="The preview as one JSON object.")
@click.option("--out", "-o", type=_FILE, metavar="FILE", help="Write the bundle, and record it.")
@click.option("--misp", type=_FILE, metavar="FILE",
              help="Write what leaves as events of MISP too, which carry no seal.")  # fmt: skip
@click.option("--expect", metavar="DIGEST", help="Only if it is what a preview showed.")
@BY
def export(
    case: str, state: str, ledger: Path | None, policy: Path | None, logs: tuple[str, ...],
    format_: str, community: Path | None, key: Path | None, name: str | None,
    settings: Path | None, extraction_family: str | None, capabilities: tuple[str, ...],
    preview: bool, as_json: bool, out: Path | None, misp: Path | None, expect: str | None, by: str,
) -> None:  # fmt: skip
    """Make a bundle of STIX 2.1 of CASE, with what the policy allows and nothing else.

    Look at the preview first: it shows each object that would leave, and everything that would
    not, and why. `--expect` with the digest that it ends with makes sure that nothing else leaves.
    What leaves is recorded in the ledger, and can be taken back (`stillwatch intel revoke`).

    \b
    Examples:
      stillwatch intel export case-1 --state state --policy sharing.yaml --as provider-a \\
          --community community.json --log log.jsonl.gz --by ana --preview
      stillwatch intel export case-1 --state state --policy sharing.yaml --as provider-a \\
          --community community.json --log log.jsonl.gz --by ana --out bundle.json
    """
    # heavy, and the whole group is imported for each of its commands
    from stillwatch.intel.exporting import Choice, Register, prepare, read_own, release
    from stillwatch.intel.misp import misp_export
    from stillwatch.intel.policy import read_policy

    if preview == (out is not None):
        raise click.UsageError("say either --preview or --out FILE")
    if misp is not None and (out is None or misp.exists()):
        raise click.UsageError("--misp goes with --out, and names a file that is not there yet")
    folder = ledger or (Path(state) if "://" not in state else None)
    if folder is None:
        raise click.UsageError("say where the ledger is, with --ledger DIR")
    known = folder / "ledger.key"
    own = read_own(settings, name=name, key=key, community=community, policy=policy,
                   otherwise=known if known.is_file() else None)  # fmt: skip
    if own.policy is None:
        raise IntelError("nothing leaves without a policy; name one with --policy FILE")
    now = datetime.now(UTC)
    draft = prepare(
        state, folder, case, own, read_policy(own.policy), now, logs=logs,
        format=format_, choice=Choice(extraction_family, capabilities),
    )  # fmt: skip
    if out is None:
        _show_json(draft) if as_json else _show(draft)
        return
    with Ledger.open(folder, create=True) as book, Register(folder, create=True) as register:
        made = release(draft, register, book, out, by=by, now=now, expected=expect)
    if misp is not None:
        events = json.dumps(misp_export(made["objects"]), ensure_ascii=False, indent=1)
        write_whole(misp, events.encode())
    click.echo(
        f"{out}: {len(draft.authored):,} objects for {', '.join(draft.policy.recipients)} "
        f"(TLP:{draft.policy.tlp.upper()}), until {draft.valid_until}; contents {draft.contents}"
    )
    click.echo(f"sealed with {own.key.public} as {own.identity}")


def _show(draft: Draft) -> None:
    click.echo(f"Would leave ({len(draft.objects)} objects):")
    own = {each["id"] for each in draft.authored}
    for each in draft.objects:
        if each["id"] in own:
            click.echo(json.dumps(each, ensure_ascii=False, indent=1))
        else:
            click.echo(f"{each['id']}: {each['name']}, the same from everybody")
    click.echo(f"\nDropped{'' if draft.dropped else ': nothing'}")
    for dropped in draft.dropped:
        click.echo(f"  {dropped.field}: {dropped.why}")
    if draft.refused:
        click.echo("\nRefused: nothing of this may leave")
        for why in draft.refused:
            click.echo(f"  {why}")
    policy = draft.policy
    click.echo(
        f"\nTo {', '.join(policy.recipients)} (TLP:{policy.tlp.upper()}), for {policy.purpose}; "
        f"valid until {draft.valid_until}, to be deleted by {draft.retain_until}"
    )
    click.echo(f"contents {draft.contents}")


def _show_json(draft: Draft) -> None:
    click.echo(
        json.dumps(
            {
                "objects": draft.objects,
                "dropped": [{"field": each.field, "why": each.why} for each in draft.dropped],
                "refused": draft.refused,
                "contents": draft.contents,
                "policy": draft.policy.digest,
            },
            ensure_ascii=False,
        )
    )
