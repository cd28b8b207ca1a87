"""The exchange as it is kept: the Arrow schema, and what each column holds."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

__all__ = ["COLUMNS", "FIRST_COLUMNS", "SCHEMA", "SCHEMA_VERSION", "Column"]

SCHEMA_VERSION = "stillwatch.exchange/1"


class Column(NamedTuple):
    """One column of the exchange: its type, what it holds, and what null means there."""

    name: str
    type: pa.DataType
    holds: str
    null: str
    source: str


_TIME = pa.timestamp("us", tz="UTC")
_DIGEST = pa.int64()
_DIGESTS = pa.list_(pa.int64())
_FORMS = pa.list_(
    pa.struct(
        [
            pa.field("key", pa.int64(), nullable=False),
            pa.field("digests", _DIGESTS, nullable=False),
            pa.field("cells", _DIGESTS, nullable=False),
        ]
    )
)
_NAME = pa.dictionary(pa.int32(), pa.string())
_COUNT = pa.int32()
_UNKNOWN = "the log does not say"


def _log(name: str, type_: pa.DataType, holds: str, null: str = _UNKNOWN) -> Column:
    return Column(name, type_, holds, null, "log")


def _digest(name: str, of: str) -> Column:
    return Column(name, _DIGEST, f"keyed digest of {of}", _UNKNOWN, "digest")


def _sketch(name: str, type_: pa.DataType, holds: str, null: str = "never") -> Column:
    return Column(name, type_, holds, null, "sketch")


COLUMNS: tuple[Column, ...] = (
    _log("at", _TIME, "when the request arrived, UTC", "never"),
    Column(
        "request",
        _DIGEST,
        "keyed digest of the request id; of account, time and content where the log has no id. "
        "Its low bit is the fold: 0 discovers, 1 tests",
        "never",
        "digest",
    ),
    Column("account", _DIGEST, "keyed digest of the account", "never", "digest"),
    _digest("org", "the group of accounts under one contract"),
    _digest("key", "the credential"),
    _digest("end_user", "the customer's own user id"),
    _digest("conversation", "the conversation id"),
    _log("channel", _NAME, "how the request came in: api, console, cloud, aggregator…"),
    _log("tenant_kind", _NAME, "what the provider's registry says the account is for"),
    _digest("ip", "the client address"),
    _log("asn", pa.int64(), "autonomous system number of the client address"),
    _log("country", _NAME, "ISO 3166 code; for access rules only, no detection reads it (law 3)"),
    _digest("ja4", "the TLS client fingerprint"),
    _digest("user_agent", "the user agent"),
    _digest("accept_language", "the Accept-Language header"),
    _digest("payment", "the payment instrument"),
    _digest("device", "the device fingerprint"),
    _digest("email_domain", "the mail domain of the registration"),
    _log("registered_at", _TIME, "when the account was registered"),
    _log("blocked_at", _TIME, "when the account was blocked", "never blocked, or unknown"),
    _log("model", _NAME, "the model that was asked for"),
    _log("endpoint", _NAME, "the API route or operation"),
    _log("stream", pa.bool_(), "whether the response was streamed"),
    _log("temperature", pa.float32(), "sampling temperature", "unknown, or the default was used"),
    _log("top_p", pa.float32(), "nucleus threshold, 0 to 1", "unknown, or the default was used"),
    _log("n", _COUNT, "completions asked for", "unknown, or the default was used"),
    _log("max_tokens", _COUNT, "cap on output tokens", "unknown, or no cap was set"),
    _log("logprobs", pa.bool_(), "whether log probabilities were asked for"),
    _log("top_logprobs", _COUNT, "alternatives a position that were asked for"),
    _log("logit_bias", _COUNT, "number of biased tokens"),
    _log("tools", _COUNT, "number of functions offered"),
    _digest("toolset", "the names of the functions offered"),
    _log("response_format", _NAME, "text, json_object, json_schema"),
    _log("prefill", pa.bool_(), "whether the start of the answer was dictated"),
    _digest("system", "the normalised system prompt"),
    _log("reasoning", _NAME, "reasoning effort or display that was asked for"),
    _log("finish_reason", _NAME, "why the answer ended"),
    _log("status", _COUNT, "HTTP status"),
    _log("prompt_tokens", _COUNT, "input tokens, cached ones included"),
    _log("cached_tokens", _COUNT, "input tokens served from a prefix cache"),
    _log("completion_tokens", _COUNT, "output tokens"),
    _log("reasoning_tokens", _COUNT, "of these, tokens of reasoning"),
    _log("latency_ms", _COUNT, "milliseconds from request to last byte"),
    _sketch("content", _DIGEST, "keyed digest of the normalised new user text"),
    _sketch(
        "prefixes",
        _DIGESTS,
        "chain of keyed digests: entry i covers the messages 0 to i, the last 16 of them",
        "the log holds a bare prompt, no messages",
    ),
    _sketch("turns", _COUNT, "messages in the request, 1 for a bare prompt"),
    _sketch(
        "cells",
        _DIGESTS,
        "style cells: keyed hashes of masked word 5-grams (character n-grams in scripts without "
        "spaces), the smallest 16, ascending and distinct",
    ),
    _sketch(
        "shingles",
        _DIGESTS,
        "keyed hashes of unmasked word 6-grams of the new user text: the smallest 8, or one in 16 "
        "of a longer text, at most 64; ascending and distinct",
    ),
    _sketch(
        "output_shingles",
        _DIGESTS,
        "the same of the answer: teacher text that comes back in meets them in `shingles`",
        "the log holds no completion",
    ),
    _sketch("topic", _COUNT, "coarse topic of the user text; -1 where it has too few words"),
    _sketch("words", _COUNT, "words of the new text (characters in scripts without spaces)"),
    _sketch("chars", _COUNT, "Unicode code points of the new text, before normalisation"),
    _sketch("script", _COUNT, "dominant script, see stillwatch.sketches.Script"),
    _sketch("code_share", pa.float32(), "share of the lines that look like source code, 0 to 1"),
    _sketch("shape", _COUNT, "bit set of surface forms, see stillwatch.sketches.Shape"),
    _sketch("asks", _COUNT, "bit set of elicitation features, see stillwatch.sketches.Asks"),
    _log(
        "replay",
        _NAME,
        "where a reasoning block that came back was issued, seen from this request: same, foreign, "
        "expired, other_conversation, other_model, forged, same_org, other_account, other_org; the "
        "last of these that holds for one of its blocks",
        "none came back, or the log does not say",
    ),
    Column(
        "replayed_from",
        _DIGEST,
        "keyed digest, as in `account`, of another account whose reasoning block came back here",
        "none did, or the log does not say",
        "digest",
    ),
    _log("mark", _NAME, "the mark that the answer was to carry", "none, or the log does not say"),
    _log(
        "mark_epoch",
        _NAME,
        "the epoch of the mark's key, as who wrote it says; it confirms that the answer is marked",
        "nobody confirmed it",
    ),
    _log(
        "unmarked",
        _NAME,
        "why an answer that was to be marked is not: greedy (nothing to choose), another mark, no "
        "choice in its text, a field of the request that forbids it, or what the engine says",
        "it is marked, or the engine said nothing",
    ),
    Column(
        "compared",
        _FORMS,
        "for each key of a community (the 64 bits that name it) what its members can compare: the "
        "first 64 bits of digests of identifiers, ascending, and style cells under that key",
        "no key of a community was in use",
        "compared",
    ),
)

#: So many of the columns were there from the beginning. Those after them were added at the end, one
#: release after another; they may be null, and are in rows that were written before.
FIRST_COLUMNS = 56

SCHEMA = pa.schema(
    [pa.field(c.name, c.type, nullable=c.null != "never") for c in COLUMNS],
    metadata={"schema": SCHEMA_VERSION},
)
