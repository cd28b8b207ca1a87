"""GenAI spans as OTLP/JSON, as the samples have them; their schema is named in ``samples.py``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stillwatch.exchange import Message, RawExchange
from stillwatch.sources.columns import COLUMNS
from stillwatch.sources.opentelemetry import ATTRIBUTES

_PROMPT = "Why is the sky blue?"


@pytest.fixture
def read_span(read_lines: Any, samples: SimpleNamespace) -> Any:
    """Read a span with the sample's attributes, some replaced; ``...`` leaves one out."""

    def one(
        attributes: dict[str, Any] | None = None,
        events: list[tuple[str, dict[str, Any]]] | None = None,
        *,
        bare: bool = False,
        resource: dict[str, Any] | None = None,
    ) -> Any:
        least = {"gen_ai.request.model": "m", "user.id": "u"}
        given = (least if bare else samples.otel_attributes()) | (attributes or {})
        given = {name: value for name, value in given.items() if value is not ...}
        span = samples.otel_span(0, given, events)
        return read_lines(samples.otel_export(span, resource=resource), as_format="otel")

    return one


def test_every_column_that_a_span_fills_is_filled(read_span: Any) -> None:
    reading = read_span()
    assert reading.rows == [
        RawExchange(
            at=1_763_700_000_250_000,
            account="user-0",
            request_id="chatcmpl-00000000",
            end_user="customer-9",
            conversation="conv-0",
            ip="198.51.100.7",
            user_agent="OpenAI/Python 2.24.0",
            model="gpt-4o",
            endpoint="/v1/chat/completions",
            stream=True,
            temperature=0.2,
            top_p=1.0,
            n=2,
            max_tokens=256,
            tools=("look_up",),
            response_format="json",
            system="You are terse.",
            messages=(
                Message("user", _PROMPT),
                Message("assistant", 'look_up {"q": "sky"}'),
                Message("tool", '{"colour": "blue"}'),
            ),
            completion="Rayleigh scattering.",
            finish_reason="stop",
            status=200,
            prompt_tokens=9,
            cached_tokens=4,
            completion_tokens=12,
            reasoning_tokens=5,
            latency_ms=750,
        )
    ]
    assert (reading.rejects, reading.log.notes) == ([], ())


_TEXT_FORM = json.dumps([{"role": "user", "parts": [{"type": "text", "content": _PROMPT}]}])
_ANSWER = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "A."}]}])


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        ({"gen_ai.input.messages": _TEXT_FORM, "gen_ai.output.messages": _ANSWER}, []),
        (
            {},
            [
                (
                    "gen_ai.client.inference.operation.details",
                    {
                        "gen_ai.input.messages": json.loads(_TEXT_FORM),
                        "gen_ai.output.messages": json.loads(_ANSWER),
                    },
                )
            ],
        ),
        (
            {
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": _PROMPT,
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "A.",
                "gen_ai.completion.0.finish_reason": "stop",
            },
            [],
        ),
        (
            {},
            [
                (
                    "gen_ai.content.prompt",
                    {"gen_ai.prompt": json.dumps([{"role": "user", "content": _PROMPT}])},
                ),
                (
                    "gen_ai.content.completion",
                    {"gen_ai.completion": json.dumps([{"role": "assistant", "content": "A."}])},
                ),
            ],
        ),
        (
            {},
            [
                (
                    "gen_ai.user.message",
                    {"gen_ai.event.content": json.dumps({"role": "user", "content": _PROMPT})},
                ),
                (
                    "gen_ai.choice",
                    {
                        "gen_ai.event.content": json.dumps(
                            {"message": {"content": "A."}, "finish_reason": "stop", "index": 0}
                        )
                    },
                ),
            ],
        ),
        (
            {},
            [
                ("gen_ai.user.message", {"content": _PROMPT}),
                ("gen_ai.choice", {"message": '{"content": "A."}', "finish_reason": "stop"}),
            ],
        ),
    ],
    ids=["json", "details event", "indexed", "content events", "event content", "event fields"],
)
def test_text_is_found_in_every_generation_of_the_conventions(
    read_span: Any, attributes: dict[str, Any], events: Any
) -> None:
    reading = read_span(attributes, events, bare=True)
    assert reading.rejects == []
    (row,) = reading.rows
    assert row.messages == (Message("user", _PROMPT),)
    assert row.completion == "A."


