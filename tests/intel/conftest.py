"""A provider with a log, a case that people upheld, a policy, and the keys to share it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stillwatch.cases import open_cases
from stillwatch.intel import CommunityKey
from stillwatch.intel.exporting import Choice, Draft, Own, prepare
from stillwatch.intel.policy import read_policy
from stillwatch.ledger import Ledger, SigningKey
from tests.cases.conftest import ANA, BO, LOOKED, SCAN, draft, finding

__all__ = ["MEMBERS", "NOW", "POLICY", "Provider", "provider", "random_token"]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MEMBERS = tuple(f"acct-{n}" for n in range(12))
#: on the allow-list of nobody: named by the scan, and not by the verdict
ACQUITTED = "acct-11"
TEMPLATE = (
    "Work through the following competition problem with extreme care, writing every intermediate "
    "deduction on its own line before you commit to a final boxed answer. Problem {n}: {what}"
)
POLICY = """\
sharing:
  name: frontier
  tlp: amber
  recipients: [provider-b]
  purpose: preventing model distillation
  legal_basis: legitimate interests
  valid_days: 30
  retention_days: 60
  fields: [window, accounts, exchanges, tokens, extraction_family, capabilities, parameters,
           linkage, response, confidence, facts, inference, infrastructure, payment, device,
           toolset, system, template]
  responses: [slow]
"""
OTHERS = 700


def random_token(*parts: object) -> str:
    """A value that nobody guesses, the same every time."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def rows() -> Iterator[dict[str, Any]]:
    """Twelve accounts share a wording, payments and a network; 700 others share nothing."""
    for n, account in enumerate(MEMBERS):
        for turn in range(3):
            yield {
                "at": f"2026-09-{1 + n:02d}T{turn + 8:02d}:00:00Z",
                "account": account,
                "prompt": TEMPLATE.format(n=n * 7 + turn, what=random_token("problem", n, turn)),
                "payment": "pm_" + random_token("card", n // 3),
                "device": "4242424242424242" if n < 6 else random_token("device", n),
                "ip": f"203.0.113.{n // 4}",
                "temperature": 0.6,
            }
    for n in range(OTHERS):
        yield {
            "at": "2026-09-02T10:00:00Z",
            "account": f"honest-{n}",
            "prompt": " ".join(random_token("word", n, i)[:7] for i in range(24)),
            "payment": "pm_" + random_token("other", n),
            "ip": f"198.51.100.{n % 250}",
            "temperature": 1.0,
        }


@dataclass
class Provider:
    """What an export needs, and a way to make one."""

    folder: Path
    case: str
    own: Own
    policy: Path
    log: Path
    choice: Choice = field(default_factory=Choice)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def draft(self, now: datetime = NOW, *, log: bool = True, **changes: str) -> Draft:
        """A draft under the policy in which each key of `changes` is replaced by its value."""
        text = self.policy.read_text()
        for old, new in changes.items():
            lines = [line for line in text.splitlines() if not line.startswith(f"  {old}:")]
            if old == "fields":
                lines = [line for line in lines if not line.startswith("           ")]
            text = "\n".join([*lines, f"  {old}: {new}"]) + "\n"
        file = self.folder / "changed.yaml"
        file.write_text(text)
        return prepare(
            str(self.state), self.state, self.case, self.own, read_policy(file), now,
            logs=[str(self.log)] if log else [], choice=self.choice,
        )  # fmt: skip


def made(
    folder: Path, *, upheld: bool = True, allowed: str | None = None, withdrawn: bool = False,
    **fields: Any,
) -> Provider:  # fmt: skip
    """In `folder`; `allowed` is an account that is on the allow-list."""
    state = folder / "state"
    with open_cases(state, create=True) as cases:
        if allowed is not None:
            cases.registry.allow(allowed, "evaluator", 7 * 86_400, "a contract", ANA)
        found = finding(accounts=list(MEMBERS), exchanges=36, tokens=12_345, **fields)
        (case,) = cases.intake.open([found], SCAN).opened
        if upheld:
            cases.desk.claim(case, ANA)
            cases.desk.add(case, ANA, LOOKED)
            chosen = tuple(name for name in MEMBERS if name != ACQUITTED)
            cases.bench.propose(case, ANA, draft(accounts=chosen))
            if cases.desk.case(case).pending is not None:
                cases.bench.approve(case, BO)
        if withdrawn:
            cases.intake.open([finding(event="withdrawn", reason="part of another")], SCAN)
        with Ledger.open(state, create=True) as ledger:
            cases.deliver(ledger)
    log = folder / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    key = SigningKey.from_file(state / "ledger.key")
    own = Own(
        "provider-a",
        "identity--11111111-1111-4111-8111-111111111111",
        key,
        CommunityKey("fmf", "2026-q4", bytes(range(32))),
        policy,
    )
    return Provider(folder, case, own, policy, log)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """A provider that is only read; whoever writes takes :func:`provider`."""
    return made(tmp_path_factory.mktemp("provider"))


@pytest.fixture
def provider(tmp_path: Path, built: Provider) -> Callable[..., Provider]:
    """Makes a provider of one's own, with other fields of the finding where they are given."""

    def make(**fields: Any) -> Provider:
        if fields:
            return made(tmp_path, **fields)
        shutil.copytree(built.folder, tmp_path, dirs_exist_ok=True)
        inside = {"policy": tmp_path / "policy.yaml", "log": tmp_path / "log.jsonl"}
        return replace(built, folder=tmp_path, choice=Choice(), **inside)

    return make
