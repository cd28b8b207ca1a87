"""Honest users who look most like distillers: data makers, graders, prompt rewriters."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from stillwatch.lab.traffic.arrivals import Rhythm, Volume
from stillwatch.lab.traffic.clauses import JUDGE, own_wording
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer, phrase, topics
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["GRADER", "REWRITER", "SYNTHETIC_DATA"]

_MAKE = tuple(
    Wording(grammar)
    for grammar in (
        "{Write|Invent|Draft} <count> <things> {that|which} {a|one} <who> {might|could}"
        " {send|leave} {during|after} <event>.",
        "<count> <things>, {please|all different}: <who>, <event>, {in|with} <a> {tone|mood}.",
        "{Imagine|Picture} {a|one} <who> {amid|before} <event>; {list|give} <count> <things>{, <a>"
        " {style|slang}|}.",
        "{Data|Samples} {needed|wanted}: <things> x <count>. {Speaker|Author}: <who>."
        " {Scene|Setting}: <event>.",
        "{As|Like} {a|some} <who> {facing|recalling} <event>, {produce|make up} <count> <things>.",
    )
)
_HOW = tuple(
    Wording(grammar)
    for grammar in (
        "{Vary|Mix} <a> {length|spelling} and {age|region}.",
        "{No|Skip} <a> {names|brands}, {keep|use} <b>.",
        "{Output|Format}: {one a line|a JSON list|a table}, <a> {first|last}.",
        "{Make|Keep} <a> {plausible|dull} {and|but} {never|not} <b>.",
        "{Label|Tag} {each|all} {with|by} <a>{ or <b>|}.",
        "{Half|A third} {should|must} {mention|hide} <a>.",
    )
)
_THINGS = (
    "chat openings", "complaints", "diary lines", "dialogue turns", "e-mails", "exam questions",
    "forum posts", "meeting notes", "menu items", "product questions", "reviews", "search queries",
    "short stories", "status updates", "support tickets", "voice commands", "voicemails",
)  # fmt: skip
_WHO = (
    "baker", "bus driver", "caretaker", "commuter", "dentist", "florist", "gardener", "goalkeeper",
    "grandmother", "hiker", "landlord", "librarian", "midwife", "new hire", "nurse", "pensioner",
    "plumber", "pupil", "receptionist", "sailor", "shift worker", "shopkeeper", "tourist", "vet",
)  # fmt: skip
_EVENTS = (
    "a flat tyre", "a late train", "a long queue", "a power cut", "a price rise", "a school play",
    "a wedding", "an audit", "an early frost", "an office move", "closing time", "the first day",
    "the harvest", "the last bus", "their holiday", "a broken lift", "a lost parcel",
    "a free trial",
)  # fmt: skip


def _synthetic(desk: Desk) -> Iterator[Request]:
    """A tenant with a contract: one template of its own over a grid of slots, to no end."""
    own, rng = desk.tenant, desk.rng
    things = [pick(own, _THINGS) for _ in range(2)]
    kept = {s: f"<{s}>" for s in ("count", "things", "who", "event")}
    rules = [pick(own, _MAKE), *dict.fromkeys(pick(own, _HOW) for _ in range(3))]
    about = desk.stock("definitions").texts[0]
    frame = Wording(" ".join(rule.say(own, **kept, **topics(own, about)) for rule in rules))
    for thread in desk.threads:
        seed = desk.take("definitions")[0]
        yield Request(
            frame.say(
                rng,
                count=str(pick(rng, (5, 8, 10, 20))),
                things=pick(rng, things),
                who=pick(rng, _WHO),
                event=pick(rng, _EVENTS),
            )
            + f" {phrase(rng, seed, 9)}",
            completion=answer(rng, seed),
            thread=thread,
            output=520,
        )


#: rubric prompts that public observability tools bring along; then there are home-made ones
_RUBRICS = (
    "You are an impartial evaluator. Score the answer from 1 to 10 for relevance, groundedness and"
    " tone.\n\n[Question]\n<question>\n\n[Answer]\n<reply>\n\nReturn JSON with the keys score and"
    " reason.",
    "Below are a user message and the assistant's reply in production. Flag the reply if it is off"
    " topic, rude or invented.\nUser: <question>\nAssistant: <reply>\nVerdict (pass/fail):",
    "Rubric: 0 = wrong, 1 = partly right, 2 = right, 3 = right and complete.\nQ: <question>\nA:"
    " <reply>\nGive the number only.",
)
_RUBRIC = Wording(
    "{Grade|Score|Mark|Rate} {this|the} {reply|answer|message} {our|the}"
    " {bot|assistant|agent|trainee} {wrote|gave|sent}{ {out of|from 1 to|with 0 to} {5|10|100}|}."
    " {Look|Check} {for|at} {accuracy|tone|facts}{,| and} {length|clarity|politeness}{ {above"
    " all|first|most}|}.\n{They asked|Customer|Input}: <question>\n{Reply|It said|Output}:"
    " <reply>{\n{Number|Score|Grade}{ only|}:|}"
)


def _grader(desk: Desk) -> Iterator[Request]:
    """Two in five use a tool's rubric, shared with strangers; the others write their own."""
    own, rng = desk.tenant, desk.rng
    u = own.random()
    if u < 0.4:
        frame = Wording(_RUBRICS[desk.group % len(_RUBRICS)])
    elif u < 0.7:
        frame = own_wording(own, JUDGE, ways=1)  # a duel of two versions of their bot
    else:
        frame = Wording(_RUBRIC.say(own, question="<question>", reply="<reply>"))
    for thread in desk.threads:
        question = desk.take("chat")[0]
        reply, other = answer(rng, question), answer(rng, question)
        yield Request(
            frame.say(rng, question=question, reply=reply, item=question, one=reply, two=other),
            completion=_verdict(rng),
            thread=thread,
            output=12,
        )