def test_indexed_attributes_keep_their_order_and_their_calls(read_span: Any) -> None:
    attributes = {
        f"gen_ai.prompt.{n}.{key}": value
        for n in range(12)
        for key, value in {"role": "user", "content": f"turn {n}"}.items()
    }
    attributes |= {
        "gen_ai.prompt.12.role": "assistant",
        "gen_ai.prompt.12.tool_calls.0.name": "f",
        "gen_ai.prompt.12.tool_calls.0.arguments": "{}",
        "gen_ai.prompt.13.role": "tool",
        "gen_ai.prompt.13.content": "4",
        "llm.request.functions.0.name": "f",
        "llm.request.functions.0.parameters": "{}",
    }
    (row,) = read_span(attributes, bare=True).rows
    texts = [message.content for message in row.messages or ()]
    assert texts == [f"turn {n}" for n in range(12)] + ["f {}", "4"]
    assert row.tools == ("f",)


@pytest.mark.parametrize("text", ["Once upon", "[INST] x [/INST]", '{"sum": [1]}', "[1]", "{"])
def test_text_that_looks_like_json_stays_text(read_span: Any, text: str) -> None:
    (row,) = read_span({"gen_ai.prompt": text, "gen_ai.completion": text}, bare=True).rows
    assert (row.prompt, row.messages, row.completion) == (text, None, text)
    events = [("gen_ai.user.message", {"content": text}), ("gen_ai.choice", {"message": text})]
    (row,) = read_span({"gen_ai.system_instructions": text}, events, bare=True).rows
    assert (row.messages, row.system) == ((Message("user", text),), text)
    turns = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    (row,) = read_span({"gen_ai.input.messages": turns}).rows
    assert row.messages == (Message("user", text),)


def test_the_account_may_stand_on_the_resource(read_span: Any) -> None:
    (row,) = read_span({"user.id": ...}, resource={"tenant.id": "t"}).rows
    assert row.account == "customer-9"  # enduser.id of the span comes before its resource
    (row,) = read_span({"user.id": ..., "enduser.id": ...}, resource={"tenant.id": "t"}).rows
    assert row.account == "t"
    (reason,) = read_span({"user.id": ..., "enduser.id": ...}).reasons
    assert reason.startswith("no attribute names the account: set one of account.id, ")


def test_a_span_without_text_says_how_to_capture_it(read_span: Any) -> None:
    (reason,) = read_span(bare=True).reasons
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in reason


@pytest.mark.parametrize("operation", ["embeddings", "execute_tool", "invoke_agent"])
def test_spans_that_ask_for_no_text_are_left_out_and_counted(
    read_span: Any, operation: str
) -> None:
    reading = read_span({"gen_ai.operation.name": operation})
    assert (reading.rows, reading.rejects) == ([], [])
    assert reading.log.notes[0].startswith("spans that ask no model for text left out (1 time")


def test_spans_of_other_libraries_are_left_out(read_lines: Any, samples: SimpleNamespace) -> None:
    web = samples.otel_span(1, {"http.route": "/", "user.id": "u"})
    chat = samples.otel_span(2, samples.otel_attributes(2))
    reading = read_lines(samples.otel_export(web, chat, web), as_format="otel")
    assert len(reading.rows) == 1
    assert "(2 times" in reading.log.notes[0]


def test_many_spans_of_a_line_share_its_number(read_lines: Any, samples: SimpleNamespace) -> None:
    spans = [samples.otel_span(n, samples.otel_attributes(n)) for n in range(4)]
    spans[2]["attributes"] = "oops"
    spans[3] = 5
    other = {"resourceLogs": []}
    reading = read_lines(samples.otel_export(*spans), other, as_format="otel")
    assert len(reading.rows) == 2
    assert [(r.line, r.reason) for r in reading.rejects] == [
        (1, "'attributes' is text, not a list"),
        (1, "a span is a number, not an object"),
        (2, "the row is no export of spans: it has no 'resourceSpans'"),
    ]


def test_a_span_without_a_response_id_goes_by_its_own(read_span: Any) -> None:
    (row,) = read_span({"gen_ai.response.id": ...}).rows
    assert row.request_id == f"{0:032x}:{0:016x}"


def test_an_error_that_is_a_status_is_read_as_one(read_span: Any) -> None:
    absent = {"http.response.status_code": ...}
    assert read_span(absent | {"error.type": "429"}).rows[0].status == 429
    assert read_span(absent | {"error.type": "timeout"}).rows[0].status is None


def test_an_export_may_be_a_whole_file_packed_and_indented(
    tmp_path: Path, read: Any, samples: SimpleNamespace
) -> None:
    spans = [samples.otel_span(n, samples.otel_attributes(n)) for n in range(3)]
    path = tmp_path / "traces.json.gz"
    path.write_bytes(gzip.compress(json.dumps(samples.otel_export(*spans), indent=2).encode()))
    reading = read(path)
    assert (reading.log.format, len(reading.rows)) == ("otel", 3)


def test_attributes_fill_columns_that_exist() -> None:
    assert set(ATTRIBUTES) <= {column.name for column in COLUMNS}
