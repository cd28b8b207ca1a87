"""Bundles: of an honest signer, and of one who changes something and signs it again."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.lab.students import HabitModel
from stillwatch.ledger import SigningKey
from stillwatch.provenance import ask
from stillwatch.provenance.bundle import Draft, Sealed, keyed_part, seal
from stillwatch.provenance.bundle.envelope import Envelope, Statement, Subject
from stillwatch.provenance.committing import commit_plan
from tests.provenance.bundle.drafts import Measured, Radioactive
from tests.provenance.keyed.conftest import MARKS, PROBES, SALT, registered, served

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))


class Bench:
    """What is needed to seal a bundle, in a folder."""

    def __init__(self, folder: Path, **settings: object) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.state = folder, folder / "state"
        self.registration = registered(suspects=2, **settings)
        self.files = []
        student = HabitModel(2).taught(served(300))
        self.commitment = commit_plan(self.registration, self.state, by="ana")
        for name, model in (("suspect-7b", student), ("other-a", HabitModel(3))):
            ask(model, PROBES.prompts, folder / f"{name}.jsonl", model=name, workers=1)
            self.files.append(folder / f"{name}.jsonl")

    def keyed(self, **more: Any) -> Draft:
        settings: dict[str, Any] = {
            "salt": SALT, "suspects": self.files[:1], "controls": self.files[1:],
            "commitment": self.commitment, "open_keys": True,
        }  # fmt: skip
        return keyed_part(self.registration, MARKS, PROBES, **(settings | more))

    def seal(self, name: str = "bundle", **more: Any) -> Sealed:
        return seal(self.folder / name, [self.keyed(**more)], signing_key=KEY)


def sign_again(
    bundle: Path, change: Callable[[dict[str, Any]], None] = lambda predicate: None
) -> None:
    """A new statement over the files as they are now, by the holder of the key."""
    envelope = Envelope.parse((bundle / "statement.json").read_bytes())
    old = envelope.statement()
    predicate = dict(old.predicate)
    change(predicate)
    names = sorted(
        str(path.relative_to(bundle)) for path in bundle.rglob("*")
        if path.is_file() and path.name != "statement.json"
    )  # fmt: skip
    subjects = tuple(
        Subject(name, {"sha256": hashlib.sha256((bundle / name).read_bytes()).hexdigest()})
        for name in names
    )
    new = Statement(
        subject=subjects, predicate_type=old.predicate_type,
        predicate=msgspec.to_builtins(predicate),
    )  # fmt: skip
    (bundle / "statement.json").write_bytes(Envelope.signed(new, KEY).encoded())


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def radioactive(tmp_path_factory: pytest.TempPathFactory) -> Radioactive:
    return Radioactive(tmp_path_factory.mktemp("radioactive") / "here")


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return Measured(tmp_path_factory.mktemp("measured") / "here")


@pytest.fixture(scope="session")
def parts(bench: Bench, radioactive: Radioactive, measured: Measured) -> dict[str, Draft]:
    """One of each kind, as small as it shows something."""
    return {
        "keyed": bench.keyed(),
        "radioactivity": radioactive.open,
        "refusals": measured.refusals,
        "neutrality": measured.neutrality(with_transcripts=True),
        "capability": measured.capability,
        "triage": measured.triage(with_transcripts=True),
    }


@pytest.fixture(scope="session")
def whole(bench: Bench, parts: dict[str, Draft]) -> Sealed:
    """All kinds in one bundle."""
    return seal(bench.folder / "whole", list(parts.values()), signing_key=KEY)


@pytest.fixture(scope="session")
def sealed(bench: Bench) -> Sealed:
    return bench.seal()


@pytest.fixture
def bundle(sealed: Sealed, tmp_path: Path) -> Path:
    """A copy of a sound one, to be spoilt."""
    shutil.copytree(sealed.path, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def copy(whole: Sealed, tmp_path: Path) -> Path:
    shutil.copytree(whole.path, tmp_path / "whole")
    return tmp_path / "whole"


def folder(bundle: Path, kind: str) -> Path:
    [found] = bundle.glob(f"*-{kind}")
    return found


def plain(bundle: Path) -> str:
    text = re.sub(r"<[^>]+>", "", (bundle / "report.html").read_text())
    return re.sub(r"\s+", " ", html.unescape(text))
