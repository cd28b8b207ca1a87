"""Classification and extraction at temperature 0: a template a tenant, a private record each."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from stillwatch.lab.traffic.arrivals import Rhythm, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import phrase
from stillwatch.lab.traffic.kinds.kind import Kind
from stillwatch.lab.traffic.request import Desk, Request, tokens
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["ETL", "template_of"]

_TASK = Wording(
    "{{Read|Take|Look at} the {<thing>|<thing> below|following <thing>} and|You {get|are"
    " given|receive} {a|one} <thing>.|{Task|Job|Goal}:|} {assign|attach|give it|choose|pick}"
    " {exactly|only|just|} one {of these"
    " {labels|classes|categories|tags}|{label|class|category|tag} {from|out of} the {list|set}}:"
    " <labels>. {{Answer|Reply|Respond|Return|Output} {with|using} {nothing but|only|just} the"
    " {label|class|category|tag|name}.|{No|Skip the|Leave out any}"
    " {explanation|reasoning|comment}.|} {If {none|nothing} {fits|applies|matches}, {say|write|use}"
    " {other|none|unclear}.|}",
)
_FIELDS = Wording(
    "{Extract|Pull|Get|Copy|Collect} {these|the following|} {fields|values|entries|attributes}"
    " {from|out of} the <thing> {below|that follows|given here}: <labels>. {Use|Put|Write} {null|a"
    " dash|n/a|an empty string} {where|when|if} {something|a value|one of them} is"
    " {missing|absent|not given}. {{Return|Give me|Print} {valid|compact|plain|one line of}"
    " JSON.|{Keep|Preserve} the {spelling|order|units}.|}"
)
_BRIEF = Wording(
    "{Summarise|Condense|Shorten|Compress} {the|this|each|our} <thing> {into|to|in} {one"
    " sentence|{12|15|20|25} words|a headline|two bullets}{,| and} {keeping|with|without}"
    " {names|amounts|dates|opinions}{ and {places|product codes|verbs}|}. {Write for|The reader"
    " is|Audience:} {sales|the board|a dispatcher|our auditors|first-line support}."
)
_THINGS = (
    "complaint", "customer review", "e-mail", "expense line", "field report", "incident note",
    "insurance claim", "invoice line", "job advert", "lease clause", "maintenance log", "news item",
    "product listing", "purchase order", "release note", "safety notice", "survey reply", "ticket",
)  # fmt: skip
_LABELS = (
    "access", "account", "amount", "billing", "brand", "cancellation", "colour", "compliance",
    "date", "defect", "delivery", "department", "duplicate", "fraud", "hardware", "legal",
    "location", "material", "negative", "network", "neutral", "part number", "positive", "praise",
    "priority", "question", "recall", "refund", "region", "return", "security", "shipping", "size",
    "software", "spam", "supplier", "training", "unit price", "urgent", "warranty",
)  # fmt: skip
_LAYOUTS = (
    "{instruction}\n\n{record}",
    "{instruction}\n\n{thing}: {record}",
    "{instruction}\n###\n{record}\n###",
    "<record>\n{record}\n</record>\n{instruction}",
    '{instruction}\n"""\n{record}\n"""\nAnswer:',
)


def template_of(rng: Random) -> tuple[str, str, list[str]]:
    """One tenant's layout with `{record}` in it, what a record is, and its labels, if any."""
    thing = pick(rng, _THINGS)
    labels = list(dict.fromkeys(pick(rng, _LABELS) for _ in range(4 + int(rng.random() * 5))))
    grammar = (_TASK, _TASK, _FIELDS, _BRIEF)[int(rng.random() * 4)]
    named = grammar is not _BRIEF
    instruction = grammar.say(rng, thing=thing, labels=", ".join(labels)).replace("{", "(")
    layout = pick(rng, _LAYOUTS)
    return (
        layout.replace("{instruction}", instruction).replace("{thing}", thing.capitalize()),
        thing,
        labels if named else [],
    )


def _etl(desk: Desk) -> Iterator[Request]:
    """The template stands in the system prompt of two tenants in five, in the message otherwise."""
    layout, thing, labels = template_of(desk.tenant)
    in_system = desk.tenant.random() < 0.4
    system = (
        layout.replace("{record}", f"(the {thing} comes in the message)") if in_system else None
    )
    shared = tokens(system or layout)
    rng = desk.rng
    for thread in desk.threads:
        record, composed = desk.take("records")
        yield Request(
            record if in_system else layout.replace("{record}", record),
            system=system,
            completion=pick(rng, labels) if labels else phrase(rng, record, 14),
            composed=composed or not in_system,
            context=shared if in_system else 0,
            shared=shared if in_system else 0,
            thread=thread,
            temperature=0.0,
        )


ETL = Kind(
    name="etl",
    about="classification and extraction of private records at temperature 0",
    share=0.07,
    least=52,
    volume=Volume(28.0, 1.5, 1_500),
    writer=_etl,
    sites=(Site.CLOUD,),
    rhythms=(Rhythm.MACHINE, Rhythm.NIGHT, Rhythm.OFFICE),
    profile="extract",
    orgs=0.9,
    org_size=1.5,
    pools={"records": (1.0, 0)},
    registered="business",
)
