"""Families that use the teacher as a worker: judge, rewriter of instructions, cleaner of data."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.arrivals import Rhythm, Volume
from stillwatch.lab.traffic.attacks.family import Effort, Family
from stillwatch.lab.traffic.clauses import JUDGE as JUDGE_CLAUSES
from stillwatch.lab.traffic.clauses import own_wording
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer, phrase, topics
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.scenario import Tier
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["CLEANER", "EVOLUTION", "JUDGE"]

_UNUSED = Volume(1.0, 1.0, 1.0)

_JUDGE_T2 = tuple(
    Wording(grammar)
    for grammar in (
        "{asked|prompted}: <item>\n{x|left}: <one>\n{y|right}: <two>\n{who|which} {handles|treats}"
        " <a> {better|finer}, {marks|points} {on|for} <b> {too|as well}?",
        "<one>\n{versus|against}\n<two>\n{wiser|better} {about|on} <a> {given|under} <item>?"
        " {weigh|mark} <b> {harshly|coldly}, <c> {less|after}",
        "{two|a pair of} {drafts|tries} on <a>, {namely|that is} <item>:\n1) <one>\n2)"
        " <two>\n{where|does} <b> {limp|err|shine}? {figure|digit} {each|both}",
        "{jury|referee} {hat|role}: {brief|task} <item>; {got|saw} <one> {and|then} <two>."
        " {ruling|call} on <a>, {digits|grades} {by|for} <b>",
        "<item>\n(i) <one>\n(ii) <two>\n{would|might} {a|your} <a> {lover|expert} {pick|buy} {i|the"
        " first} for <b>? {stars|tally} {per|for} <c>",
        "{teacher|coach} {marking|scoring} <a>: {pupil|kid} one <one> {pupil|kid} two <two>"
        " {asked|set} <item> - <b> {penalised|docked}, <c> {praised|up}",
    )
)


def _judge(desk: Desk) -> Iterator[Request]:
    """The teacher as reward model: prompts and candidates of the student, teacher's grade."""
    campaign = desk.effort.campaign
    rng = desk.rng
    own = (own_wording(desk.common, JUDGE_CLAUSES),)
    wordings = _JUDGE_T2 if campaign.tier is Tier.T2 else own
    for thread in desk.threads:
        item = desk.take("chat", "passages")[0]
        passages = desk.stock("passages", "chat")
        one, two = answer(rng, item), answer(rng, f"{item} {passages.any()[:200]}")
        yield Request(
            pick(rng, wordings).say(
                rng, item=item, one=one, two=two, **topics(rng, item + one + two)
            ),
            completion=f'{{"a": {int(rng.random() * 11)}, "b": {int(rng.random() * 11)}}}',
            thread=thread,
            output=60,
        )


_EVOLVE = Wording(
    "{I want you to act as a prompt rewriter.|Your objective is to evolve a given instruction.|Turn"
    " the seed instruction into a harder variant.|We grow a collection of instructions by"
    " rewriting.}{ |\n}{Add one more constraint or requirement without changing the"
    " subject.|Replace general notions by more specific ones.|Raise the number of reasoning steps"
    " that a solver needs.|Deepen the inquiry so that a short reply cannot suffice.|Draw"
    " inspiration from the seed and create a rarer instruction in the same domain.|Complicate the"
    " input with data that must be read first.}\n\n#Given#: <item>\n\n{The rewritten text must be"
    " reasonable and understood by humans.|Do not make it verbose; add ten to twenty words at"
    " most.|Phrases such as given prompt must not appear in it.|Return the rewritten instruction"
    " and nothing besides.|Keep tables and code of the seed intact.}\n#Rewritten#:"
)


def _evolution(desk: Desk) -> Iterator[Request]:
    """Four rounds: the answer to one request is the seed of another, mostly of another account."""
    effort: Effort = desk.effort
    rng = desk.rng
    for thread in desk.threads:
        if effort.answers and rng.random() < 0.75:
            seed = effort.answers.pop(int(rng.random() * len(effort.answers)))
        else:
            first = desk.take("chat")[0]
            seed = f"{first} {answer(rng, first)}"
        # the teacher rewrites most of it: a few words of the seed stay
        evolved = f"{phrase(rng, seed, 6)}: {answer(rng, seed)} {answer(rng, seed)}"
        if rng.random() < 0.9:
            effort.answers.append(evolved)
        yield Request(_EVOLVE.say(rng, item=seed), completion=evolved, thread=thread, output=70)


_CLEAN = Wording(
    "{The sample below comes from a data set that is being prepared.|You repair samples for a"
    " corpus of explanations.|Here is a generated sample that needs a second pass.|Quality control"
    " of one record follows.}{ |\n}{Correct factual slips and broken sentences, keep everything"
    " else.|Rewrite it in a consistent, neutral register.|Remove refusals, hedges and references to"
    " being a model.|Expand the reasoning where a step is missing.|Shorten repetitions and restore"
    " the order of the argument.|Make the tone match a textbook.}\n"
    "\n{SAMPLE|RECORD|TEXT}:\n<item>\n\n{Return the cleaned sample only.|Return the sample and a"
    " list of changes.|If it cannot be saved, return DISCARD.|Keep the length within ten percent.}"
)


def _cleaner(desk: Desk) -> Iterator[Request]:
    """Asks, and sends the teacher's answers of other requests back in to be cleaned."""
    effort: Effort = desk.effort
    rng = desk.rng
    for thread in desk.threads:
        if len(effort.answers) > 2 and rng.random() < 0.75:
            given = effort.answers.pop(int(rng.random() * len(effort.answers)))
            words = given.split()
            cut = int(rng.random() * max(1, len(words) - 8))
            cleaned = " ".join(words[:cut] + words[cut + 2 :])
            if rng.random() < 0.2:  # a second pass, by another account
                effort.answers.append(cleaned)
            yield Request(
                _CLEAN.say(rng, item=given),
                completion=cleaned,
                thread=thread,
            )
            continue
        taught = desk.take("passages")[0][:420]
        effort.answers.append(taught)
        yield Request(
            desk.take("chat", "passages")[0], completion=taught, thread=thread, composed=False
        )


JUDGE = Family(
    behaviour=Kind(
        name="judge_harvest",
        about="the teacher as reward model: a rubric, a prompt, two candidates",
        share=0,
        volume=_UNUSED,
        writer=_judge,
        sites=(Site.HOME, Site.CLOUD),
        rhythms=(Rhythm.HUMAN, Rhythm.MACHINE),
        profile="grade",
        pools={"chat": Supply(1.0, 1), "passages": Supply(0.3, 2, optional=True)},
    ),
    tiers=(Tier.T1, Tier.T2),
)
EVOLUTION = Family(
    behaviour=Kind(
        name="instruction_evolution",
        about="prompts are rewritten in rounds: an answer is the next request's seed",
        share=0,
        volume=_UNUSED,
        writer=_evolution,
        sites=(Site.HOME, Site.CLOUD),
        profile="generate",
        pools={"chat": Supply(0.4, 2)},
    ),
    tiers=(Tier.T1,),
)
CLEANER = Family(
    behaviour=Kind(
        name="cleaner",
        about="the teacher's answers come back in, through other accounts, to be cleaned",
        share=0,
        volume=_UNUSED,
        writer=_cleaner,
        sites=(Site.HOME, Site.CLOUD),
        profile="generate",
        pools={"passages": Supply(0.6, 2), "chat": Supply(0.6, 2, optional=True)},
    ),
    tiers=(Tier.T1,),
)
