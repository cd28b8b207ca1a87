"""From what the gateway says to a mark: names, clusters, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch.errors import KeyFileError, SettingsError
from stillwatch.watermark import GLOBAL, GatedMark, GumbelMark, KeyRing, LayeredMark, TournamentMark
from stillwatch.watermark.hooks import Found, Label, Marks, MarkSettings
from stillwatch.watermark.hooks.reading import CONFIG, marks_from_environment, read_marks

ALICE, BOB = "00000000000000a1", "00000000000000b0"
SETTINGS = """
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    radioactive: {profile: radioactive, context: 2, strong: both}
    both: {profile: both, share: 0.25, global_context: 3, prf: premix-v1}
"""


def gumbel(found: Found) -> GumbelMark:
    assert isinstance(found.mark, GumbelMark)
    return found.mark


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    key = tmp_path / "mark.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    path = tmp_path / "stillwatch.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("radioactive;normal", Label("radioactive")),
        (f"radioactive;strong;{ALICE}", Label("radioactive", "strong", ALICE)),
        ("radioactive", None),
        ("radioactive;loud", None),
        (f"radioactive;normal;{ALICE};x", None),
        ("radioactive;normal;*", None),
        ("radioactive;normal;", None),
        ("radio active;normal", None),
        ("radioactive;normal\n", None),
        ("é;normal", None),
    ],
)
def test_a_label_is_read_as_a_whole_or_not_at_all(text: str, label: Label | None) -> None:
    assert Label.read(text) == label
    if label is not None:
        assert str(label) == text


def test_a_label_comes_in_two_headers_and_a_mark_can_bring_no_cluster_along() -> None:
    mark = {"x-stillwatch-mark": "both;normal"}
    assert Label.of_headers(mark) == Label("both")
    assert Label.of_headers({**mark, "x-stillwatch-cluster": BOB}) == Label("both", "normal", BOB)
    assert Label.of_headers({"x-stillwatch-cluster": BOB}) is None
    assert Label.of_headers({"x-stillwatch-mark": f"both;normal;{ALICE}"}) is None
    assert Label.of_headers({**mark, "x-stillwatch-cluster": "*"}) is None


def test_provenance_is_one_key_for_everybody_and_radioactive_one_for_each_cluster(
    marks: Marks,
) -> None:
    everybody = gumbel(marks.mark_for("provenance", cluster=ALICE))
    assert (everybody.key.cluster, everybody.context) == (GLOBAL, 4)
    assert marks.mark_for("provenance").mark == everybody
    alices, bobs = (gumbel(marks.mark_for("radioactive", cluster=c)) for c in (ALICE, BOB))
    assert (alices.key.cluster, alices.context) == (ALICE, 1)
    assert len({everybody.key.value, alices.key.value, bobs.key.value}) == 3


def test_both_has_a_layer_of_each(marks: Marks) -> None:
    both = marks.mark_for("both", cluster=ALICE).mark
    assert isinstance(both, LayeredMark)
    assert both.global_mark.key == gumbel(marks.mark_for("provenance")).key
    assert both.cluster_mark.key == gumbel(marks.mark_for("radioactive", cluster=ALICE)).key
    assert (both.global_mark.context, both.cluster_mark.context) == (4, 2)


def test_strong_is_another_mark_where_the_settings_name_one(marks: Marks) -> None:
    assert gumbel(marks.mark_for("provenance", "strong", ALICE)).key.cluster == ALICE
    radioactive = marks.mark_for("radioactive", cluster=ALICE)
    assert marks.mark_for("radioactive", "strong", ALICE) == radioactive


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (Label("unheard-of", "normal", ALICE), "unknown mark"),
        (Label("radioactive", "loud", ALICE), "unknown strength"),
        (Label("radioactive"), "no cluster"),
        (Label("both"), "no cluster"),
        (Label("radioactive", "normal", "*"), "unknown cluster"),
        (Label("provenance", "strong"), "no cluster"),
        (None, "not asked for"),
    ],
)
def test_what_is_missing_is_a_reason_to_go_without(
    marks: Marks, label: Label | None, reason: str
) -> None:
    assert marks.of(label) == Found(None, "2026-11", reason)


def test_the_answer_is_what_the_gateway_reads(marks: Marks) -> None:
    from stillwatch.gateway.marking import Marked, marked_by

    due = Marked("radioactive")
    for cluster, become in (
        (ALICE, Marked("radioactive", epoch="2026-11")),
        (None, Marked("radioactive", unmarked="no cluster")),
    ):
        label = Label("radioactive", "normal", cluster)
        told = {"x-stillwatch-mark": marks.of(label).answer(label)}
        assert marked_by(due, told) == become


def test_marks_are_read_from_the_settings(
    settings: Path, monkeypatch: pytest.MonkeyPatch, marks: Marks
) -> None:
    read = read_marks(settings)
    assert (read.epoch, read.names) == ("2026-11", ("radioactive", "both"))
    mark = gumbel(read.mark_for("radioactive", cluster=ALICE))
    assert mark.context == 2
    assert mark.key == gumbel(marks.mark_for("radioactive", cluster=ALICE)).key
    both = read.mark_for("radioactive", "strong", ALICE).mark
    assert isinstance(both, LayeredMark)
    assert (both.share, both.global_mark.context, both.cluster_mark.context) == (0.25, 3, 1)
    assert gumbel(Found(both.cluster_mark)).prf == "premix-v1"
    monkeypatch.setenv(CONFIG, str(settings))
    assert marks_from_environment().names == read.names
    monkeypatch.delenv(CONFIG)
    with pytest.raises(SettingsError, match=CONFIG):
        marks_from_environment()


def test_the_key_may_stand_in_the_environment(
    settings: Path, monkeypatch: pytest.MonkeyPatch, marks: Marks
) -> None:
    settings.write_text(SETTINGS.replace("  key_file: mark.key\n", ""))
    with pytest.raises(KeyFileError, match="STILLWATCH_MARK_KEY"):
        read_marks(settings)
    monkeypatch.setenv("STILLWATCH_MARK_KEY", bytes(range(32)).hex())
    found = read_marks(settings).mark_for("radioactive", cluster=ALICE)
    assert gumbel(found).key == gumbel(marks.mark_for("radioactive", cluster=ALICE)).key


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("profile: both", "profile: all", "no profile 'all'"),
        ("context: 2", "context: 0", "at least one token"),
        ("share: 0.25", "share: 1", "between 0 and 1"),
        ("premix-v1", "sha-1", "no keyed function 'sha-1'"),
        ("profile: both", "profile: both, scheme: dice", "no scheme 'dice'"),
        ("profile: both", "profile: both, entropy_floor: -0.1", "entropy floor"),
        ("premix-v1", "murmur3-32-sglang-v1, scheme: tournament", "scheme is 'gumbel'"),
        ("premix-v1", "murmur3-32-sglang-v1, entropy_floor: 0.5", "no entropy floor"),
        ("strong: both", "strong: loud", "names 'loud', and there is none"),
        ("share:", "shares:", "did you mean 'share'"),
        ("  epoch: 2026-11\n", "", "needs 'epoch'"),
        ("epoch: 2026-11", "epoch: ''", "needs a name"),
        ("key_file", "keyfile", "did you mean 'key_file'"),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    settings: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, message: str
) -> None:
    monkeypatch.setenv("STILLWATCH_MARK_KEY", bytes(range(32)).hex())
    settings.write_text(SETTINGS.replace(before, after))
    with pytest.raises(SettingsError, match=message):
        read_marks(settings)


def test_settings_without_marks_are_a_mistake(settings: Path) -> None:
    settings.write_text("watermark: {epoch: x, key_file: mark.key}")
    with pytest.raises(SettingsError, match="at least one mark"):
        read_marks(settings)


def test_a_scheme_has_keys_of_its_own_and_a_floor_makes_a_gate(settings: Path) -> None:
    settings.write_text(SETTINGS.replace("context: 2", "scheme: tournament, entropy_floor: 0.25"))
    marks = read_marks(settings)
    mark = marks.mark_for("radioactive", cluster=ALICE).mark
    assert isinstance(mark, GatedMark)
    assert mark.entropy_floor == 0.25
    assert isinstance(mark.mark, TournamentMark)
    assert mark.key == KeyRing(bytes(range(32)), "2026-11").key(ALICE, "tournament")
    assert mark.context == 1


@pytest.mark.parametrize("wrong", [{"global_context": 0}, {"share": 0.0}])
def test_settings_check_themselves(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"context|share"):
        MarkSettings(profile="both", **wrong)  # type: ignore[arg-type]


def test_looking_up_and_configuring_load_no_engine() -> None:
    hooks = "stillwatch.watermark.hooks"
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {hooks}.reading, {hooks}.native, {hooks}.vllm_rows;"
         "print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    loaded = {name.partition(".")[0] for name in told.stdout.split()}
    assert "stillwatch" in loaded
    assert not loaded & {"torch", "transformers", "vllm", "sglang", "pyarrow", "duckdb", "aiohttp"}
