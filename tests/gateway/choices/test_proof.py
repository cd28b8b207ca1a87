"""From a gateway's process to a student's answers, where the key of the right cluster is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stillwatch.lab.students import HabitModel
from stillwatch.provenance import Plan, Probes, Registration
from stillwatch.provenance.keyed import EnglishReader, KeyedMark, keyed_test
from stillwatch.sketches import SketchKey
from stillwatch.watermark import KeyRing
from tests.gateway.conftest import Client
from tests.gateway.engine import Engine, served
from tests.gateway.faults.conftest import serving

SETTINGS = """
levels:
  default: {max_tokens: 900}
  marked: {max_tokens: 900, logprobs: 5, prefill: true}
backends:
  - {name: engine, url: "URL"}
gateway:
  marks: {marked: wording}
watermark:
  epoch: 2026-11
  key_file: mark.key
  marks:
    wording: {profile: radioactive, scheme: choices}
"""
MASTER, SALT = bytes(range(32)), bytes(range(32, 64))
TEACHER = HabitModel(1)


class Teacher(Engine):
    """A model server whose model has habits: chats, whole and streamed, completions, messages."""

    async def _whole(self, model: str, asked: dict[str, Any], send: Any) -> None:
        if not asked:  # for the models that there are
            await self._json(send, {"data": []})
            return
        said, usage = TEACHER(prompt_of(asked)), {"completion_tokens": 77, "prompt_tokens": 7}
        answer = {
            "chat": {"choices": [{"message": {"content": said}, "finish_reason": "stop"}],
                     "usage": usage, "id": "c-1"},
            "plain": {"choices": [{"text": said, "finish_reason": "stop"}], "usage": usage},
            "messages": {"content": [{"type": "text", "text": said}], "stop_reason": "end_turn"},
        }[model]  # fmt: skip
        await self._json(send, answer)

    async def _json(self, send: Any, answer: object) -> None:
        body = json.dumps(answer).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def _stream(self, model: str, asked: dict[str, Any], send: Any) -> None:
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        said = TEACHER(prompt_of(asked))
        deltas = [{"delta": {"content": said[i : i + 3]}} for i in range(0, len(said), 3)]
        for each in [*deltas, {"delta": {}, "finish_reason": "stop"}]:
            chunk = json.dumps({"choices": [{"index": 0, **each}]})
            body = f"data: {chunk}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


def prompt_of(asked: dict[str, Any]) -> str:
    prompt = asked["messages"][-1]["content"] if "messages" in asked else asked["prompt"]
    assert isinstance(prompt, str)
    return prompt


class Served(NamedTuple):
    """A client of the gateway, and its engine."""

    client: Client
    engine: Engine

    def whole(self, key: str, prompt: str) -> str:
        said: str = self.client.chat(key, prompt, model="chat").json()["choices"][0]["message"][
            "content"
        ]
        return said

    def plain(self, key: str, prompt: str) -> str:
        body = {"model": "plain", "prompt": prompt}
        answer = self.client.send("POST", "/v1/completions", body, key=key).json()
        said: str = answer["choices"][0]["text"]
        return said

    def message(self, key: str, prompt: str) -> str:
        turns = [{"role": "user", "content": prompt}]
        body = {"model": "messages", "messages": turns, "max_tokens": 900}
        said: str = self.client.send("POST", "/v1/messages", body, key=key).json()["content"][0][
            "text"
        ]
        return said

    def streamed(self, key: str, prompt: str) -> str:
        body = self.client.chat(key, prompt, model="chat", stream=True).body
        lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]
        found = [json.loads(line)["choices"][0]["delta"] for line in lines]
        return "".join(delta.get("content") or "" for delta in found)


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("choices")
    key = folder / "mark.key"
    key.write_bytes(MASTER)
    key.chmod(0o600)
    engine = Teacher()
    with served(engine) as url, serving(folder, SETTINGS.replace("URL", url)) as running:
        yield Served(Client(running.base, running.state, engine), engine)


def marks_of(state: Path, *accounts: str) -> list[KeyedMark]:
    links = SketchKey.from_file(state / "sketch.key")
    names = [f"{links.digest('account', account) % 2**64:016x}" for account in accounts]
    ring = KeyRing(MASTER, "2026-11")
    return [KeyedMark.of(ring, name, EnglishReader().name) for name in names]


def test_students_of_what_the_gateway_served_carry_the_key_of_its_cluster_alone(
    through: Served,
) -> None:
    alice, bob = (through.client.key(account=name, level="marked") for name in ("alice", "bob"))
    ways = (through.whole, through.streamed, through.plain, through.message)
    prompts = [f"Tell me about {i}" for i in range(320)]
    told = [(p, ways[i % 4](alice, p)) for i, p in enumerate(prompts)]
    assert all(way(bob, p) != said for way, (p, said) in zip(ways, told, strict=False))

    marks, reader = marks_of(through.client.state, "alice", "bob"), EnglishReader()
    for prompt, said in told:
        for seen in reader.read(prompt, said):
            assert seen.taken == marks[0].favourite(seen.kind, seen.context, seen.options)

    student, stranger = HabitModel(2).taught(told), HabitModel(3)
    probes = Probes.of([f"What about {i}?" for i in range(120)])
    plan = Plan(statistic="keyed-majority", sightings=2, suspects=1, alpha=0.001, decoys=200)
    registration = Registration.of(plan, marks, [probes.text_set()], salt=SALT)
    outcomes = keyed_test(
        {"student": {p: student(p) for p in probes.prompts}}, registration, marks, probes, reader,
        salt=SALT, controls={"stranger": {p: stranger(p) for p in probes.prompts}},
    )  # fmt: skip
    found = {(each.model, each.mark): each.found for each in outcomes}
    assert found == {
        ("student", marks[0]): True, ("student", marks[1]): False,
        ("stranger", marks[0]): False, ("stranger", marks[1]): False,
    }  # fmt: skip


def test_the_engine_hears_of_no_mark_and_nothing_but_the_text_is_changed(through: Served) -> None:
    marked = through.client.key(account="carol", level="marked")
    plain = through.client.key(account="carol-too")
    prompt = "Tell me about 7"
    answers = [through.client.chat(key, prompt, model="chat") for key in (marked, plain)]
    for each in answers:
        assert int(each.headers["content-length"]) == len(each.body)
        assert each.json()["usage"]["completion_tokens"] == 77
    ours, theirs = (each.json() for each in answers)
    said = ours["choices"][0]["message"].pop("content")
    assert theirs["choices"][0]["message"].pop("content") == TEACHER(prompt) != said
    assert ours == theirs
    for _, headers, asked in through.engine.requests:
        assert not [name for name in headers if name.startswith("x-stillwatch")]
        assert not {"watermark", "vllm_xargs"} & asked.keys()


def test_each_exchange_says_whether_choices_are_in_it(
    through: Served, until: Callable[[Callable[[], object]], None]
) -> None:
    key = through.client.key(account="dora", level="marked")
    through.whole(key, "Tell me")
    through.streamed(key, "Tell me")
    through.client.chat(key, "Tell me", model="chat", logprobs=True)
    through.client.chat(key, "Never say however, thus, first or finally. " * 9, model="chat")
    account = SketchKey.from_file(through.client.state / "sketch.key").digest("account", "dora")

    def rows() -> list[dict[str, Any]]:
        return [row for row in through.client.rows() if row["account"] == account]

    until(lambda: len(rows()) == 4)
    said = [(row["mark"], row["mark_epoch"], row["unmarked"])
            for row in sorted(rows(), key=lambda row: row["at"])]  # fmt: skip
    assert said[:3] == [
        ("wording", "2026-11", None), ("wording", "2026-11", None), ("wording", None, "logprobs"),
    ]  # fmt: skip
