"""What is known about a request when it is decided: who asks, for what, from where.

The gateway builds one :class:`RequestFacts` a request, in whatever dialect the request came;
:func:`stillwatch.access.decide` reads nothing else about it. :data:`FACTS` lists the names under
which rules read it, flat and typed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Literal, NamedTuple

import msgspec

from stillwatch.access.surface import Bias, Reasoning, Structure

__all__ = ["FACTS", "UNKNOWN", "Asked", "Caller", "Fact", "Origin", "Replay", "RequestFacts"]

#: The third value of every fact about places: not known, which is neither yes nor no (law 3).
UNKNOWN = "unknown"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who a key speaks for, as the provider registered it. Times are seconds since the epoch, UTC.

    `cluster` is the group of linked accounts that the account belongs to, itself when it is linked
    to nobody. `kyc_level` counts what was verified (0 nothing). `purposes` are registered uses:
    ``evaluator``, ``authorised_distillation``, ``research``.
    """

    key_id: str
    account: str
    org: str | None = None
    cluster: str | None = None
    tier: str = "default"
    level: str = "default"
    kyc_level: int = 0
    kyc_country: str = UNKNOWN
    purposes: tuple[str, ...] = ()
    terms_version: str | None = None
    terms_accepted_at: int | None = None
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for, in the words of :class:`~stillwatch.access.Surface`.

    ``None`` means that the request leaves it to the model server. `bias` are the token ids of
    `logit_bias`; `prompt_tokens` is an estimate that is never knowingly low; `unknown_fields` are
    fields of the request that its dialect does not know; `prefix` is a keyed digest of the prompt
    without its last turn.
    """

    model: str
    stream: bool = False
    prompt_tokens: int = 0
    logprobs: int = 0
    reasoning: Reasoning = Reasoning.NONE
    n: int = 1
    logit_bias: Bias = Bias.NONE
    bias: tuple[int, ...] = ()
    seed: bool = False
    prefill: bool = False
    echo: bool = False
    prompt_logprobs: bool = False
    token_ids: bool = False
    max_tokens: int | None = None
    structure: Structure = Structure.TEXT
    tools: bool = False
    temperature: float | None = None
    unknown_fields: tuple[str, ...] = ()
    prefix: int = 0


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request came from, as far as a trusted hop or the connection itself tells.

    Countries are ISO 3166 codes; `asn_class` is one of ``hosting, cloud, cdn, vpn, education,
    mobile, isp``; what is not known is :data:`UNKNOWN`. `headers` is a keyed digest of the order of
    the headers, `sdk` the client library that the headers claim.
    """

    ip: str = UNKNOWN
    country: str = UNKNOWN
    asn: int = 0
    asn_class: str = UNKNOWN
    ja4: str = UNKNOWN
    user_agent: str = UNKNOWN
    sdk: str = UNKNOWN
    headers: int = 0


