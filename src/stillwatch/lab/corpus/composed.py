"""Texts that this project composes where no natural ones can be had: records, tasks, log lines.

Every pool here is of kind ``composed`` and its name says so. A pool is the same in every process:
its random numbers come from its name. Words to fill in come from the natural pool `definitions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import NamedTuple

from stillwatch.lab.corpus.pool import Block, Kind, Pool

__all__ = ["composed_pools"]

_SOURCE = "composed by Stillwatch"
_SIZE = 4000

_GOODS = ("noun.artifact", "noun.food", "noun.plant", "noun.substance")
_SCHOOL = (
    "noun.act", "noun.animal", "noun.artifact", "noun.body", "noun.cognition", "noun.event",
    "noun.feeling", "noun.food", "noun.location", "noun.object", "noun.phenomenon", "noun.plant",
    "noun.process", "noun.state", "noun.substance", "noun.time",
)  # fmt: skip


class _Subject(NamedTuple):
    field: str
    word: str
    meaning: str


class _Subjects:
    """Words of `definitions`, by field."""

    def __init__(self, rng: Random, definitions: Pool) -> None:
        self._rng = rng
        self._definitions = definitions
        self._places = definitions.groups()

    def of(self, fields: tuple[str, ...]) -> _Subject:
        """A word of one of `fields`, and the first part of its definition."""
        field = self._rng.choice(fields)
        word, _, meaning = self._definitions[self._rng.choice(self._places[field])].text.partition(
            ": "
        )
        return _Subject(field, word, meaning.split(";")[0].split(" (")[0].strip())


_Compose = Callable[[Random, _Subjects], tuple[str, str]]


def composed_pools(definitions: Pool) -> dict[str, Pool]:
    """Name → pool. `definitions` gives the subjects."""
    return {
        name: Pool(name, Kind.COMPOSED, partial(_read, name, compose, definitions))
        for name, compose in _POOLS.items()
    }


def _read(name: str, compose: _Compose, definitions: Pool) -> Iterator[Block]:
    rng = Random(f"stillwatch.corpus/{name}/1")
    subjects = _Subjects(rng, definitions)
    texts: dict[str, str] = {}
    while len(texts) < _SIZE:
        group, text = compose(rng, subjects)
        texts.setdefault(text, group)
    groups: dict[str, list[str]] = {}
    for text, group in texts.items():
        groups.setdefault(group, []).append(text)
    return (Block(_SOURCE, group, members) for group, members in groups.items())


def _homework(rng: Random, subjects: _Subjects) -> tuple[str, str]:
    field, word, meaning = subjects.of(_SCHOOL)
    other = subjects.of((field,)).word
    task = rng.choice(_HOMEWORK).format(word=word, other=other, meaning=meaning)
    ending = rng.choice(_ENDINGS).format(n=rng.choice((80, 120, 150, 200, 250, 300)))
    return field, f"{task} {ending}".strip()


def _writing(rng: Random, subjects: _Subjects) -> tuple[str, str]:
    field, word, meaning = subjects.of(_SCHOOL)
    form, reader, tone = rng.choice(_FORMS), rng.choice(_READERS), rng.choice(_TONES)
    frame = rng.choice(_FRAMES)
    return field, frame.format(form=form, word=word, meaning=meaning, reader=reader, tone=tone)


def _invoice(rng: Random, subjects: _Subjects) -> tuple[str, str]:
    lines, total = [], 0
    for number in range(1, rng.randint(2, 6)):
        count, cents = rng.randint(1, 40), rng.randint(95, 48_000)
        total += count * cents
        item = subjects.of(_GOODS).word
        lines.append(f"{number}  {item}  {count} x {cents / 100:.2f}  {count * cents / 100:.2f}")
    currency = rng.choice(_CURRENCIES)
    head = f"INVOICE {rng.randint(1000, 999_999)}  {_date(rng)}  {currency}\n"
    head += f"from {_name(rng)} {rng.choice(_FIRMS)}\nto {_name(rng)} {rng.choice(_FIRMS)}"
    tax = rng.choice((0, 5, 7, 10, 19, 20, 21, 25))
    foot = f"net {total / 100:.2f}  tax {tax}%  due {total * (100 + tax) / 10_000:.2f}"
    return currency, "\n".join((head, *lines, foot))


def _ticket(rng: Random, subjects: _Subjects) -> tuple[str, str]:
    area = rng.choice(tuple(_TROUBLES))
    told = rng.choice(_TROUBLES[area]).format(
        thing=subjects.of(("noun.artifact",)).word,
        n=rng.randint(2, 30),
        id=rng.randint(10_000, 9_999_999),
        day=rng.choice(_DAYS),
    )
    opening, closing = rng.choice(_OPENINGS), rng.choice(_CLOSINGS)
    return area, f"{opening} {told} {closing}".strip()


def _log(rng: Random, subjects: _Subjects) -> tuple[str, str]:
    service = rng.choice(_SERVICES)
    thing = subjects.of(("noun.animal", "noun.object")).word.replace(" ", "-").lower()
    lines = [_date(rng)]
    second = rng.randrange(86_400 - 600)
    for _ in range(rng.randint(3, 8)):
        second += rng.randrange(60)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        event = rng.choice(_EVENTS).format(
            n=rng.randint(1, 9000), id=f"{rng.getrandbits(32):08x}", thing=thing
        )
        lines.append(
            f"{clock} {rng.choice(_LEVELS)} {service}[{rng.randint(100, 32_000)}]: {event}"
        )
    return service, "\n".join(lines)


def _name(rng: Random) -> str:
    """A name that belongs to nobody we know of: two or three syllables."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize()


