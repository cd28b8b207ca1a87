"""People who measure models on public problem sets: evaluators and university researchers.

They replay the sets that a reasoning harvest replays too; that is the point of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from stillwatch.lab.traffic.arrivals import Rhythm, Volume
from stillwatch.lab.traffic.clauses import RESEARCH, own_wording
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer
from stillwatch.lab.traffic.kinds.kind import Kind
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["EVALUATOR", "PUBLIC_SETS", "RESEARCHER", "ask_for_reasoning"]

#: public sets by popularity, and the cumulated share of people who favour them
PUBLIC_SETS = (("problems", 0.45), ("questions", 0.7), ("maths", 0.85), ("humaneval", 1.0))

#: what public evaluation harnesses send; strangers share them word for word
_FORMATS = (
    "Question: <item>\nAnswer:",
    "<item>",
    "Solve the following task. Put the final answer on the last line after 'ANSWER:'.\n\n<item>",
    "Below is a task. Write a response that completes it.\n\n### Task:\n<item>\n\n### Response:",
    "<item>\n\nReply with the answer only.",
)
_JUDGE = (
    "You are comparing a model's response with the reference.\n[Task]: <item>\n[Reference]:"
    " <gold>\n[Response]: <candidate>\nDoes the response agree with the reference? Reply CORRECT or"
    " INCORRECT.",
    "Grade the submission against the expert answer. Ignore differences in style and punctuation.\n"
    "[Question] <item>\n[Expert] <gold>\n[Submission] <candidate>\nGrade (A-E):",
    "Rate how helpful the reply is on a scale from 1 to 5. Output the number.\n\nPrompt: <item>\n"
    "Reply: <candidate>\nScore:",
)
_MANNER = tuple(
    Wording(grammar)
    for grammar in (
        "{Think|Reason} {aloud|step by step|carefully}{ and {number|label} {each|every} step|}{,|"
        " before you answer,} then {state|give} the {answer|result}.",
        "{Show|Write out|Include} {all|your|the full} {working|reasoning|derivation}.",
        "{Explain|Justify} {how|why} {you get|one reaches|we get} {there|the result|it}.",
        "{First|Start with} a {plan|sketch}, {then|next} the {solution|details}{, {last|finally} a"
        " check|}.",
        "{Give|List} {two|three} {different|independent} {ways|approaches|derivations}.",
    )
)


def ask_for_reasoning(rng: Random) -> Wording:
    """How one person asks to see the reasoning, around an item; a wording of their own."""
    if rng.random() < 0.5:
        return own_wording(rng, RESEARCH, ways=1)
    return Wording(f"<item>\n\n{pick(rng, _MANNER).say(rng)}")


def _run(desk: Desk, favourite: str, size: int) -> Sequence[str]:
    """The items of one run: a stretch of a public set, as long as there are requests or the set."""
    items = desk.public(favourite)
    start = 0 if len(items) <= size else int(desk.rng.random() * (len(items) - size))
    return items[start : start + size]


def _favourite(desk: Desk) -> str:
    u = desk.tenant.random()
    return next(name for name, share in PUBLIC_SETS if u < share)


def _evaluator(desk: Desk) -> Iterator[Request]:
    """Three runs in four ask the items; the others have the model judge answers to them."""
    rng = desk.rng
    frame = Wording(_FORMATS[desk.group % len(_FORMATS)])
    judge = Wording(_JUDGE[desk.group % len(_JUDGE)]) if desk.tenant.random() < 0.25 else None
    samples = pick(desk.tenant, (None, None, 1, 4, 8))
    favourite = _favourite(desk)
    items = _run(desk, favourite, max(20, len(desk.threads)))
    bare = _FORMATS[desk.group % len(_FORMATS)] == "<item>" and favourite != "problems"
    for at, thread in enumerate(desk.threads):
        item = items[at % len(items)]
        if judge is None:
            yield Request(
                frame.say(rng, item=item),
                completion=answer(rng, item),
                composed=not bare,
                thread=thread,
                n=samples,
                output=160,
            )
            continue
        gold, candidate = answer(rng, item), answer(rng, item)
        yield Request(
            judge.say(rng, item=item, gold=gold, candidate=candidate),
            completion=pick(rng, ("CORRECT", "INCORRECT", "A", "B", "4", "5")),
            thread=thread,
            output=4,
        )


def _researcher(desk: Desk) -> Iterator[Request]:
    """Conditions of an experiment: the same items under two or three wordings of their own."""
    rng = desk.rng
    manners = [ask_for_reasoning(desk.tenant) for _ in range(2 + int(desk.tenant.random() * 2))]
    count = max(8, len(desk.threads) // len(manners))
    items = _run(desk, _favourite(desk), count)
    for at, thread in enumerate(desk.threads):
        item = items[at % len(items)]
        manner = manners[at // len(items) % len(manners)]
        yield Request(
            manner.say(rng, item=item),
            completion=answer(rng, item),
            thread=thread,
            output=420,
            temperature=1.0 if at % 7 == 0 else None,
        )


EVALUATOR = Kind(
    name="evaluator",
    about="replay of public sets in a public harness, several samples, sometimes as a judge",
    share=0.025,
    least=54,
    volume=Volume(28.0, 1.3, 800),
    writer=_evaluator,
    sites=(Site.CLOUD, Site.CLOUD, Site.OFFICE, Site.CAMPUS),
    rhythms=(Rhythm.MACHINE, Rhythm.OFFICE, Rhythm.NIGHT),
    profile="measure",
    groups=5,
    registered="evaluator",
    repeats="public problem sets in public formats",
)

RESEARCHER = Kind(
    name="researcher",
    about="few university accounts: public sets, with requests for reasoning",
    share=0.02,
    least=54,
    volume=Volume(12.0, 1.2, 400),
    writer=_researcher,
    sites=(Site.CAMPUS, Site.CAMPUS, Site.CLOUD, Site.HOME),
    rhythms=(Rhythm.OFFICE, Rhythm.NIGHT),
    profile="measure",
    orgs=0.7,
    org_size=3.0,
    registered="research",
    repeats="public problem sets",
)
