"""What every dialect promises, asked of each of them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.access import CLOSED, OPEN, Refusal, Surface
from stillwatch.access.granting import bounded, exceeding, reduced
from stillwatch.gateway.dialects.bodies import NEVER_FORWARDED
from stillwatch.gateway.dialects.dialect import Dialect, Incoming, UnreadableError

from .samples import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    GENERATED,
    RESPONSES,
    SAMPLES,
    SURFACES,
    Sample,
    requests,
    unhurried,
)

REFUSAL = Refusal(status=403, code="model_not_allowed", message="Ask for another", rule="level")
every_dialect = pytest.mark.parametrize("sample", SAMPLES, ids=repr)
#: Those with a field that holds any JSON.
TYPED = [s for s in SAMPLES if {"tools", "response_format"} & s.more.keys()]
every_generating = pytest.mark.parametrize("sample", GENERATED, ids=repr)


def body(sample: Sample, **fields: Any) -> bytes:
    return json.dumps(sample.least | fields).encode()


@every_dialect
def test_what_is_granted_in_full_is_asked_again_word_for_word(sample: Sample) -> None:
    dialect = sample.dialect
    incoming = dialect.read(json.dumps(sample.least).encode())
    assert json.loads(dialect.write(incoming, incoming.asked)) == sample.least
    assert exceeding(incoming.asked, sample.shows) == ()


@every_dialect
@unhurried
@given(st.data(), SURFACES)
def test_no_request_goes_upstream_that_asks_more_than_was_granted(
    sample: Sample, data: st.DataObject, surface: Surface
) -> None:
    dialect = sample.dialect
    incoming = dialect.read(data.draw(requests(sample)))
    granted, _ = reduced(incoming.asked, surface)
    try:
        written = dialect.write(incoming, granted)
    except UnreadableError as error:
        beyond = error.parameter
    else:
        beyond = None
    if (
        beyond is not None
    ):  # what cannot be made smaller: prefilled answers alone, lists of prompts, vectors
        assert beyond in ("messages", "prompt", "input")
        return
    again = dialect.read(written).asked
    assert exceeding(again, surface) == ()
    assert again.max_tokens == granted.max_tokens
    assert again.temperature == granted.temperature
    assert again.n <= granted.n
    assert again.model == granted.model


@every_dialect
@unhurried
@given(st.data())
def test_what_is_granted_in_full_reads_as_it_did(sample: Sample, data: st.DataObject) -> None:
    dialect = sample.dialect
    incoming = dialect.read(data.draw(requests(sample)))
    again = dialect.read(dialect.write(incoming, incoming.asked))
    assert without_size(again) == without_size(incoming)


def without_size(incoming: Incoming) -> dict[str, Any]:
    return {
        name: getattr(incoming.asked, name)
        for name in incoming.asked.__struct_fields__
        if name != "prompt_tokens"
    }


@every_dialect
def test_a_key_that_stands_twice_means_one_thing(sample: Sample) -> None:
    dialect = sample.dialect
    twice = b'{"model": "cheap", ' + json.dumps(sample.least).encode()[1:]
    incoming = dialect.read(twice)
    written = dialect.write(incoming, incoming.asked)
    assert incoming.asked.model == "m"
    assert written.count(b'"model"') == 1
    assert b"cheap" not in written


@pytest.mark.parametrize("sample", TYPED, ids=repr)
def test_a_key_that_stands_twice_deep_within_means_one_thing(sample: Sample) -> None:
    tools = b'"tools": [{"type": "function", "name": "hidden", "name": "seen"}]'
    if "tools" not in sample.more:
        tools = b'"response_format": {"type": "hidden", "type": "text"}'
    raw = b"{" + tools + b", " + json.dumps(sample.least).encode()[1:]
    incoming = sample.dialect.read(raw)
    assert b"hidden" not in sample.dialect.write(incoming, incoming.asked)


@every_dialect
def test_unknown_fields_are_named_and_pass_only_when_granted(sample: Sample) -> None:
    dialect = sample.dialect
    incoming = dialect.read(body(sample, beam_width=3, hidden_states=[True]))
    assert incoming.asked.unknown_fields == ("beam_width", "hidden_states")
    assert exceeding(incoming.asked, sample.shows) == ("beam_width", "hidden_states")
    assert json.loads(dialect.write(incoming, incoming.asked))["beam_width"] == 3
    less, _ = reduced(incoming.asked, sample.shows)
    assert json.loads(dialect.write(incoming, less)) == sample.least


@every_dialect
@pytest.mark.parametrize("field", sorted(NEVER_FORWARDED))
def test_fields_that_reach_the_mark_never_pass(sample: Sample, field: str) -> None:
    dialect = sample.dialect
    incoming = dialect.read(body(sample, **{field: "x"}))
    assert incoming.stripped == (field,)
    assert incoming.asked.unknown_fields == ()
    assert json.loads(dialect.write(incoming, incoming.asked)) == sample.least


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s is not EMBEDDINGS], ids=repr)
def test_an_unknown_field_within_another_is_refused_with_its_path(sample: Sample) -> None:
    held = next(name for name in ("messages", "input", "prompt") if name in sample.least)
    fields: dict[str, Any] = {held: [{"role": "user", "content": "a", "odd": 1}]}
    path = f"{held}[0].odd"
    if held == "prompt":
        fields = {"stream_options": {"odd": 1}}
        path = "stream_options.odd"
    with pytest.raises(UnreadableError) as caught:
        sample.dialect.read(body(sample, **fields))
    assert caught.value.parameter == path


@pytest.mark.parametrize("sample", [s for s in SAMPLES if not s.generated], ids=repr)
def test_what_generates_nothing_has_no_choices_no_cap_and_no_stream(sample: Sample) -> None:
    dialect = sample.dialect
    asked = dialect.read(json.dumps(sample.least).encode()).asked
    assert (asked.n, asked.stream, asked.max_tokens) == (0, False, None)
    assert bounded(asked, Surface(max_tokens=9, min_temperature=2.0)) == (asked, ())
    streamed = dialect.read(body(sample, stream=True))
    assert streamed.asked.unknown_fields == ("stream",)
    with pytest.raises(UnreadableError):
        dialect.stream(streamed, OPEN)


BAD = [
    b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b'{"model": "\xed\xa0\x80"}',
    b"[" * 100_000, b'{"a":' * 100_000, b'{"model": NaN}', b'{"model": "m", "x": Infinity}',
    b'{"model": "\\ud800"}', b'{"model": 1e999}', b'{"prompt": "a"}',
]  # fmt: skip
WRONG: list[tuple[str, str]] = [
    ("model", "3"), ("model", "null"), ("messages", "3"), ("messages", "null"), ("prompt", "{}"),
    ("input", "3"), ("input", "{}"), ("tools", "3"), ("thinking", "3"),
]  # fmt: skip
WRONG_OF_MODELS: list[tuple[str, str]] = [
    ("max_tokens", "-1"), ("max_tokens", "1.5"),
    ("max_tokens", '"9"'), ("max_tokens", "9" * 5000), ("temperature", "NaN"),
    ("temperature", "1e999"), ("temperature", '"hot"'), ("stream", "1"), ("top_k", "true"),
]  # fmt: skip
WRONG_OF_OPENAI = [
    ("n", "-1"), ("n", "0"), ("best_of", "0"), ("logit_bias", '{"a": 1}'),
    ("logit_bias", '{"٣": 1}'), ("logit_bias", '{"9999999999": 1}'), ("logit_bias", "[1]"),
    ("response_format", "3"), ("response_format", '{"type": 3}'), ("seed", "1.5"),
    ("prompt_logprobs", "-1"), ("allowed_token_ids", "[-1]"), ("stop", "3"),
]  # fmt: skip


@every_dialect
@pytest.mark.parametrize("raw", BAD, ids=lambda raw: raw[:30])
def test_a_body_that_is_no_request_is_unreadable(sample: Sample, raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        sample.dialect.read(raw)


@every_dialect
@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_value_of_a_known_field_that_is_none_is_unreadable(
    sample: Sample, field: str, value: str
) -> None:
    if field in sample.least or field in sample.more:
        test_a_value_that_is_none_is_unreadable(sample, field, value)


@every_generating
@pytest.mark.parametrize(("field", "value"), WRONG_OF_MODELS)
def test_a_value_that_is_none_is_unreadable(sample: Sample, field: str, value: str) -> None:
    if field == "max_tokens" and sample is RESPONSES:
        field = "max_output_tokens"
    rest = {k: v for k, v in sample.least.items() if k != field}
    raw = b"{" + f'"{field}": {value}, '.encode() + json.dumps(rest).encode()[1:]
    with pytest.raises(UnreadableError):
        sample.dialect.read(raw)


@pytest.mark.parametrize("sample", [CHAT, COMPLETIONS], ids=repr)
@pytest.mark.parametrize(("field", "value"), WRONG_OF_OPENAI)
def test_a_value_that_is_none_for_a_sampler_is_unreadable(
    sample: Sample, field: str, value: str
) -> None:
    test_a_value_that_is_none_is_unreadable(sample, field, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@every_dialect
@unhurried
@given(st.data())
def test_whatever_stands_in_a_field_is_read_or_unreadable(
    sample: Sample, data: st.DataObject
) -> None:
    names = sorted({*sample.more, *sample.least, "system", "stop", "metadata", "user"})
    changed = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4))
    raw = json.dumps(sample.least | changed).encode()
    try_all(sample, raw[: data.draw(st.integers(0, len(raw)))])
    try_all(sample, raw)


@every_dialect
@unhurried
@given(st.binary(max_size=60))
def test_random_bytes_are_unreadable_not_an_accident(sample: Sample, raw: bytes) -> None:
    try_all(sample, raw)


@every_dialect
@pytest.mark.parametrize("depth", [100, 400, 900, 990, 100_000])
@pytest.mark.parametrize("field", ["tools", "response_format", "strange", "messages", "container"])
def test_deep_nesting_is_read_or_unreadable(sample: Sample, field: str, depth: int) -> None:
    rest = json.dumps({k: v for k, v in sample.least.items() if k != field}).encode()[1:]
    for left, right in ((b"[", b"]"), (b'{"a":', b"}")):
        inner = left * depth + (b"1" if right == b"}" else b"") + right * depth
        try_all(sample, b'{"%b": %b, ' % (field.encode(), inner) + rest)


def try_all(sample: Sample, raw: bytes) -> None:
    """Read, write and scrub: nothing but an UnreadableError may come of it."""
    dialect = sample.dialect
    with suppress(UnreadableError):
        incoming = dialect.read(raw)
        dialect.write(incoming, incoming.asked)
        dialect.write(incoming, reduced(incoming.asked, CLOSED)[0])
    incoming = dialect.read(json.dumps(sample.least).encode())
    with suppress(UnreadableError):
        dialect.scrub(raw, incoming, OPEN)
    if sample.generated:
        with suppress(UnreadableError):
            dialect.stream(incoming, OPEN).event(None, raw)


@every_dialect
@unhurried
@given(st.data())
def test_whatever_an_upstream_answers_is_rebuilt_or_unreadable(
    sample: Sample, data: st.DataObject
) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(sample.answer)), JSON, max_size=3))
    try_all(sample, json.dumps(sample.answer | changed).encode())


@every_dialect
def test_an_answer_within_the_surface_passes_as_it_is(sample: Sample) -> None:
    dialect = sample.dialect
    incoming = dialect.read(json.dumps(sample.least).encode())
    answer = dialect.scrub(json.dumps(sample.answer).encode(), incoming, sample.shows)
    assert json.loads(answer.body) == sample.answer


@every_generating
def test_an_answer_tells_its_text_and_its_usage(sample: Sample) -> None:
    dialect = sample.dialect
    incoming = dialect.read(json.dumps(sample.least).encode())
    answer = dialect.scrub(json.dumps(sample.answer).encode(), incoming, CLOSED)
    assert (answer.told.completion, answer.told.model) == ("Hi", "m")
    assert (answer.told.prompt_tokens, answer.told.completion_tokens) == (3, 2)


@every_dialect
def test_a_refusal_is_json_with_the_message(sample: Sample) -> None:
    dialect: Dialect = sample.dialect
    error = json.loads(dialect.refusal(REFUSAL))["error"]
    assert error["message"] == "Ask for another"
    assert error["type"] == "permission_error"
    event = dialect.failure(REFUSAL)
    assert event.endswith(b"\n\n")
    assert json.loads(event.partition(b"data: ")[2])["error"] == error


@every_generating
def test_nothing_passes_after_the_end_of_a_stream(sample: Sample) -> None:
    dialect = sample.dialect
    scrubber = dialect.stream(dialect.read(json.dumps(sample.least).encode()), OPEN)
    last = {"type": "response.completed", "response": sample.answer, "sequence_number": 0}
    ends = {"anthropic": b'{"type": "message_stop"}', "openai_responses": json.dumps(last).encode()}
    end = ends.get(dialect.name, b"[DONE]")
    out = scrubber.event(None, end).removesuffix(b"\n\n").partition(b"data: ")[2]
    assert out == end or json.loads(out) == json.loads(end)
    assert scrubber.ended
    assert scrubber.event(None, json.dumps(sample.answer).encode()) == b""


@every_generating
def test_an_error_of_the_upstream_in_mid_stream_ends_it(sample: Sample) -> None:
    dialect = sample.dialect
    scrubber = dialect.stream(dialect.read(json.dumps(sample.least).encode()), OPEN)
    with pytest.raises(UnreadableError):
        scrubber.event("error", b'{"type": "error", "error": {"message": "/srv/model fell over"}}')