def _verdict(rng: Random) -> str:
    return pick(
        rng, ("7", "8", "9", "pass", "pass", "fail", "2", "3", '{"score": 8}', '{"score": 5}')
    )


_IMPROVERS = (
    "Rewrite the prompt below so that a language model gives a better answer. Keep its intent, add"
    " missing context, and return the new prompt only.\n\nPrompt: <prompt>",
    "You are a prompt engineer. Improve this prompt: make it specific, name the audience and the"
    " output format.\n<prompt>",
)
_IMPROVE = Wording(
    "{make|turn|rework} {this|my} {into|to be} a {better|clearer|tighter|safer}"
    " {prompt|instruction|system message}{ for {our bot|a small model|image captions|my agent}|}{,|"
    " -} {keep|without losing} {the point|my tone|all constraints}: <prompt>"
)


def _rewriter(desk: Desk) -> Iterator[Request]:
    own, rng = desk.tenant, desk.rng
    if own.random() < 0.5:
        frame = Wording(_IMPROVERS[desk.group % len(_IMPROVERS)])
    else:
        frame = Wording(_IMPROVE.say(own, prompt="<prompt>"))
    for thread in desk.threads:
        prompt = desk.take("chat")[0]
        yield Request(
            frame.say(rng, prompt=prompt),
            completion=answer(rng, prompt),
            thread=thread,
            output=150,
        )


SYNTHETIC_DATA = Kind(
    name="synthetic_data",
    about="a tenant with a contract that makes training data for tasks of its own",
    share=0.02,
    least=54,
    volume=Volume(28.0, 1.4, 900),
    writer=_synthetic,
    sites=(Site.CLOUD,),
    rhythms=(Rhythm.MACHINE, Rhythm.NIGHT),
    profile="generate",
    orgs=1.0,
    org_size=1.3,
    registered="synthetic-data",
    pools={"definitions": Supply(0.3, 4)},
)

GRADER = Kind(
    name="grader",
    about="honest graders of their own product's answers, two in five with a tool's rubric",
    share=0.025,
    least=54,
    volume=Volume(10.0, 1.3, 300),
    writer=_grader,
    rhythms=(Rhythm.MACHINE, Rhythm.OFFICE),
    profile="grade",
    orgs=0.8,
    groups=len(_RUBRICS),
    pools={"chat": Supply(1.0, 0)},
    beside=(("support_bot", 0.3),),
)

REWRITER = Kind(
    name="rewriter",
    about="honest prompt improvers, half with a public tool's words",
    share=0.025,
    least=54,
    volume=Volume(7.0, 1.3, 150),
    writer=_rewriter,
    rhythms=(Rhythm.OFFICE, Rhythm.HUMAN),
    profile="assistant",
    orgs=0.5,
    groups=len(_IMPROVERS),
    pools={"chat": Supply(1.0)},
    beside=(("chat", 0.3),),
)
