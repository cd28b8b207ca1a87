"""Engines whose hooks see no headers hear of the mark in the body; nobody else can speak there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access import Backend, Decision
from stillwatch.errors import SettingsError
from stillwatch.gateway import read_gateway
from stillwatch.gateway.mark_fields import VLLM_ARGUMENT, Written, written
from stillwatch.sketches import SketchKey
from stillwatch.watermark import KeyRing
from stillwatch.watermark.hooks import Label, Marks, MarkSettings
from stillwatch.watermark.hooks.label import ARGUMENT
from tests.gateway.conftest import Client, gateway_at
from tests.gateway.engine import Engine

SETTINGS = """
levels:
  default: {max_tokens: 64}
  marked: {max_tokens: 64, unknown_fields: true}
  global: {max_tokens: 64}
backends:
  - {name: plain, url: "URL", models: ["plain"]}
  - {name: vllm, url: "URL", models: ["vllm"], marks: vllm}
  - {name: sglang, url: "URL", models: ["sglang"], marks: sglang}
gateway:
  marks: {marked: radioactive, global: provenance}
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    radioactive: {profile: radioactive, context: 2}
    provenance: {profile: provenance}
"""
MASTER = bytes(range(32))
#: every way in which a client could try to speak for the gateway
CLAIMS: dict[str, Any] = {
    "vllm_xargs": {"stillwatch_mark": "provenance;normal", "x": 1},
    "watermark": {"key": "00ff", "enabled": False},
    "watermarking": False, "extra_args": {"stillwatch_mark": "x;normal"},
    "custom_params": {"watermark": {"enabled": False}},
}  # fmt: skip


@pytest.fixture(scope="module")
def marking(
    engine: tuple[Engine, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("marking")
    settings = write(folder, SETTINGS.replace("URL", engine[1]))
    with gateway_at(folder / "state", settings) as base:
        yield Client(base, folder / "state", engine[0])


def write(folder: Path, settings: str) -> Path:
    (folder / "mark.key").write_bytes(MASTER)
    (folder / "mark.key").chmod(0o600)
    path = folder / "stillwatch.yaml"
    path.write_text(settings)
    return path


def sent(marking: Client, key: str, model: str, **fields: Any) -> tuple[dict[str, str], Any]:
    """Headers and body, as the engine got them."""
    assert marking.chat(key, model=model, **fields).status == 200
    _, headers, body = marking.engine.requests[-1]
    return headers, body


def label(marking: Client, account: str) -> str:
    digest = SketchKey.from_file(marking.state / "sketch.key").digest("account", account)
    return f"{digest % 2**64:016x}"


def key_of(cluster: str) -> str:
    return f"{KeyRing(MASTER, '2026-11').key(cluster, 'gumbel-murmur3').value:016x}"


@pytest.mark.parametrize("claims", [{}, CLAIMS])
def test_each_engine_is_told_in_its_own_words_whatever_the_client_claims(
    marking: Client, claims: dict[str, Any]
) -> None:
    key, who = marking.key(account="alice", level="marked"), label(marking, "alice")
    for model, field in (
        ("plain", {}),
        ("vllm", {"vllm_xargs": {"stillwatch_mark": f"radioactive;normal;{who}"}}),
        ("sglang", {"watermark": {"enabled": True, "context_window": 2, "key": key_of(who)}}),
    ):
        headers, body = sent(marking, key, model, **claims)
        assert headers["x-stillwatch-mark"] == "radioactive;normal"
        assert headers["x-stillwatch-cluster"] == who
        assert {name: body.get(name) for name in field} == field
        assert not body.keys() & (CLAIMS.keys() - field.keys())


def test_where_no_mark_is_due_the_body_says_nothing(marking: Client) -> None:
    key = marking.key(account="plain")
    for model in ("plain", "vllm", "sglang"):
        headers, body = sent(marking, key, model, watermark={"enabled": True})
        assert not {name for name in headers if name.startswith("x-stillwatch")}
        assert not body.keys() & CLAIMS.keys()


def test_the_global_key_stays_in_the_engine(marking: Client) -> None:
    key = marking.key(account="alice", level="global")
    _, body = sent(marking, key, "sglang")
    assert body["watermark"] == {"enabled": True, "context_window": 4}


def test_linked_accounts_share_a_key_and_others_have_the_digest_of_their_exchanges(
    marking: Client,
) -> None:
    keys = [
        marking.key(account=name, level="marked", cluster=cluster)
        for name, cluster in (("a", None), ("b", "ring"), ("c", "ring"))
    ]
    told = [sent(marking, key, "vllm")[0]["x-stillwatch-cluster"] for key in keys]
    assert told == [label(marking, "a"), label(marking, "ring"), label(marking, "ring")]


MARKS = Marks(KeyRing(MASTER, "2026-11"), {"radioactive": MarkSettings(profile="radioactive")})
BODY = b'{"model":"m"}'


def put(engine: Any, mark: str | None, path: str = "/v1/completions", **more: Any) -> Written:
    backend = Backend(name="b", url="http://b", marks=engine)
    return written(BODY, backend, Decision(mark=mark), "ab", path=path, **more)


def test_sglang_takes_no_mark_on_its_anthropic_route_and_the_exchange_says_so() -> None:
    assert put("sglang", "radioactive", "/v1/messages", marks=MARKS) == Written(BODY, "route")


def test_an_exchange_says_that_its_engine_could_not_be_told(
    marking: Client, until: Callable[[Callable[[], object]], None]
) -> None:
    key = marking.key(account="routed", level="marked")
    body = {"model": "sglang", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    marking.send("POST", "/v1/messages", body, key=key)  # whose answer is none of that dialect
    assert "watermark" not in marking.engine.requests[-1][2]
    account = SketchKey.from_file(marking.state / "sketch.key").digest("account", "routed")

    def rows() -> list[dict[str, Any]]:
        return [row for row in marking.rows() if row["account"] == account]

    until(lambda: len(rows()) == 1)
    assert [(row["mark"], row["unmarked"]) for row in rows()] == [("radioactive", "route")]


def test_a_mark_that_cannot_be_put_on_has_a_reason() -> None:
    assert put("sglang", "unheard-of", marks=MARKS) == Written(BODY, "unknown mark")
    assert put("sglang", "radioactive") == Written(BODY, "no keys")


def test_vllm_takes_the_mark_on_every_route_and_its_hook_reads_what_was_written() -> None:
    body = json.loads(put("vllm", "radioactive", "/v1/messages").body)
    assert VLLM_ARGUMENT == ARGUMENT
    assert Label.read(body["vllm_xargs"][ARGUMENT]) == Label("radioactive", "normal", "ab")
    assert body["model"] == "m"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("marks: sglang", "marks: triton", "'backends.*.marks' is 'triton'.*header, vllm, sglang"),
        ("global: provenance", "global: proof", "no mark 'proof' under 'watermark: marks'"),
        ("global: provenance", "global: a b", "'a b' is no name of a mark"),
        ("  epoch: 2026-11\n", "", "needs 'epoch'"),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = SETTINGS.replace("URL", "http://127.0.0.1:9").replace(before, after)
    with pytest.raises(SettingsError, match=message):
        read_gateway(write(tmp_path, text))


def test_without_an_engine_that_takes_keys_the_gateway_reads_none(tmp_path: Path) -> None:
    text = SETTINGS.replace("URL", "http://127.0.0.1:9").replace("marks: sglang", "marks: header")
    path = write(tmp_path, text)
    (tmp_path / "mark.key").unlink()
    assert read_gateway(path).mark_keys is None
