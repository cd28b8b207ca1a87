"""People who talk to the model, and the aggregator that carries many of them behind one key."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer
from stillwatch.lab.traffic.kinds.instructions import system_prompt
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import pick

__all__ = ["AGGREGATOR", "CHAT"]


def _chat(desk: Desk) -> Iterator[Request]:
    talks = Talks(desk.lengths)
    rng = desk.rng
    for thread in desk.threads:
        talk = talks.open(thread)
        # some do not always write English
        abroad = ("languages-chat", "languages", "chat") if thread % 2 else ("chat",)
        hard = "arena-hard" in desk.stocks and not talk.messages
        text, composed = desk.take("arena-hard") if hard else desk.take(*abroad)
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
    own = desk.tenant
    about = desk.stock("passages", "chat").texts
    apps = [system_prompt(own, pick(own, _NAMES), pick(own, about)) for _ in range(6)]
    pools = tuple(pool for pool in desk.stocks if pool != "passages")
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
    volume=Volume(4.5, 1.25, 150),
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
    pools={"arena-hard": Supply(0.5, 1, optional=True)},
    either=(
        *({"chat": Supply(1.0)},) * 12,
        {"chat": Supply(0.6), "languages-chat": Supply(0.5, 2, optional=True)},
        {"chat": Supply(0.6), "languages": Supply(0.5, 2, optional=True)},
    ),
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
    pools={
        "chat": Supply(0.4, 4),
        "languages": Supply(0.2, 4, optional=True),
        "languages-chat": Supply(0.1, 4, optional=True),
        "code": Supply(0.3, 4, optional=True),
        "passages": Supply(0.0, 6, optional=True),
    },
)
