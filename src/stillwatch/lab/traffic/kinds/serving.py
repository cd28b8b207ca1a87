"""Businesses that put the model in front of their customers: support bots and RAG."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.kinds.answers import answer, phrase
from stillwatch.lab.traffic.kinds.instructions import system_prompt
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request, tokens
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["RAG", "SUPPORT"]

_FIRM = ("Alder", "Brightwell", "Corvane", "Dunmore", "Eastbank", "Fenwick", "Galloway", "Hartley")
_SUFFIX = ("& Sons", "Direct", "Group", "Home", "Labs", "Online", "Supply", "Works")
_GOODS = (
    "bicycles", "boilers", "broadband", "cameras", "car insurance", "coffee machines", "desks",
    "e-readers", "garden tools", "heat pumps", "hearing aids", "kitchens", "mattresses",
    "outdoor wear", "pet food", "prepaid cards", "printers", "running shoes", "solar panels",
    "toys", "travel passes",
)  # fmt: skip

_CUSTOMER = tuple(
    Wording(grammar)
    for grammar in (
        "{hi|hello|hey|good morning|}{,|} {my|the|our} {parcel|order|package|delivery} {<id>|}"
        " {still hasn't|has not|never} {arrived|come|shown up|turned up}{,| and} it's"
        " {been|already|now} {four|six|nine|ten|twelve} {days|working days}{. what now?|. where is"
        " it?|!!|.}",
        "{how|where|in which menu} {do|can|could|would} {i|we} {change|update|correct|edit}"
        " {my|the} {address|e-mail|phone number|name|card} {on|for|in} {my|the|an}"
        " {account|profile|existing order|subscription}{? <id>|?}",
        "{i|we} {bought|got|ordered} {a|one of your|some} <goods> {last|back in}"
        " {week|month|spring|may|june} {and|but} {it|one part|the thing} {stopped|no longer|keeps}"
        " {working|starting|charging|failing}{ after {two|three|a few} {days|uses}|}."
        " {warranty?|can i return it?|what are my options?|please advise}",
        "{why|for what reason} {was|were|am} {i|we} {charged|billed} {twice|again|too much|<id>}"
        " {this month|for <goods>|on {monday|friday|the 3rd}|}? {please|could you|i want you to}"
        " {refund|check|fix|explain} {it|this|that}{ asap| today| quickly|}",
        "{cancel|stop|end|terminate} {my|our} {plan|contract|subscription|membership}{ <id>|}{"
        " please|}{, {i'm|we are} {moving|not using it|unhappy with it|switching}|}",
        "{do|does} {you|your shop|the store in town} {still|also|} {sell|stock|carry|repair}"
        " {spares|accessories|refills|covers} for {older|last year's|discontinued|imported}"
        " <goods>{?|, and {how much|at what price|how soon}?}",
        "{i|my wife|my husband|my son|our office} {forgot|lost|can't remember|mistyped} {the|my|a}"
        " {password|pin|code|login} {and|so} {the reset|your} {mail|link|text}"
        " {never|doesn't|won't} {come|arrive|open|work}{ since {noon|yesterday|sunday}|}",
        "{yes|no|ok|right|thanks}{,|.} {it's|that is|the number is|number} <id>{, {bought|ordered|"
        "shipped} {in|around} {april|may|july|september}|, on {my|the company|a gift} card|}",
        "{can|could|may} {i|we} {swap|exchange|trade} {the|these|my} <goods> {for|against} {a|the}"
        " {larger|smaller|newer|quieter|blue|black|cheaper} {one|model|pair|version}{ in"
        " {store|town}|}?",
        "{that|this|it} {didn't|did not|doesn't} {help|work|change a thing}{.|, {same|still the}"
        " error <id>.} {is there|do you have} {a person|anyone|a human|a supervisor} {i|we} can"
        " {call|talk to|speak with}?",
    )
)


def _support(desk: Desk) -> Iterator[Request]:
    own = desk.tenant
    goods = pick(own, _GOODS)
    known = desk.stock("passages").texts[:3] if "passages" in desk.stocks else (desk.aside(),)
    about = f"{goods} {' '.join(known)}"
    system = system_prompt(own, f"{pick(own, _FIRM)} {pick(own, _SUFFIX)}", about)
    mark = f"{pick(own, 'ABCDEFGHKLMNPRSTWXZ')}{pick(own, 'ABCDEFGHKLMNPRSTWXZ')}"
    rng = desk.rng
    talks = Talks(desk.lengths)
    shared = tokens(system)
    for thread in desk.threads:
        talk = talks.open(thread)
        if "banking77" in desk.stocks and rng.random() < 0.6:
            text, composed = desk.take("banking77")
        elif "service" in desk.stocks and rng.random() < 0.08:
            text, composed = desk.take("service")
        else:
            number = f"{mark}-{int(rng.random() * 1e7):07d}"
            text, composed = pick(rng, _CUSTOMER).say(rng, id=number, goods=goods), True
            if rng.random() < 0.7:
                text = f"{text} {desk.aside('chat')}"
            if number not in text:
                text = f"{text} ({_SLIP.say(rng)} {number})"
        reply = answer(rng, text)
        yield Request(
            text,
            history=talk.messages,
            system=system,
            completion=reply,
            composed=composed,
            context=shared + talk.tokens,
            shared=shared,
            thread=thread,
            end_user=f"c{thread % 9973:05d}",
        )
        talk.add(text, reply)
        talks.close(thread)


_SLIP = Wording("{ref|order|customer|case|ticket|invoice|my number} {is|no|nr|:|}")


#: prompt templates of public RAG frameworks: strangers send them word for word
FRAMEWORKS = (
    "Answer the user's question from the documents below and from nothing else. If they do not hold"
    " the answer, reply that you could not find it.\n\nDocuments:\n<context>\n\nQuestion:"
    " <question>\nHelpful answer:",
    "Context information is given between the"
    " lines.\n---------------------\n<context>\n---------------------\nWithout prior knowledge, and"
    " with this context only, respond to the query.\nQuery: <question>\nResponse:",
    "You will receive search results and a question. Write a cited reply: put the number of the"
    " result in square brackets after each claim that it supports.\n\n<context>\n\nUser question:"
    " <question>",
    "\\<documents>\n<context>\n\\</documents>\n\nRead the documents first. Quote the sentences that"
    " matter inside \\<quotes> tags, then reply to the request inside \\<reply> tags.\n\nRequest:"
    " <question>",
    "### Instruction\nUse the knowledge base entries to help the customer.\n### Knowledge base\n"
    "<context>\n### Customer asks\n<question>\n### Reply",
    "Given the following chunks, produce a grounded answer of at most four sentences and list the"
    " chunk identifiers that you relied on.\nCHUNKS\n<context>\nQUESTION\n<question>",
    "Du bekommst Auszüge aus einer Wissensdatenbank. Beantworte die Frage nur mit ihrer Hilfe und"
    " nenne die Stelle.\n\nAuszüge:\n<context>\n\nFrage: <question>\nAntwort:",
    "Retrieved passages:\n<context>\n\nBased strictly on the retrieved passages, answer in the"
    " language of the question and say how certain you are.\n\nQ: <question>\nA:",
)

_ASK = tuple(
    Wording(grammar)
    for grammar in (
        "{what|which} {does|do} {it|the guide|our docs|they} {say|mean|state|recommend}"
        " {about|on|by} <phrase>?",
        "{how|in what way|when} {should|do|can|must} {i|we|one} {use|handle|set|read} <phrase>?",
        "{is|was} <phrase> {still|always|ever} {needed|right|supported|allowed}{ here| now|}?",
        "<phrase>{?|, what is that?| - explain| meaning?|}",
        "{who|what team|which part} {owns|covers|needs|explains} <phrase>{ and why|}?",
        "{difference|relation|conflict} between <phrase> and <other>?",
        "{give me|i need|list|show} {the|all|two} {steps|limits|rules|reasons} {for|behind}"
        " <phrase>",
        "{my|a} {colleague|customer|manager} {asks|wonders|claims}{: | that |, }<phrase>{?|."
        " true?}",
    )
)


def _rag(desk: Desk) -> Iterator[Request]:
    template = Wording(FRAMEWORKS[desk.group % len(FRAMEWORKS)])
    rng = desk.rng
    stock = desk.stock("passages")
    chunks = 2 + int(desk.tenant.random() * 2)
    for thread in desk.threads:
        passages = [stock.any()[:700] for _ in range(chunks)]
        question = pick(rng, _ASK).say(
            rng, phrase=phrase(rng, passages[0]), other=phrase(rng, passages[-1], 2)
        )
        context = "\n\n".join(f"[{i}] {p}" for i, p in enumerate(passages, 1))
        yield Request(
            template.say(rng, context=context, question=question),
            completion=phrase(rng, passages[0], 28),
            thread=thread,
            output=110,
        )


SUPPORT = Kind(
    name="support_bot",
    about="a firm's customers behind one constant system prompt",
    share=0.05,
    least=52,
    volume=Volume(14.0, 1.4, 900),
    writer=_support,
    turns=Turns(),
    rhythms=(Rhythm.HUMAN,),
    profile="assistant",
    orgs=0.9,
    org_size=1.3,
    conversations=0.5,
    pools={
        "banking77": Supply(0.6, 1, optional=True),
        "service": Supply(0.08, 1, optional=True),
        "chat": Supply(0.03, 4, optional=True),
        "passages": Supply(0.0, 3, optional=True),
    },
    registered="business",
)

RAG = Kind(
    name="rag",
    about="retrieval over private documents, with the prompt of a public framework",
    share=0.08,
    least=52,
    volume=Volume(15.0, 1.4, 900),
    writer=_rag,
    rhythms=(Rhythm.OFFICE, Rhythm.HUMAN),
    profile="assistant",
    orgs=0.8,
    groups=len(FRAMEWORKS),
    pools={"passages": Supply(0.15, 14)},
)
