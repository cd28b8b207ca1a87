"""One campaign, logged by three programs: whichever wrote the log, it is found."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.exchange import RawExchange
from tests.campaigns.logs import Log
from tests.cli.running import campaigns, scan, source

_SAMPLES = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "samples.py"))
MEMBERS = {f"pool-{number}" for number in range(30)}


@pytest.fixture(scope="module")
def exchanges() -> list[RawExchange]:
    """A hundred and fifty people and a pool of thirty accounts with a grammar."""
    log = Log(11)
    log.people(150)
    log.pool(30)
    return sorted(log.rows, key=lambda row: row.at)


def as_litellm(row: RawExchange, number: int) -> dict[str, Any]:
    """What LiteLLM's proxy would have logged of `row`; it knows no payment."""
    payload: dict[str, Any] = _SAMPLES["litellm_payload"](number)
    people = payload["metadata"] | {
        "user_api_key_user_id": row.account,
        "user_api_key_hash": f"hash-of-{row.account}",
        "user_api_key_team_id": None,
        "requester_ip_address": None,
    }
    return payload | {
        "id": row.request_id,
        "session_id": f"session-{number}",
        "startTime": row.at / 1e6,
        "endTime": row.at / 1e6 + 0.5,
        "metadata": people,
        "requester_ip_address": None,
        "end_user": None,
        "messages": [{"role": "user", "content": row.prompt}],
        "response": {"choices": [{"message": {"content": f"answer {number}"}}]},
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
    }


def as_span(row: RawExchange, number: int) -> dict[str, Any]:
    """What an OpenTelemetry exporter would have sent of `row`, one export a span."""
    attributes: dict[str, Any] = _SAMPLES["otel_attributes"](number) | {
        "gen_ai.conversation.id": f"conversation-{number}",
        "gen_ai.response.id": row.request_id,
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": row.prompt}]}
        ],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": f"answer {number}"}]}
        ],
        "gen_ai.usage.input_tokens": row.prompt_tokens,
        "gen_ai.usage.output_tokens": row.completion_tokens,
        "user.id": row.account,
    }
    for unknown in ("client.address", "enduser.id"):
        del attributes[unknown]
    span = _SAMPLES["otel_span"](number, attributes)
    span["startTimeUnixNano"] = str(row.at * 1000)
    span["endTimeUnixNano"] = str(row.at * 1000 + 500_000_000)
    return _SAMPLES["otel_export"](span)  # type: ignore[no-any-return]


@pytest.mark.parametrize("convert", [as_litellm, as_span])
@pytest.mark.slow
def test_a_campaign_in_the_log_of_another_program_is_found(
    exchanges: list[RawExchange],
    convert: Callable[[RawExchange, int], dict[str, Any]],
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.jsonl"
    with log.open("w") as file:
        file.writelines(json.dumps(convert(row, n)) + "\n" for n, row in enumerate(exchanges))
    ended = scan(log, tmp_path / "out")
    assert ended.returncode == 3, ended.stderr
    (found,) = campaigns(tmp_path / "out")
    assert len(MEMBERS & set(found["accounts"])) >= 27
    assert set(found["accounts"]) <= MEMBERS
    about = source(tmp_path / "out")
    assert (about["rows"], about["rejected"]) == (len(exchanges), 0)
