"""Classification and extraction at temperature 0: a template a tenant, a private record each."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from stillwatch.lab.traffic.arrivals import Rhythm, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import phrase
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
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


_COLUMNS = (
    "agent", "amount", "article", "asset", "balance", "batch", "branch", "carrier", "category",
    "channel", "city", "class", "colour", "contact", "cost centre", "counter", "depth", "desk",
    "due", "duty", "entry", "fare", "fee", "floor", "gate", "grade", "height", "item", "lane",
    "length", "level", "line", "lot", "maker", "model", "note", "office", "origin", "owner", "page",
    "part", "plot", "port", "quantity", "rate", "reading", "reason", "room", "route", "row", "seat",
    "section", "serial", "shelf", "shift", "size", "slot", "state", "term", "unit", "weight",
)  # fmt: skip

_SORTS = ("word", "word", "number", "code")
#: what stands between two columns, and after the name of a column
_STYLES = (
    ("\n", ": "),
    ("; ", "="),
    (" | ", " "),
    ("\n", "\t"),
    (", ", ": "),
    ("\n", " - "),
)


class _Form:
    """A tenant's own form: which columns, in what order, how written. No two tenants share one."""

    def __init__(self, rng: Random) -> None:
        columns = dict.fromkeys(pick(rng, _COLUMNS) for _ in range(5 + int(rng.random() * 5)))
        self._columns = [(column, pick(rng, _SORTS)) for column in columns]
        self._between, self._after = pick(rng, _STYLES)
        self._remark = rng.random() < 0.6
        self._letters = pick(rng, "ABCDEFGHKLMN") + pick(rng, "PRSTUVWXZ")

    def fill(self, desk: Desk) -> str:
        """A record that nobody sent before."""
        rng, words = desk.rng, desk.public("nouns")
        cells = [f"{self._letters}{int(rng.random() * 1e9):09d}"]
        for column, sort in self._columns:
            if sort == "word":
                value = pick(rng, words)
            elif sort == "number":
                value = f"{rng.random() * 5_000:.2f}"
            else:
                value = f"{int(rng.random() * 1e6):06d}"
            cells.append(f"{column}{self._after}{value}")
        if self._remark:
            cells.append(desk.aside("headings"))
        return self._between.join(cells)


def _etl(desk: Desk) -> Iterator[Request]:
    """The template stands in the system prompt of two tenants in five, in the message otherwise."""
    layout, thing, labels = template_of(desk.tenant)
    in_system = desk.tenant.random() < 0.4
    system = (
        layout.replace("{record}", f"(the {thing} comes in the message)") if in_system else None
    )
    shared = tokens(system or layout)
    rng = desk.rng
    form = _Form(desk.tenant) if "headings" in desk.stocks else None
    for thread in desk.threads:
        record, composed = (form.fill(desk), True) if form else desk.take(*desk.stocks)
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
    either=(
        *({"headings": Supply(0.02, 6)},) * 5,
        *({"records": Supply(1.0)},) * 2,
        *({"definitions": Supply(1.0)},) * 2,
    ),
    registered="business",
)
