"""Marks that engines put on by themselves are under the same keys, and their files are private."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.watermark import GLOBAL, GumbelMark, KeyRing, SglangMark
from stillwatch.watermark.hooks import Marks, MarkSettings
from stillwatch.watermark.hooks.native import sglang_config, vllm_config
from stillwatch.watermark.hooks.sglang import SCHEME, injected, watermark_field
from tests.cli.in_process import run

ALICE = "a" * 16
SETTINGS = """
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    provenance: {profile: provenance, context: 3}
    radioactive: {profile: radioactive}
"""


def key(marks: Marks, cluster: str) -> str:
    return f"{marks.key_of(cluster, SCHEME).value:016x}"


def test_vllm_gets_the_key_that_the_mark_is_found_under(marks: Marks) -> None:
    mark = marks.mark_for("provenance").mark
    assert isinstance(mark, GumbelMark)
    assert vllm_config(marks, "provenance") == {
        "key": mark.key.value, "algorithm": "gumbel", "prf": "philox", "context_width": 4,
        "deduplicate_contexts": "single_turn",
    }  # fmt: skip


@pytest.mark.parametrize("settings", [
    MarkSettings(profile="radioactive"), MarkSettings(profile="both"),
    MarkSettings(profile="provenance", prf="premix-v1"),
])  # fmt: skip
def test_vllm_by_itself_is_refused_what_it_cannot_put_on(settings: MarkSettings) -> None:
    with pytest.raises(InputError, match="'provenance' and that function, or a hook"):
        vllm_config(Marks(KeyRing(bytes(32), "e"), {"it": settings}), "it")


def test_sglang_has_the_global_key_and_requests_bring_those_of_clusters(marks: Marks) -> None:
    assert sglang_config(marks, "provenance") == {"key": key(marks, GLOBAL), "context_window": 4}
    assert sglang_config(marks, "radioactive") == {"context_window": 1}
    both = sglang_config(marks, "both")
    assert both == {
        "key": key(marks, "unassigned"), "key_b": key(marks, GLOBAL), "mixing_probability": 0.625,
        "context_window": 2,
    }  # fmt: skip
    field = watermark_field(marks, "both", "normal", ALICE)
    assert field == {"enabled": True, "context_window": 2, "key": key(marks, ALICE)}
    assert len({both["key"], both["key_b"], key(marks, ALICE)}) == 3


def test_a_key_for_sglangs_function_is_no_key_of_another(marks: Marks) -> None:
    mark = marks.mark_for("radioactive", cluster=ALICE).mark
    assert isinstance(mark, GumbelMark)
    assert marks.key_of(ALICE, SCHEME).value != mark.key.value


def test_what_sglang_puts_on_is_what_the_mark_with_its_function_finds() -> None:
    """The same keys, contexts and share, from the same settings."""
    ring = KeyRing(bytes(range(32)), "2026-11")
    settings = {
        "one": MarkSettings(profile="radioactive", prf="murmur3-32-sglang-v1", context=2),
        "two": MarkSettings(profile="both", prf="murmur3-32-sglang-v1", context=2, share=0.25),
    }
    marks = Marks(ring, settings)
    one, two = (marks.mark_for(name, cluster=ALICE).mark for name in settings)
    assert isinstance(one, GumbelMark)
    assert isinstance(two, SglangMark)
    field, config = watermark_field(marks, "two", cluster=ALICE), sglang_config(marks, "two")
    assert field == watermark_field(marks, "one", cluster=ALICE)
    assert field == {"enabled": True, "context_window": 2, "key": f"{one.key.value:016x}"}
    assert two.cluster_mark == one
    assert config["key_b"] == f"{two.global_mark.key.value:016x}"
    assert config["context_window"] == two.global_mark.context == 2
    assert config["mixing_probability"] == 0.75 == 1 - two.share


@pytest.mark.parametrize("settings", [
    MarkSettings(profile="radioactive", scheme="tournament"),
    MarkSettings(profile="both", scheme="tournament"),
    MarkSettings(profile="provenance", entropy_floor=0.5),
])  # fmt: skip
def test_sglang_is_not_asked_for_what_it_does_not_have(settings: MarkSettings) -> None:
    marks = Marks(KeyRing(bytes(32), "e"), {"it": settings})
    assert watermark_field(marks, "it", cluster=ALICE) == "scheme"
    with pytest.raises(InputError, match="'gumbel'"):
        sglang_config(marks, "it")


CLAIM: dict[str, object] = {"key": "beef", "enabled": False}
VALUES: list[object] = [
    None, 3, "watermark", CLAIM, [CLAIM], {"watermark": CLAIM}, {"watermark": None, "n": 1},
    [{"watermark": CLAIM}, {"top_k": 2}], [[{"watermark": CLAIM}]], {},
]  # fmt: skip
CLAIMED = st.dictionaries(
    st.sampled_from(["watermark", "sampling_params", "model", "n"]), st.sampled_from(VALUES)
)


@given(request=CLAIMED, field=st.none() | st.just({"enabled": True, "key": "00ff"}))
def test_whatever_a_client_says_about_its_mark_is_gone(
    request: dict[str, object], field: dict[str, object] | None
) -> None:
    before = json.dumps(request)
    sent = injected(request, field)
    assert sent.get("watermark") == field
    assert '"watermark":' not in json.dumps(sent.get("sampling_params"))
    rest = {k: v for k, v in request.items() if k not in ("watermark", "sampling_params")}
    assert {k: sent[k] for k in rest} == rest
    assert json.dumps(request) == before


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "mark.key").write_bytes(bytes(range(32)))
    (tmp_path / "mark.key").chmod(0o600)
    (tmp_path / "stillwatch.yaml").write_text(SETTINGS)
    return tmp_path / "stillwatch.yaml"


def test_the_command_prints_what_vllm_takes(settings: Path) -> None:
    said = run("mark", "vllm-config", "--settings", settings, "--mark", "provenance")
    assert said.returncode == 0
    config = json.loads(said.stdout)
    assert config["key"] == KeyRing(bytes(range(32)), "2026-11").key(GLOBAL).value
    assert config["context_width"] == 3


def test_the_command_writes_a_private_file_and_never_over_another(
    settings: Path, tmp_path: Path
) -> None:
    for engine, top in (("vllm-config", "watermark-config"), ("sglang-config", "key")):
        words = ("mark", engine, "--settings", settings, "--mark", "provenance",
                 "--out", tmp_path / f"{engine}.yaml")  # fmt: skip
        assert run(*words).stdout == ""
        written = tmp_path / f"{engine}.yaml"
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
        assert top in json.loads(written.read_text())
        again = run(*words)
        assert (again.returncode, "never overwritten" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "words"), [("x", "there is no mark 'x'"), ("radioactive", "one key for everybody")]
)
def test_the_command_says_what_cannot_be(settings: Path, name: str, words: str) -> None:
    said = run("mark", "vllm-config", "--settings", settings, "--mark", name)
    assert said.returncode == 2
    assert words in said.stderr
