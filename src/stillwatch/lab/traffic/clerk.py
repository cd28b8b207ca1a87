"""A request and its account → the row that the provider's log would hold.

Token counts follow from the text that is in the row; what the provider would have cached follows
from which account sent the same prefix within ten minutes. A retried request failed before.
"""

from __future__ import annotations

import math
from random import Random

from stillwatch.exchange import Message, RawExchange
from stillwatch.lab.traffic.accounts import Account
from stillwatch.lab.traffic.arrivals import HOUR, SECOND
from stillwatch.lab.traffic.parameters import NEW_MODEL, Parameters
from stillwatch.lab.traffic.request import Request, tokens
from stillwatch.lab.traffic.wording import pick

__all__ = ["Clerk"]

_CACHE_LIVES = 600 * SECOND
_CACHE_LEAST, _CACHE_BLOCK = 256, 64
_IMAGE_TOKENS = 1_100
_FAILURES = (429, 429, 429, 500, 502, 529)


class Clerk:
    """Writes the rows of one account."""

    __slots__ = ("_account", "_identified", "_release", "_rng", "_seen")

    def __init__(
        self, account: Account, rng: Random, release: int | None, identified: bool
    ) -> None:
        self._account = account
        self._rng = rng
        self._identified = identified
        self._seen: dict[object, int] = {}
        delay = rng.expovariate(1.0 / (20 * HOUR)) if account.parameters.pioneer else math.inf
        self._release = math.inf if release is None else release + delay

    def row(
        self,
        request_id: str,
        at: int,
        request: Request,
        activity: object,
        failed: bool,
        pivots: bool = False,
    ) -> RawExchange:
        """The row of `request`. `pivots`: ask for the new model whatever the account's habits."""
        account, rng = self._account, self._rng
        habits = account.parameters
        model = NEW_MODEL if pivots or self._upgraded(at) else habits.model
        prompt_tokens = request.context + tokens(request.text) + request.images * _IMAGE_TOKENS + 6
        cap = request.max_tokens or habits.max_tokens
        status = 200
        finish: str | None = request.finish or "stop"
        completion = request.completion
        if failed:
            status, finish, completion = pick(rng, _FAILURES), None, None
            written = thought = 0
        elif rng.random() < 0.003:
            status, finish, completion = 400, None, None
            written = thought = 0
        else:
            thought = _thought(habits, request, rng)
            written = _written(request, rng, cap)
            if cap is not None and written >= cap:
                written, finish = cap, "length"
        samples = request.n or 1
        bare = habits.bare and not request.history and request.system is None
        unseen = not account.keeps_content
        row = RawExchange(
            at=at,
            account=account.name,
            prompt=request.text if bare else None,
            messages=None if bare else (*request.history, Message(request.role, request.text)),
            request_id=request_id,
            org=account.org,
            key=account.key,
            end_user=request.end_user,
            conversation=f"{account.name[5:]}-{request.thread}"
            if account.names_conversations
            else None,
            channel=account.channel,
            tenant_kind=account.tenant_kind,
            model=model,
            endpoint="completions" if bare else habits.endpoint,
            stream=habits.stream,
            temperature=habits.temperature if request.temperature is None else request.temperature,
            top_p=habits.top_p,
            n=request.n,
            max_tokens=cap,
            logprobs=habits.logprobs,
            top_logprobs=habits.top_logprobs,
            tools=request.tools,
            response_format=request.response_format or habits.response_format,
            prefill=request.prefill,
            system=request.system,
            reasoning=request.reasoning or habits.reasoning,
            completion=None if unseen else completion,
            finish_reason=finish,
            status=status,
            prompt_tokens=prompt_tokens,
            cached_tokens=self._cached(at, request, activity),
            completion_tokens=written * samples + thought,
            reasoning_tokens=thought,
            latency_ms=int(
                180 + rng.random() * 500 + (written + thought) * (9 + rng.random() * 14)
            ),
        )
        if self._identified:
            self._identify(row, at)
        return row

    def _identify(self, row: RawExchange, at: int) -> None:
        account = self._account
        ways = account.network.addresses
        row.ip = ways[at // (6 * HOUR) % len(ways)] if len(ways) > 1 else ways[0]
        row.asn = account.network.asn
        row.country = account.country
        row.ja4 = account.software.ja4
        row.user_agent = account.software.user_agent
        row.accept_language = account.accept_language
        row.payment = account.payment
        row.device = account.device
        row.email_domain = account.email_domain
        row.registered_at = account.registered_at
        row.blocked_at = account.blocked_at

    def _upgraded(self, at: int) -> bool:
        return at >= self._release

    def _cached(self, at: int, request: Request, activity: object) -> int:
        """Tokens of the prefix that this account sent within the life of the cache."""
        hit = 0
        thread = (activity, request.thread)
        if at - self._seen.get(thread, -_CACHE_LIVES - 1) <= _CACHE_LIVES and request.context:
            hit = request.context
        elif request.shared and at - self._seen.get(activity, -_CACHE_LIVES - 1) <= _CACHE_LIVES:
            hit = request.shared
        if len(self._seen) > 64:
            self._seen = {k: t for k, t in self._seen.items() if at - t <= _CACHE_LIVES}
        self._seen[thread] = self._seen[activity] = at
        return hit // _CACHE_BLOCK * _CACHE_BLOCK if hit >= _CACHE_LEAST else 0


def _thought(habits: Parameters, request: Request, rng: Random) -> int:
    if not habits.thinks and request.reasoning is None:
        return 0
    return int(math.exp(rng.gauss(6.2, 0.9)))


def _written(request: Request, rng: Random, cap: int | None) -> int:
    """Output tokens: those of the text that is there, else log-normal with the kind's median."""
    if request.completion is not None and request.output == 0:
        return tokens(request.completion)
    drawn = max(1, int(request.output * math.exp(rng.gauss(0.0, 0.7))))
    return drawn if cap is None else min(drawn, cap)