def _date(rng: Random) -> str:
    return f"{rng.randint(2023, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


_HOMEWORK = _lines("""
    Explain what {word} means and where one meets it in daily life.
    Compare {word} with {other}: what do they share, what sets them apart?
    For class we read that {word} is "{meaning}". Is that complete? Say what you would add.
    Write three quiz questions about {word} and answer them.
    Our teacher asked why anybody should care about {word}. Help me argue it.
    I have to give a two minute talk on {word}. Outline it.
    Make a timeline or a list of stages that shows how {word} came about.
    Describe an experiment or a survey that would teach us something about {word}.
    Which of these belongs to "{meaning}": {word} or {other}? Give reasons.
    Draw up a table with causes, effects and examples of {word}.
    Correct my sentence: "{word} and {other} is the same thing because both of them {meaning}."
    Summarise what a ten year old should know about {word}.
""")
_ENDINGS = (
    "",
    "Use about {n} words.",
    "Keep it under {n} words.",
    "Show how you got there.",
    "Give an example that is not in every textbook.",
    "I am in eighth grade.",
    "This is for a first-year course.",
    "Please check my spelling too.",
)
_FORMS = _lines("""
    a short story
    a cover letter
    a product description
    a speech for a retirement party
    a press release
    a poem of four stanzas
    a blog post
    a complaint to the council
    a job advert
    a thank-you note
    an opinion piece
    a scene for two actors
    a grant application
    a newsletter item
    a travel tip
    a eulogy
    a radio spot of thirty seconds
    a letter to my landlord
    a review
    a recipe introduction
""")
_READERS = _lines("""
    my neighbours
    people who have never heard of it
    the members of our club
    busy parents
    a jury of experts
    our regular customers
    children of nine
    the local paper
    my grandmother
    new colleagues
    tourists
    investors
""")
_TONES = _words("warm dry funny formal plain hopeful ironic brisk tender sober playful proud")
_FRAMES = _lines("""
    Write {form} about {word} for {reader}. The tone should be {tone}.
    I need {form} in which {word} plays a part; {reader} will read it, so keep it {tone}.
    Could you draft {form}? Subject: {word} ({meaning}). Audience: {reader}. Style: {tone}.
    Help me with {form} that makes {reader} think of {word}. Not too long, and {tone}, please.
    {word}, {meaning}. Turn that into {form} for {reader}, {tone} in tone.
    Rework my notes into {form}. Notes: {word}; {meaning}; {reader}; {tone}.
""")
_FIRMS = _words("Ltd GmbH Inc SARL Oy BV Pty Co-op Partners Works Supplies Logistics")
_CURRENCIES = _words("EUR USD GBP JPY CHF SEK BRL INR")
_SYLLABLES = _words(
    "al an ar bel bor cal dan del dor el fen gar hal il jor kal kem lan lor mar mel nor ol pel qua"
    " ran ros sel sor tal tem ul van vel wen yor zan"
)
_DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_OPENINGS = ("", "Hello,", "Hi there,", "Good morning,", "To whom it may concern:", "Second try:")
_CLOSINGS = (
    "",
    "Please advise.",
    "What can be done?",
    "I'd like my money back.",
    "Thanks in advance!",
    "This is urgent.",
    "I have been a customer for years.",
)
_TROUBLES = {
    "delivery": _lines("""
        my parcel with the {thing} was due on {day} and the tracking has not moved for {n} days.
        order {id} arrived without the {thing}, although the slip lists it.
        the courier left the {thing} with somebody at number {n} whom I do not know.
    """),
    "billing": _lines("""
        I was charged {n} times for one {thing}, see order {id}.
        the discount on the {thing} is missing from bill {id}.
        why does my bill of {day} show a fee of {n}.50 for the {thing}?
    """),
    "quality": _lines("""
        the {thing} I bought on {day} broke after {n} hours of use.
        the {thing} smells odd and one part out of {n} is scratched.
        the colour of the {thing} in order {id} is not the one in the picture.
    """),
    "account": _lines("""
        since {day} I can no longer log in; the page for my {thing} stays blank for {n} seconds.
        please change the name on contract {id}, it says {thing} where my surname should be.
        I closed account {id} on {day} and still get {n} reminders a week about the {thing}.
    """),
    "question": _lines("""
        does the {thing} fit a shelf of {n} centimetres?
        is the {thing} still made, and can {n} of them be sent by {day}?
        which of your plans covers a {thing} when I travel for {n} days?
    """),
}
_SERVICES = _words("auth billing cron gateway indexer mailer payments queue search storage web")
_LEVELS = _words("DEBUG INFO INFO INFO NOTICE WARN ERROR")
_EVENTS = _lines("""
    request {id} finished in {n} ms
    retry {n} of job {thing} after timeout
    cache miss for key {thing}:{id}
    connection {id} closed by peer, {n} bytes pending
    user {id} changed setting {thing}
    disk usage at {n} MB on volume {thing}
    rejected token {id}: expired {n} s ago
    loaded {n} rows into {thing}
    checksum {id} differs for part {n} of {thing}
""")
_POOLS: dict[str, _Compose] = {
    "composed-homework": _homework,
    "composed-invoices": _invoice,
    "composed-logs": _log,
    "composed-tickets": _ticket,
    "composed-writing": _writing,
}
