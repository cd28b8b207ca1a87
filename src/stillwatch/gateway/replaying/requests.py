"""A kept row → the facts that rules read, and the names of those that the log does not have."""

from __future__ import annotations

import re
from typing import NamedTuple

from stillwatch.access import (
    UNKNOWN,
    Asked,
    Bias,
    Origin,
    Reasoning,
    RequestFacts,
    Structure,
)
from stillwatch.access.asn_classes import read_asn_classes
from stillwatch.access.countries import COUNTRIES
from stillwatch.access.places import Places
from stillwatch.gateway.replaying.people import People
from stillwatch.gateway.replaying.rows import PARAMETERS, Row

__all__ = ["NEVER_LOGGED", "Request", "Requests", "route_of"]

#: Facts that no log has.
NEVER_LOGGED = frozenset({"seed", "sdk"})
_PREFIX = re.compile(r"^(https?://[^/]*)?/*(api/)?(v1/)?")
_ROUTES = {
    "chat": "chat.completions",
    "completion": "chat.completions",
    "acompletion": "chat.completions",
    "text_completion": "completions",
    "atext_completion": "completions",
    "anthropic_messages": "messages",
    "aresponses": "responses",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    **{
        name: name
        for name in ("chat.completions", "completions", "messages", "messages.count_tokens",
                     "responses", "embeddings")
    },
}  # fmt: skip
_STRUCTURES = {
    "text": Structure.TEXT,
    "json_object": Structure.JSON,
    "json_schema": Structure.SCHEMA,
}
_SHOWN = {
    **dict.fromkeys(("full", "enabled", "adaptive", "between_tools"), Reasoning.FULL),
    **dict.fromkeys(("summary", "summarized", "auto", "concise", "detailed"), Reasoning.SUMMARY),
    **dict.fromkeys(("none", "disabled", "omitted"), Reasoning.NONE),
}
#: Routes on which an effort shows no reasoning by itself.
_SILENT = frozenset({"chat.completions", "completions"})


class Request(NamedTuple):
    """The facts of a row. The values of `missing` facts, by the names of rules, mean nothing."""

    facts: RequestFacts
    missing: frozenset[str]


class Requests:
    """Makes requests of rows.

    Args:
        given: columns that any row of the log fills.
        people: who sent them.
        places: looks addresses up; without it, what the log says of places counts.
        blanks_unknown: a parameter that a row leaves blank is not known, rather than not asked for.
    """

    def __init__(
        self,
        given: frozenset[str],
        people: People,
        places: Places | None = None,
        *,
        blanks_unknown: bool = False,
    ) -> None:
        self._people, self._places = people, places
        self._classes = read_asn_classes()
        self._blanks_unknown = blanks_unknown
        #: facts that no row of this log has
        self.absent = NEVER_LOGGED | {
            fact for column, fact in PARAMETERS.items() if column not in given
        }
        self._given = given
        self._sets: dict[tuple[frozenset[str], ...], frozenset[str]] = {}

    def of(self, row: Row) -> Request:
        """The request of a row."""
        person = self._people.of(row)
        route = route_of(row.endpoint)
        unsaid: list[str] = []
        if route is None:
            unsaid.append("route")
        if row.model is None:
            unsaid.append("model")
        if self._blanks_unknown:
            unsaid += [fact for name, fact in PARAMETERS.items() if getattr(row, name) is None]
        reasoning = self._reasoning(row, route, unsaid)
        origin = self._origin(row, unsaid)
        biased = row.logit_bias or 0
        asked = Asked(
            model=row.model or "",
            stream=bool(row.stream),
            prompt_tokens=row.prompt_tokens,
            logprobs=row.logprobs or 0,
            reasoning=reasoning,
            n=row.n or 1,
            logit_bias=Bias.BAN if biased else Bias.NONE,
            bias=tuple(range(biased)),
            prefill=bool(row.prefill),
            max_tokens=row.max_tokens,
            structure=_STRUCTURES.get(row.response_format or "text", Structure.GRAMMAR),
            tools=bool(row.tools),
            temperature=row.temperature,
        )
        facts = RequestFacts(
            caller=person.caller,
            asked=asked,
            origin=origin,
            route=route or "",
            at=row.at / 1e6,
        )
        return Request(facts, self._missing(person.missing, frozenset(unsaid)))

    def _missing(self, person: frozenset[str], row: frozenset[str]) -> frozenset[str]:
        """One object for each set, so that what depends on it is found at once."""
        found = self._sets.get((person, row))
        if found is None:
            found = self._sets[(person, row)] = self.absent | person | row
        return found

    def _reasoning(self, row: Row, route: str | None, unsaid: list[str]) -> Reasoning:
        """How much of it was asked for. An effort says that there was reasoning, and only on some
        routes whether any was to be shown."""
        if row.reasoning is None:
            return Reasoning.NONE
        shown = _SHOWN.get(row.reasoning.lower())
        if shown is None:
            if route not in _SILENT:
                unsaid.append("reasoning")
            return Reasoning.NONE
        return shown

    def _origin(self, row: Row, unsaid: list[str]) -> Origin:
        """Places as they are looked up now, or as the log has them. A blank among rows that have a
        country is one that could not be placed; a log without any has not been asked."""
        ja4 = row.ja4
        if ja4 is None and ("ja4" not in self._given or self._blanks_unknown):
            unsaid.append("ja4")
        if self._places is not None and row.ip is not None:
            place = self._places.look_up(row.ip)
            return Origin(
                ip=row.ip, country=place.country, asn=place.asn, asn_class=place.asn_class,
                ja4=ja4 or UNKNOWN,
            )  # fmt: skip
        country = (row.country or "").upper()
        if country not in COUNTRIES:
            country = UNKNOWN
            if "country" not in self._given or self._blanks_unknown:
                unsaid.append("ip_country")
        asn = row.asn or 0
        kind = self._classes.of(asn) if asn else UNKNOWN
        if not asn and ("asn" not in self._given or self._blanks_unknown):
            unsaid += ("asn", "asn_class")
        elif asn and kind == UNKNOWN:
            unsaid.append("asn_class")  # the name of the network might tell
        return Origin(
            ip=row.ip or UNKNOWN, country=country, asn=asn, asn_class=kind, ja4=ja4 or UNKNOWN
        )


def route_of(endpoint: str | None) -> str | None:
    """The route of an endpoint as logs write it: ``/v1/chat/completions``, ``acompletion``."""
    if endpoint is None:
        return None
    known = _ROUTES.get(endpoint)
    if known is not None:
        return known
    path = _PREFIX.sub("", endpoint.partition("?")[0].rstrip("/")).replace("/", ".").lower()
    return _ROUTES.get(path)
