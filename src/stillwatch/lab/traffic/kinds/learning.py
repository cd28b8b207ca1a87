"""People who learn: students behind a tutoring tool, and whole classes with one assignment."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.problems import story_problem
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["CLASSROOM", "TUTORING"]

#: templates of tutoring tools; every student of a tool sends the same words around their question
TOOLS = (
    "I am a student who wants to understand and not only to get the answer. Show your work line by"
    " line, name the rule that each line uses, and finish with a question that checks whether I"
    " followed.\n\nMy exercise: <item>",
    "Act as a patient tutor. Solve the exercise step by step and explain each step in simple words,"
    " as you would to a fourteen-year-old.\n\nExercise:\n<item>\n\nStart with what is given.",
    "Homework helper: (1) restate the problem, (2) list what we know, (3) show all reasoning, (4)"
    " give the result, (5) warn about one common mistake.\nProblem: <item>",
    "Check my understanding of this problem and walk me through the whole solution. Do not skip any"
    " algebra.\n<item>",
    "<item>\n\nPlease show every step of your reasoning so that I can copy the method into my"
    " notes.",
)
_FOLLOW = tuple(
    Wording(grammar)
    for grammar in (
        "{wait|hm|sorry}{,| -} {why|how come} {can|do} {we|you} {divide|cancel|move|drop}"
        " {that|it|the <n>} {there|in line <n>|at step <n>}?",
        "{so|ok} {is it|would it be} {always|also} {<n>|like that} {if|when} {x|it|the number}"
        " {is|was} {<m>|negative|odd|a fraction}?",
        "{i|we} {got|have|wrote} <m>{,| -} {where|what} {is|was} {my|the} {mistake|slip|error}?",
        "{again|once more}{, {slower|shorter}|}{ please|}{:|,} {line|step} <n>, {from|with} <m>",
        "{and|what} {about|of} <m> {instead of|rather than} <n>?",
    )
)


def _tutoring(desk: Desk) -> Iterator[Request]:
    frame = Wording(TOOLS[desk.group % len(TOOLS)])
    rng = desk.rng
    talks = Talks(desk.lengths)
    for thread in desk.threads:
        talk = talks.open(thread)
        if not talk.messages:
            if rng.random() < 0.4:
                item = desk.take("maths")[0]
            else:
                item = story_problem(rng, desk.public("nouns"))
            text = frame.say(rng, item=item)
        else:
            text = _aside(desk)
        reply = answer(rng, text)
        yield Request(
            text,
            history=talk.messages,
            completion=reply,
            context=talk.tokens,
            thread=thread,
            output=330,
        )
        talk.add(text, reply)
        talks.close(thread)


def _aside(desk: Desk) -> str:
    rng = desk.rng
    asked = pick(rng, _FOLLOW).say(
        rng, n=str(int(rng.random() * 90) + 1), m=f"{rng.random() * 1e4:.3f}".rstrip("0")
    )
    return f"{asked} {desk.aside('chat')}"


_ASK = Wording(
    "{how|what} {do|should} {i|we} {start|do|write} {for|in|at} {part|question|task}"
    " <n>?|{is|would} <m> {right|correct|ok} {for|in|at} {part|question} <n>{?|, {or|and} {why"
    " not|what is missing}?}|{my|our} {draft|answer|version} {says|is} <m>{, {too short?|is that"
    " enough?}|}|{explain|define} {part|question|term} <n> {simply|in one line|like I'm new}{"
    " please| <m>|}"
)


def _classroom(desk: Desk) -> Iterator[Request]:
    """The class's assignment, word for word, then questions of one's own."""
    rng = desk.rng
    public = desk.public("questions")
    assignment = [
        f"Assignment {k + 1}. {public[int(desk.common.random() * len(public))]}\nDiscuss in your"
        f" own words, with one example from class {desk.group + 1}."
        for k in range(3)
    ]
    talks = Talks(desk.lengths)
    for thread in desk.threads:
        talk = talks.open(thread)
        if not talk.messages:
            text = assignment[thread % 3]
        else:
            asked = _ASK.say(rng, n=str(int(rng.random() * 9) + 1), m=f"{rng.random() * 1e5:.2f}")
            text = f"{asked} {desk.aside('chat')}"
        reply = answer(rng, text)
        yield Request(
            text,
            history=talk.messages,
            completion=reply,
            context=talk.tokens,
            thread=thread,
            output=240,
        )
        talk.add(text, reply)
        talks.close(thread)


TUTORING = Kind(
    name="tutoring",
    about="students of five tutoring tools: 'show your work', around an exercise of their own",
    share=0.05,
    least=52,
    volume=Volume(5.0, 1.2, 80),
    writer=_tutoring,
    turns=Turns(),
    sites=(Site.HOME, Site.HOME, Site.HOME, Site.CAMPUS),
    rhythms=(Rhythm.HUMAN,),
    client="browser",
    profile="learn",
    orgs=0.0,
    groups=len(TOOLS),
    free=0.6,
    conversations=0.5,
    pools={"maths": Supply(0.3, 1), "chat": Supply(0.05, 2, optional=True)},
    repeats="short questions in between, in passing",
    beside=(("chat", 0.2),),
)

CLASSROOM = Kind(
    name="classroom",
    about="classes of some thirty: one assignment, one school network, one registration day",
    share=0.08,
    least=90,
    volume=Volume(3.5, 1.2, 40),
    writer=_classroom,
    turns=Turns(),
    sites=(Site.CAMPUS,),
    rhythms=(Rhythm.HUMAN,),
    client="browser",
    profile="learn",
    orgs=0.0,
    groups=6,
    together=True,
    registered="education",
    free=0.0,
    conversations=0.5,
    pools={"chat": Supply(0.05, 3, optional=True)},
    repeats="the assignment of a class",
    beside=(("chat", 0.25),),
)
