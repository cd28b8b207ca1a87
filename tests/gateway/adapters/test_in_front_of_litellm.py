"""The five minutes of the README, in front of an OpenAI-compatible server that is not ours: LiteLLM
as a server, with a model that answers always the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import openai
import pytest

from tests.gateway.adapters.proxy import MASTER_KEY, proxy

pytestmark = pytest.mark.service

ANSWER = "A still distils what it is fed."
SERVER = {
    "model_list": [
        {
            "model_name": "small",
            "litellm_params": {"model": "openai/small", "api_key": "x", "mock_response": ANSWER},
        }
    ],
    "general_settings": {"master_key": MASTER_KEY},
}
STILLWATCH = [sys.executable, "-m", "stillwatch"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    folder = tmp_path_factory.mktemp("five-minutes")
    state = folder / "state"
    made = subprocess.run(
        [*STILLWATCH, "keys", "create", "--state", state, "--account", "alice"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    with proxy(folder, SERVER, {}) as server:
        server.wait()
        serving = [*STILLWATCH, "serve", "--upstream", server.base, "--port", "0", "--state", state]
        gateway = subprocess.Popen(
            serving,
            env={**os.environ, "STILLWATCH_UPSTREAM_KEY": MASTER_KEY},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert gateway.stderr is not None
        line = next(line for line in gateway.stderr if line.startswith("serving "))
        try:
            yield openai.OpenAI(
                base_url=line.split()[1] + "/v1", api_key=made.stdout.strip(), max_retries=0
            )
        finally:
            gateway.terminate()
            assert gateway.wait(60) == 0
            gateway.stderr.close()


QUESTION = [{"role": "user", "content": "What is a still?"}]


def test_the_model_answers(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="small", messages=QUESTION)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == ANSWER
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


def test_the_model_answers_word_by_word(client: openai.OpenAI) -> None:
    parts = client.chat.completions.create(model="small", messages=QUESTION, stream=True)  # type: ignore[call-overload]
    texts = [part.choices[0].delta.content or "" for part in parts if part.choices]
    assert "".join(texts) == ANSWER
    assert len(texts) > 1


def test_what_the_default_level_does_not_show_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="small", messages=QUESTION, logprobs=True)  # type: ignore[arg-type]
    assert refused.value.code == "beyond_level"


def test_the_model_is_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["small"]