class Replay(IntEnum):
    """Where a reasoning block that comes back was issued, seen from the request that brings it; in
    the order of what that tells, so that of several blocks the largest stands for the request."""

    NONE = 0
    """No such block came back."""
    SAME = 1
    """To this account, for this model, in this conversation."""
    FOREIGN = 2
    """Not by this gateway."""
    EXPIRED = 3
    """As `SAME`, but longer ago than blocks are good for."""
    OTHER_CONVERSATION = 4
    OTHER_MODEL = 5
    FORGED = 6
    """It looks like ours, and was changed, or issued under a key that we do not have."""
    SAME_ORG = 7
    """To another account of the same org."""
    OTHER_ACCOUNT = 8
    """To another account, where one of the two is of no org."""
    OTHER_ORG = 9
    """To another account, of another org."""


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `caller` is ``None`` for a missing or unknown key; `at` is in seconds, UTC."""

    caller: Caller | None
    asked: Asked
    origin: Origin = Origin()
    route: str = "chat.completions"
    at: float = 0.0
    replay: Replay = Replay.NONE


class Fact(NamedTuple):
    """One name that rules may use: its CEL type, what it holds, and where it comes from."""

    name: str
    type: Literal["string", "int", "double", "bool", "list"]
    holds: str
    read: Callable[[RequestFacts], object]


_NOBODY = Caller(key_id="", account="")


def _who(facts: RequestFacts) -> Caller:
    return facts.caller or _NOBODY


def _agreement(facts: RequestFacts) -> str:
    seen, told = facts.origin.country, _who(facts).kyc_country
    if UNKNOWN in (seen, told):
        return UNKNOWN
    return "yes" if seen == told else "no"


#: Every name that a condition may use.
FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("route", "string", "the operation, such as chat.completions or messages",
             lambda f: f.route),
        Fact("model", "string", "the model that is asked for", lambda f: f.asked.model),
        Fact("stream", "bool", "whether the answer is streamed", lambda f: f.asked.stream),
        Fact("account", "string", "the smallest billed identity", lambda f: _who(f).account),
        Fact("key", "string", "the id of the key, never its secret", lambda f: _who(f).key_id),
        Fact("org", "string", "the contract that the account belongs to, or empty",
             lambda f: _who(f).org or ""),
        Fact("cluster", "string", "the group of linked accounts, or empty",
             lambda f: _who(f).cluster or ""),
        Fact("tier", "string", "the tier that the key was registered with", lambda f: _who(f).tier),
        Fact("level", "string", "the openness level of the key", lambda f: _who(f).level),
        Fact("kyc_level", "int", "how much of the customer's identity was verified; 0 nothing",
             lambda f: _who(f).kyc_level),
        Fact("kyc_country", "string", "the verified country of the customer, or unknown",
             lambda f: _who(f).kyc_country),
        Fact("purposes", "list", "registered uses: evaluator, authorised_distillation, research",
             lambda f: list(_who(f).purposes)),
        Fact("terms", "string", "the version of the terms that was accepted, or empty",
             lambda f: _who(f).terms_version or ""),
        Fact("key_age_days", "int", "whole days since the key was made",
             lambda f: int((f.at - _who(f).created_at) // 86_400)),
        Fact("ip_country", "string", "the country of the client's address, or unknown",
             lambda f: f.origin.country),
        Fact("country_agrees", "string",
             "whether the address and the verified country agree: yes, no, unknown", _agreement),
        Fact("asn", "int", "the autonomous system of the client's address, 0 when unknown",
             lambda f: f.origin.asn),
        Fact("asn_class", "string",
             "hosting, cloud, cdn, vpn, education, mobile, isp, or unknown",
             lambda f: f.origin.asn_class),
        Fact("ja4", "string", "the TLS fingerprint that a trusted hop reports, or unknown",
             lambda f: f.origin.ja4),
        Fact("sdk", "string", "the client library that the headers claim, or unknown",
             lambda f: f.origin.sdk),
        Fact("n", "int", "completions asked for", lambda f: f.asked.n),
        Fact("max_tokens", "int", "the cap on the output that was asked for, 0 for none",
             lambda f: f.asked.max_tokens or 0),
        Fact("prompt_tokens", "int", "an estimate of the size of the prompt",
             lambda f: f.asked.prompt_tokens),
        Fact("logprobs", "int", "alternatives a position asked for", lambda f: f.asked.logprobs),
        Fact("biased_tokens", "int", "entries of logit_bias", lambda f: len(f.asked.bias)),
        Fact("reasoning", "string", "none, summary or full: the reasoning asked for",
             lambda f: f.asked.reasoning.name.lower()),
        Fact("reasoning_replay", "string",
             "what reasoning blocks that come back tell: none, same, foreign, expired, "
             "other_conversation, other_model, forged, same_org, other_account, other_org",
             lambda f: f.replay.name.lower()),
        Fact("structure", "string", "text, json, schema or grammar: the form asked for",
             lambda f: f.asked.structure.name.lower()),
        Fact("prefill", "bool", "whether the start of the answer is dictated",
             lambda f: f.asked.prefill),
        Fact("tools", "bool", "whether tools are offered", lambda f: f.asked.tools),
        Fact("seed", "bool", "whether a seed is set", lambda f: f.asked.seed),
        Fact("temperature", "double", "the temperature asked for; 1 when none was",
             lambda f: 1.0 if f.asked.temperature is None else f.asked.temperature),
        Fact("hour", "int", "hour of the day, UTC", lambda f: int(f.at % 86_400 // 3600)),
    )
}  # fmt: skip
