"""A sharing policy is read with a line for each mistake, and lets nothing through by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.errors import SettingsError
from stillwatch.intel.policy import FIELDS, Policy, read_policy
from stillwatch.intel.profile import Tlp
from tests.intel.conftest import POLICY


def read(folder: Path, text: str) -> Policy:
    file = folder / "policy.yaml"
    file.write_text(text)
    return read_policy(file)


def test_what_is_not_said_is_strict(tmp_path: Path) -> None:
    policy = read(tmp_path, POLICY)
    assert policy.tlp is Tlp.AMBER
    assert policy.fields <= set(FIELDS)
    assert "evidence_head" not in policy.fields
    assert (policy.k, policy.sharers) == (5, 2)
    least = policy.minimum
    assert (least.families, least.level, least.verdict) == (2, 0.05, "upheld")


def test_the_digest_is_of_what_it_says_and_not_of_how(tmp_path: Path) -> None:
    first = read(tmp_path, POLICY)
    again = read(tmp_path, "# another day\n" + POLICY.replace("[provider-b]", "['provider-b']"))
    other = read(tmp_path, POLICY.replace("amber", "red"))
    assert first.digest == again.digest != other.digest


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("payment, device", "payment, ip", "ip' never leaves: there are 2"),
        ("payment, device", "payment, prompts", "prompts' is none of"),
        ("payment, device", "payment, payment", "twice"),
        ("tlp: amber", "tlp: white", "tlp"),
        ("[provider-b]", "[]", "recipients"),
        ("valid_days: 30", "valid_days: 0", "valid_days"),
        ("retention_days: 60", "retention_days: 29", "retention_days"),
        ("purpose: preventing model distillation", "purpose: ''", "purpose"),
        ("responses: [slow]", "k: 1", "k'"),
        ("responses: [slow]", "responces: [slow]", "did you mean 'responses'"),
        ("responses: [slow]", "minimum: {verdict: maybe}", "verdict"),
        ("responses: [slow]", "minimum: {false_positives: 0.0}", "false_positives"),
        ("responses: [slow]", "buckets: {money: 1}", "money"),
        ("sharing:", "sharings:", "sharing"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(tmp_path, POLICY.replace(old, new))
    assert told in str(raised.value)
    assert raised.value.line is not None


@pytest.mark.parametrize("key", ["name", "tlp", "recipients", "purpose", "legal_basis",
                                 "valid_days", "retention_days", "fields"])  # fmt: skip
def test_nothing_that_matters_has_a_default(tmp_path: Path, key: str) -> None:
    text = POLICY.replace(f"  {key}:", f"  # {key}:")
    text = text.replace("           linkage", "           # linkage") if key == "fields" else text
    with pytest.raises(SettingsError, match=key):
        read(tmp_path, "\n".join(
            line for line in text.splitlines() if not (key == "fields" and line.startswith("     "))
        ))  # fmt: skip
