"""Who we are to others comes from the settings, and what is said beside them wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.errors import IntelError, SettingsError
from stillwatch.intel import CommunityKey
from stillwatch.intel.exporting import read_own
from stillwatch.ledger import SigningKey


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    key = tmp_path / "seal.key"
    key.write_bytes(b"s" * 32)
    key.chmod(0o600)
    CommunityKey("fmf", "1", bytes(32)).write(tmp_path / "community.json")
    file = tmp_path / "stillwatch.yaml"
    file.write_text(
        "intel:\n  name: provider-a\n  key: seal.key\n  community: community.json\n"
        "  policy: policy.yaml\n  blocking: {}\n"
    )
    return file


def test_paths_are_relative_to_the_file(settings: Path) -> None:
    own = read_own(settings)
    assert own.name == "provider-a"
    assert own.key.public == SigningKey(b"s" * 32).public
    assert own.policy == settings.parent / "policy.yaml"
    assert own.community is not None
    assert own.community.community == "fmf"


def test_an_identity_is_made_of_the_key_or_said(settings: Path) -> None:
    made = read_own(settings).identity
    assert made == read_own(settings, name="another").identity
    said = "identity--11111111-1111-4111-8111-111111111111"
    settings.write_text(settings.read_text() + f"  identity: {said}\n")
    assert read_own(settings).identity == said != made


def test_what_is_said_beside_the_file_wins(settings: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_bytes(b"t" * 32)
    other.chmod(0o600)
    own = read_own(settings, name="b", key=other, policy=Path("p.yaml"), otherwise=tmp_path / "no")
    assert (own.name, own.policy) == ("b", Path("p.yaml"))
    assert own.key.public == SigningKey(b"t" * 32).public


def test_a_mistake_in_the_settings_is_told_with_its_line(settings: Path) -> None:
    text = settings.read_text()
    for line in ("  identity: me\n", "  comunity: x\n"):
        settings.write_text(text + line)
        with pytest.raises(SettingsError) as raised:
            read_own(settings)
        assert raised.value.line == 7


def test_nobody_speaks_without_a_name_and_a_key(settings: Path, tmp_path: Path) -> None:
    with pytest.raises(IntelError, match="--as"):
        read_own(None, key=tmp_path / "seal.key")
    with pytest.raises(IntelError, match="--key"):
        read_own(None, name="a")
    assert read_own(None, name="a", otherwise=tmp_path / "seal.key").community is None
