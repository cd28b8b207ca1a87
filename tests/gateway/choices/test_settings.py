"""Marks of choices in the settings: who reads them, and what is refused with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stillwatch.access import Backend, Decision
from stillwatch.errors import KeyFileError, SettingsError
from stillwatch.gateway import read_gateway
from stillwatch.gateway.mark_fields import Written, written
from stillwatch.gateway.marking import CLUSTER, HEADER, asked_of
from stillwatch.watermark import KeyRing
from stillwatch.watermark.choices import EnglishReader, KeyedMark
from stillwatch.watermark.hooks import Marks, MarkSettings

SETTINGS = """
levels: {default: {max_tokens: 9}}
backends: [{name: engine, url: "http://127.0.0.1:9"}]
gateway:
  marks: {default: wording}
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    wording: {profile: radioactive, scheme: choices}
"""
MASTER = bytes(range(32))


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    key = tmp_path / "mark.key"
    key.write_bytes(MASTER)
    key.chmod(0o600)
    path = tmp_path / "stillwatch.yaml"
    path.write_text(SETTINGS)
    return path


def test_where_a_mark_is_of_choices_the_gateway_has_its_keys(settings: Path) -> None:
    marks = read_gateway(settings).mark_keys
    assert marks is not None
    mark = marks.chosen_for("wording", "normal", "c-1")
    assert mark == KeyedMark.of(KeyRing(MASTER, "2026-11"), "c-1", EnglishReader().name)


def test_keys_that_nobody_needs_are_not_read(settings: Path) -> None:
    settings.write_text(SETTINGS.replace(", scheme: choices", ""))
    (settings.parent / "mark.key").unlink()
    assert read_gateway(settings).mark_keys is None
    settings.write_text(re.sub(r"gateway:\n.*\n", "", SETTINGS))
    assert read_gateway(settings).mark_keys is None


def test_without_its_key_a_gateway_that_is_to_write_does_not_start(settings: Path) -> None:
    (settings.parent / "mark.key").unlink()
    with pytest.raises(KeyFileError):
        read_gateway(settings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("profile: both, scheme: choices", "'provenance' or 'radioactive'"),
        ("profile: radioactive, scheme: choices, context: 2", "context has no meaning; leave it"),
        ("profile: radioactive, scheme: choices, prf: premix-v1", "prf has no meaning"),
        ("profile: radioactive, scheme: choices, entropy_floor: 0.5", "entropy_floor has no"),
        ("profile: radioactive, scheme: choices, strong: loud", "'loud', and there is none"),
        ("profile: radioactive, scheme: choises", "there are gumbel, tournament, choices"),
    ],
)
def test_a_mistake_is_named_with_its_line(settings: Path, wrong: str, message: str) -> None:
    more = f"    other: {{{wrong}}}\n"
    settings.write_text(SETTINGS + more)
    with pytest.raises(SettingsError, match=message) as raised:
        read_gateway(settings)
    assert raised.value.line in (10, 11)


def test_engines_are_told_nothing_of_a_mark_that_is_not_theirs() -> None:
    marks = Marks(
        KeyRing(MASTER, "2026-11"),
        {"wording": MarkSettings(profile="radioactive", scheme="choices"),
         "tokens": MarkSettings(profile="radioactive", strong="wording")},
    )  # fmt: skip
    ours, strong = Decision(mark="wording"), Decision(mark="tokens", mark_strength="strong")
    for decision in (ours, strong):
        assert asked_of(decision, "c-1", marks) == {}
        for told in ("vllm", "sglang", "header"):
            backend = Backend(name="b", url="http://127.0.0.1:9", marks=told)
            got = written(b"{}", backend, decision, "c-1", path="/v1/completions", marks=marks)
            assert got == Written(b"{}")
    assert asked_of(Decision(mark="tokens"), "c-1", marks) == {
        HEADER: "tokens;normal", CLUSTER: "c-1",
    }  # fmt: skip
    assert marks.mark_for("wording", "normal", "c-1").reason == "choices"
