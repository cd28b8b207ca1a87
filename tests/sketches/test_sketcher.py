"""Whole rows: schema, identifiers, conversations, odd input."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest

from stillwatch.exchange import SCHEMA, Message, RawExchange
from stillwatch.sketches import Sketcher, SketchKey

FULL = RawExchange(
    at=1_700_000_000_000_000, account="acme", prompt="why is the sky blue at noon", request_id="r1",
    org="o", key="k", end_user="u", conversation="c", channel="api", tenant_kind="research",
    ip="192.0.2.1", asn=64500, country="NO", ja4="j", user_agent="ua", accept_language="en",
    payment="p", device="d", email_domain="example.org", registered_at=1, blocked_at=2, model="m",
    endpoint="/v1", stream=True, temperature=0.5, top_p=0.9, n=2, max_tokens=100, logprobs=True,
    top_logprobs=5, logit_bias=3, tools=("lookup", "run"), response_format="text", prefill="Sure",
    system="be kind", reasoning="high", completion="because of the way that light scatters",
    finish_reason="stop", status=200, prompt_tokens=10, cached_tokens=4, completion_tokens=9,
    reasoning_tokens=1, latency_ms=250,
)  # fmt: skip


def row(**fields: object) -> RawExchange:
    return RawExchange(**{"at": 0, "account": "a", "prompt": "hello", **fields})  # type: ignore[arg-type]


def test_a_batch_has_the_schema_of_the_exchange(sketcher: Sketcher) -> None:
    for rows in ([], [FULL], [FULL, row(), row(prompt=None, messages=())]):
        batch = sketcher.sketch(rows)
        batch.validate(full=True)
        assert batch.schema.equals(SCHEMA, check_metadata=True)
        assert batch.num_rows == len(rows)
        for field in SCHEMA:
            assert field.nullable or batch[field.name].null_count == 0, field.name


def test_what_the_log_says_is_taken_over_and_what_it_does_not_say_is_null(
    sketcher: Sketcher,
) -> None:
    full, bare = sketcher.sketch([FULL, row()]).to_pylist()
    for name in ("asn", "country", "model", "stream", "n", "top_logprobs", "logit_bias", "status",
                 "latency_ms", "reasoning", "channel"):  # fmt: skip
        assert full[name] == getattr(FULL, name)
    assert full["temperature"] == pytest.approx(0.5)
    assert full["at"].timestamp() == 1_700_000_000
    assert full["tools"] == 2
    assert full["prefill"] is True
    computed = {"at", "request", "account", "content", "turns", "cells", "shingles", "topic",
                "words", "chars", "script", "code_share", "shape", "asks"}  # fmt: skip
    assert {name for name, value in bare.items() if value is not None} == computed


def test_no_column_shows_an_identifier_or_a_word(sketcher: Sketcher) -> None:
    shown = str(list(sketcher.sketch([FULL]).to_pylist()[0].values()))
    for word in ("acme", "192.0.2.1", "example.org", "lookup", "sky", "kind", "scatters", "Sure"):
        assert word not in shown


def test_identifiers_are_digests_under_their_own_purpose(
    sketcher: Sketcher, key: SketchKey
) -> None:
    made = sketcher.sketch([FULL, FULL]).to_pylist()
    for name in ("account", "org", "key", "end_user", "conversation", "ip", "ja4", "device"):
        assert made[0][name] == made[1][name] == key.digest(name, getattr(FULL, name))
    assert made[0]["request"] == key.digest("request", "r1")
    assert made[0]["toolset"] == key.digest("toolset", "lookup\nrun")
    assert made[0]["system"] == key.digest("system", "be kind")


def test_an_empty_identifier_is_unknown(sketcher: Sketcher) -> None:
    made = sketcher.sketch([row(ip="", org="o", system="")]).to_pylist()[0]
    assert made["ip"] is None
    assert made["system"] is None
    assert made["org"] is not None


def test_requests_without_an_id_are_told_apart_by_account_time_and_content(
    sketcher: Sketcher,
) -> None:
    rows = [row(), row(at=1), row(account="b"), row(prompt="other"), row()]
    requests = sketcher.sketch(rows)["request"].to_pylist()
    assert len(set(requests)) == 4
    assert requests[0] == requests[4]


def test_the_fold_splits_requests_in_halves(sketcher: Sketcher) -> None:
    requests = sketcher.sketch([row(request_id=f"r{n}") for n in range(2_000)])["request"]
    folds = Counter(request & 1 for request in requests.to_pylist())
    assert 900 < folds[0] < 1_100


def test_rows_do_not_depend_on_their_batch(sketcher: Sketcher) -> None:
    rows = [FULL, row(prompt="think step by step please " * 3), row(),
            row(prompt=None, messages=(Message("user", "why is it so, and since when"),)),
            row(prompt="请一步一步地思考这个问题"),
            row(completion="it is so because it was so before")]  # fmt: skip
    whole = sketcher.sketch(rows).to_pylist()
    assert [sketcher.sketch([one]).to_pylist()[0] for one in rows] == whole
    assert sketcher.sketch(rows[::-1]).to_pylist() == whole[::-1]


def test_only_what_follows_the_last_answer_is_new(sketcher: Sketcher) -> None:
    turns = (
        Message("system", "be kind to them all"),
        Message("user", "an old question that was answered long ago"),
        Message("assistant", "an old answer to it"),
        Message("user", "what is the price"),
        Message("tool", "of this house here"),
    )
    asked = row(prompt=None, messages=turns)
    same = row(prompt="what is the price\nof this house here", system="be kind to them all")
    made, expected = sketcher.sketch([asked, same]).to_pylist()
    for column in ("content", "cells", "shingles", "words", "chars", "topic", "system"):
        assert made[column] == expected[column], column
    assert made["turns"] == 5
    assert expected["turns"] == 1


def test_a_system_field_that_repeats_the_system_message_counts_once(sketcher: Sketcher) -> None:
    turns = (Message("system", "be kind"), Message("user", "hello"))
    once, twice = sketcher.sketch(
        [row(prompt=None, messages=turns), row(prompt=None, messages=turns, system="be kind")]
    ).to_pylist()
    assert once["words"] == twice["words"] == 3
    assert once["system"] == twice["system"]


def test_a_conversation_that_goes_on_keeps_its_prefixes(sketcher: Sketcher) -> None:
    def talk(turns: int, first: str = "hello") -> RawExchange:
        texts = [first, *(f"turn {n}" for n in range(1, turns))]
        roles = ["user", "assistant"] * turns
        return row(prompt=None, messages=tuple(map(Message, roles, texts)))

    short, longer, other = sketcher.sketch([talk(3), talk(5), talk(5, "hi")])[
        "prefixes"
    ].to_pylist()
    assert longer[:3] == short
    assert not set(other) & set(longer)
    long = sketcher.sketch([talk(40)])["prefixes"][0].as_py()
    assert len(long) == 16
    assert sketcher.sketch([talk(39)])["prefixes"][0].as_py()[1:] == long[:-1]


def test_the_role_is_part_of_a_prefix(sketcher: Sketcher) -> None:
    rows = [row(prompt=None, messages=(Message(role, "hello"),)) for role in ("user", "tool")]
    one, other = sketcher.sketch(rows)["prefixes"].to_pylist()
    assert one != other


def test_a_conversation_without_messages_has_no_prefix_but_is_no_prompt(sketcher: Sketcher) -> None:
    made = sketcher.sketch([row(prompt=None, messages=()), row()]).to_pylist()
    assert made[0]["prefixes"] == []
    assert made[1]["prefixes"] is None


def test_an_empty_answer_is_not_an_unknown_one(sketcher: Sketcher) -> None:
    made = sketcher.sketch([row(completion=""), row()])["output_shingles"].to_pylist()
    assert made == [[], None]


def test_lone_surrogates_and_nul_pass(sketcher: Sketcher) -> None:
    odd = row(
        prompt="a \ud800 b \x00 c d e f g", model="m\udfff", account="\ud800",
        completion="\udc00 x", system="\ud800", messages=None,
    )  # fmt: skip
    batch = sketcher.sketch([odd, odd])
    batch.validate(full=True)
    assert batch["words"].to_pylist() == [7, 7]
    assert batch["model"].to_pylist() == ["m?", "m?"]


def test_numbers_that_do_not_fit_are_held_at_the_limit(sketcher: Sketcher) -> None:
    made = sketcher.sketch([row(prompt_tokens=10**12, latency_ms=-(10**12)), row()]).to_pylist()
    assert made[0]["prompt_tokens"] == 2**31 - 1
    assert made[0]["latency_ms"] == -(2**31 - 1)


def test_a_prompt_of_ten_megabytes_is_sketched(sketcher: Sketcher) -> None:
    words = "the quick brown fox jumps over a lazy dog and "
    text = words * (10_000_000 // len(words))
    made = sketcher.sketch([row(prompt=text), row(prompt="x" * 10_000_000)]).to_pylist()
    assert made[0]["words"] == 10 * (10_000_000 // len(words))
    assert len(made[0]["cells"]) == 10
    assert made[1]["words"] == 1
    assert made[1]["cells"] == []


def test_columns_of_names_are_dictionaries(sketcher: Sketcher) -> None:
    batch = sketcher.sketch([row(model="m"), row(model=None), row(model="m")])
    column = batch["model"]
    assert isinstance(column, pa.DictionaryArray)
    assert column.to_pylist() == ["m", None, "m"]
    assert len(column.dictionary) == 1
