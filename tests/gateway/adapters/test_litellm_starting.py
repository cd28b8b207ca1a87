"""LiteLLM with Stillwatch in it begins as it should, or lets nobody in; and it ends with nothing
lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from tests.gateway.adapters.proxy import MASTER_KEY, JSONClient, proxy, settings, statuses
from tests.gateway.engine import Engine

pytestmark = pytest.mark.service

CHAT = "/v1/chat/completions"


def test_what_was_served_is_on_disk_when_the_proxy_has_ended(
    engine: tuple[Engine, str], tmp_path: Path
) -> None:
    with proxy(tmp_path, *settings(engine[1])) as process:
        client = JSONClient(process.wait().base, tmp_path / "state", engine[0])
        secret = client.key()
        assert client.chat(secret, model="last").status == 200
        process.process.terminate()
        process.process.wait(60)
    assert statuses(client, "last") == [200]


@pytest.mark.parametrize("without", ["guardrails", "custom_auth"])
def test_one_half_without_the_other_refuses_everything(
    engine: tuple[Engine, str], tmp_path: Path, without: str
) -> None:
    litellm, stillwatch = settings(engine[1])
    if without == "guardrails":
        del litellm["guardrails"]
    else:
        del litellm["general_settings"]["custom_auth"]
    database = open_database(tmp_path / "state", create=True)
    secret, _ = KeyStore(database).create(account="alice")
    database.close()
    before = len(engine[0].requests)
    with proxy(tmp_path, litellm, stillwatch) as process:
        client = JSONClient(process.wait().base, tmp_path / "state", engine[0])
        used = secret if without == "guardrails" else MASTER_KEY
        assert client.chat(used).status == 503
    assert [r for r in engine[0].requests[before:] if r[0] == CHAT] == []


def test_litellm_does_not_start_with_settings_that_cannot_be_read(
    engine: tuple[Engine, str], tmp_path: Path
) -> None:
    litellm, stillwatch = settings(engine[1])
    stillwatch["levels"] = {"default": {"max_tokens": "many"}}
    with proxy(tmp_path, litellm, stillwatch) as process:
        assert process.process.wait(120) != 0
        assert "max_tokens" in process.log()
