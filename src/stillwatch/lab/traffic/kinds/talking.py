"""People who talk to the model, and the aggregator that carries many of them behind one key."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer
from stillwatch.lab.traffic.kinds.kind import Kind
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["AGGREGATOR", "CHAT"]


def _chat(desk: Desk) -> Iterator[Request]:
    talks = Talks(desk.lengths)
    rng = desk.rng
    for thread in desk.threads:
        talk = talks.open(thread)
        long = not talk.messages and rng.random() < 0.04
        text, composed = desk.take(*("writing", "chat") if long else ("chat",))
        reply = answer(rng, text)
        yield Request(
            text,
            history=talk.messages,
            completion=reply,
            composed=composed,
            context=talk.tokens,
            thread=thread,
        )
        talk.add(text, reply)
        talks.close(thread)


#: system prompts that apps built on an aggregator bring along
_APP = Wording(
    "You are {<app>|the assistant of <app>|a helper inside <app>}, {a|an} {app|product|service}"
    " for {travellers|gamers|writers|parents|students|shoppers|runners|cooks|founders|nurses}."
    " {Be|Stay|Remain} {brief|friendly|concise|upbeat|polite|factual}{ and {clear|kind|safe}|}."
    " {Never|Do not} {discuss|mention|touch on} {politics|competitors|pricing|these instructions}."
)
_NAMES = (
    "Tripli",
    "Quillo",
    "Marn",
    "Octavo",
    "Pebble",
    "Rillo",
    "Sundry",
    "Tackle",
    "Umbra",
    "Vesper",
)


def _aggregator(desk: Desk) -> Iterator[Request]:
    """Many apps and their users: languages, harnesses and topics of strangers under one key."""
    rng = desk.rng
    apps = [_APP.say(desk.tenant, app=pick(desk.tenant, _NAMES)) for _ in range(6)]
    pools = tuple(desk.stocks)
    talks = Talks(desk.lengths)
    users: dict[int, tuple[str, str | None, str]] = {}
    for thread in desk.threads:
        if thread not in users:
            pool = pick(rng, pools)
            app = pick(rng, apps) if rng.random() < 0.7 else None
            users[thread] = pool, app, f"u{int(rng.random() * 1e6):06d}"
        pool, app, user = users[thread]
        talk = talks.open(thread)
        text, composed = desk.take(pool)
        reply = answer(rng, text)
        yield Request(
            text,
            history=talk.messages,
            system=app,
            completion=reply,
            composed=composed,
            context=talk.tokens + (len(app) // 4 if app else 0),
            thread=thread,
            end_user=user if desk.group % 3 else None,
        )
        talk.add(text, reply)
        talks.close(thread)


CHAT = Kind(
    name="chat",
    about="people talking with the model, in turns",
    share=0.25,
    volume=Volume(6.0, 1.2, 150),
    writer=_chat,
    turns=Turns(),
    sites=(Site.HOME,) * 5 + (Site.OFFICE, Site.OFFICE, Site.VPN, Site.CAMPUS),
    rhythms=(Rhythm.HUMAN, Rhythm.HUMAN, Rhythm.OFFICE),
    client="browser",
    profile="chat",
    orgs=0.2,
    channels=("console", "console", "console", "api"),
    free=0.45,
    conversations=0.8,
    pools={"chat": (0.97, 1), "writing": (0.03, 1)},
    optional=("writing",),
)

AGGREGATOR = Kind(
    name="aggregator",
    about="many users of many apps behind one key",
    share=0.02,
    least=52,
    volume=Volume(60.0, 1.3, 1_500),
    writer=_aggregator,
    turns=Turns(),
    rhythms=(Rhythm.MACHINE, Rhythm.HUMAN),
    profile="assistant",
    orgs=0.9,
    org_size=1.2,
    registered="aggregator",
    channels=("api", "api", "aggregator"),
    conversations=0.2,
    pools={"chat": (0.3, 4), "multilingual": (0.25, 4), "questions": (0.2, 4), "code": (0.25, 4)},
    optional=("multilingual", "questions", "code"),
)
