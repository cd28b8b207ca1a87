"""Families that sweep a grid: personas × tasks, and agents in forks of one repository state."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from stillwatch.lab.traffic.arrivals import Turns, Volume
from stillwatch.lab.traffic.attacks.family import Family
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer, phrase
from stillwatch.lab.traffic.kinds.coding import HARNESS_TOOLS, harness_prompt
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request, digest, tokens
from stillwatch.lab.traffic.scenario import Tier
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["PERSONAS", "TRAJECTORIES"]

_UNUSED = Volume(1.0, 1.0, 1.0)

_PERSONA = Wording(
    "{A|An experienced|A retired|A newly hired|A sceptical|A self-taught}"
    " {archivist|beekeeper|bookbinder|cartographer|choreographer|crane"
    " operator|dispatcher|epidemiologist|farrier|glaciologist|interpreter|locksmith|luthier|meteoro"
    "logist|notary|optician|paramedic|pastry cook|quarry"
    " manager|radiographer|shipwright|surveyor|tax"
    " adviser|toxicologist|upholsterer|volcanologist|watchmaker|zookeeper} {from a mountain"
    " village|in a port city|on night shifts|with two apprentices|who writes a column|who distrusts"
    " statistics|who collects old manuals|preparing for retirement|facing new regulations|with a"
    " tiny budget} {and a passion for|who has just read about|who argues with colleagues about|who"
    " must explain} <phrase>"
)
_GRID = Wording(
    "{Create a challenging problem that the following persona would pose.|Guess a request that the"
    " persona below may send to an assistant.|Write an instructive article from the point of view"
    " of this persona.|Simulate a dialogue in which the persona learns something difficult.|Produce"
    " a question and a model answer that fit the persona.}\n\n{Persona|Character|Profile}:"
    " <persona>\n\n{The output must be specific and rich in knowledge.|Use the details of the"
    " persona so that the output is unique to it.|Do not name the persona in the output.|Only a"
    " talented expert should be able to answer.|Start the output with the word OUTPUT and a"
    " colon.|Avoid common topics and explain unusual terms.}"
)


def _personas(desk: Desk) -> Iterator[Request]:
    rng = desk.rng
    for thread in desk.threads:
        seed = desk.take("passages", "chat")[0]
        persona = f"{_PERSONA.say(rng, phrase=phrase(rng, seed, 9))}. {answer(rng, seed)}"
        yield Request(
            _GRID.say(rng, persona=persona),
            completion=answer(rng, seed),
            thread=thread,
            output=460,
        )


_TASK = Wording(
    "Resolve the issue in the repository mounted at /testbed. Do not modify the tests. When you are"
    " done, submit the patch.\n\nIssue: {unexpected result|regression|crash|wrong default} around"
    " <phrase>.\n\nRelevant file:\n<code>"
)


def _trajectories(desk: Desk) -> Iterator[Request]:
    """Sandboxes: many runs from the same repository state; nobody thinks between two steps."""
    stock = desk.stock("code")
    system, tools = harness_prompt(2), HARNESS_TOOLS[2]
    shared = tokens(system) + 90 * len(tools)
    talks = Talks(desk.lengths)
    states = desk.effort.states(stock, 6)
    where: dict[int, int] = {}
    for thread in desk.threads:
        talk = talks.open(thread)
        if thread not in where:
            where[thread] = int(desk.rng.random() * len(states))
        state = states[where[thread]]
        step = len(talk.messages) // 2
        own = Random(f"{digest(state)} {step}")  # the sandbox answers every run alike
        text = (
            _TASK.say(own, phrase=phrase(own, state, 3), code=state[:1_500])
            if step == 0
            else f"exit code {int(own.random() * 2)}\n{phrase(own, state, 60)}"
        )
        call = f"{pick(desk.rng, tools)}({phrase(desk.rng, state, 3)!r})"
        yield Request(
            text,
            history=talk.messages,
            system=system,
            tools=tools,
            completion=call,
            context=shared + talk.tokens,
            shared=shared,
            thread=thread,
            role="tool" if step else "user",
            finish="tool_calls",
        )
        talk.add(text, call, "tool" if step else "user")
        talks.close(thread)


PERSONAS = Family(
    behaviour=Kind(
        name="persona_grid",
        about="a grid of personas and tasks",
        share=0,
        volume=_UNUSED,
        writer=_personas,
        sites=(Site.HOME, Site.CLOUD),
        profile="generate",
        pools={"chat": Supply(0.5, 2), "passages": Supply(0.5, 2, optional=True)},
    ),
    tiers=(Tier.T1,),
)
TRAJECTORIES = Family(
    behaviour=Kind(
        name="agent_trajectories",
        about="agents in sandboxes: many runs from each of a few repository states",
        share=0,
        volume=_UNUSED,
        writer=_trajectories,
        turns=Turns(median=6, log_sd=0.6, longest=16, pause=4, pause_log_sd=0.5),
        sites=(Site.CLOUD, Site.HOME),
        client="harness",
        profile="agent",
        pools={"code": Supply(0.1, 2)},
    ),
    tiers=(Tier.T0,),
)
