"""Programs that work for people: coding agents that run for hours, and tools behind functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import msgspec

from stillwatch.lab.corpus import tool_request
from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer, phrase
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request, tokens
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["CODING_AGENT", "HARNESS_TOOLS", "TOOL_USE", "coding_turn", "harness_prompt"]

_HARNESSES = 6
_RULES = tuple(
    Wording(grammar)
    for grammar in (
        "{Before|Prior to} {editing|changing|touching} a file, {read|open|load} {it|the whole of"
        " it} with {view|read_file|cat} {so that|because} {line numbers|offsets} {are|stay}"
        " {right|current}.",
        "{Prefer|Favour|Choose} {small|minimal|focused} {edits|patches|diffs} {over|to}"
        " {rewrites|new files|refactors}{, {and|but} {match|follow|keep} the {style|idiom|naming}"
        " {around|nearby} it|}.",
        "{Run|Execute|Start} the {tests|checks|linter} {after|following} {each|every|any}"
        " {change|edit}{ and {read|quote|show} {the|any} {output|failures|errors}|}.",
        "{Never|Do not} {commit|push|publish|delete} {anything|work|branches} {unless|until} the"
        " user {asks|says so|agrees}{ in {words|this session}|}.",
        "{When|If} a {command|tool|test} {fails|hangs}, {say|report|explain} {why|what happened|the"
        " cause} {before|and then} {retrying|trying again|going on}.",
        "{Keep|Maintain|Write} a {list|plan|checklist} of {steps|tasks} {for|in} {anything|work}"
        " {longer|bigger|larger} than {three|four|five} {steps|edits|commands}.",
        "{Answers|Replies|Messages} {go|are shown} {in|on} a {terminal|narrow panel|log}:"
        " {be|stay|keep} {brief|short|terse}{ and {skip|avoid|drop}"
        " {preambles|greetings|summaries}|}.",
        "{Secrets|Keys|Tokens|Passwords} {found|seen} in {files|logs|the environment} {must not|may"
        " never|do not} {appear|show up|be repeated} in {output|patches|answers}.",
        "{Search|Look|Grep} {first|before asking}: {the answer|most of it} {is|stands}"
        " {often|usually} in {the repository|the code|its tests|the docs}.",
        "{Paths|File names} {are|must be} {absolute|relative to the root|quoted}{, {spaces|blanks}"
        " {included|escaped}|}.",
    )
)
HARNESS_TOOLS = (
    ("bash", "view", "edit", "glob", "grep", "todo"),
    ("read_file", "apply_diff", "execute", "search", "finish"),
    ("shell", "patch", "browser"),
    ("open", "scroll", "replace_lines", "run", "submit"),
    ("list_dir", "read_file", "write_file", "codebase_search", "terminal"),
    ("cat", "sed", "pytest", "git"),
)
_TASK = tuple(
    Wording(grammar)
    for grammar in (
        "{the|our|this} {build|test|import|job} {around|for|in} <phrase> {fails|breaks|hangs|is"
        " flaky} {since|after} {the|our} {upgrade|merge|refactor|release}{, {find|track down} {out"
        " why|the cause}|. fix it}",
        "{add|write|implement} {support|an option|a flag|handling|a fallback} for <phrase>{"
        " {and|with} {tests|docs|a changelog line}|}",
        "{rename|move|split|inline} <phrase> {everywhere|in the package|into its own module}{"
        " {without breaking|but keep} {callers|the public names|old pickles}|}",
        "{why|where} {does|do|is} <phrase> {get called|end up none|leak|run twice|take so long}{?|"
        " when {idle|there is no input|two workers start}?}",
        "{review|go over|look at} {my|the last|this} {diff|commit|branch} {touching|about|in}"
        " <phrase>{ and {list|tell me} {risks|what is missing}|}",
        "{types|mypy|the linter|coverage} {complain|complains|is red} {about|on|at} <phrase>{,"
        " {clean|tidy} {it|that} up|}",
    )
)
_LOG = Wording(
    "{$ |> |}{pytest -q|make check|npm test|go test ./...|cargo test|tox -e py} <where>\n{<a>"
    " passed, <b> failed in <c>s|FAILED <where>::<name> - <error>|<a> tests, <b> skipped (<c>s)|ok"
    " <where> <c>s|error: <error> at <where>:<a>}\n{exit code {0|1|2}|<name>: <error>|}"
)
_ERRORS = (
    "AssertionError", "KeyError", "TypeError: unexpected keyword", "timeout", "undefined symbol",
    "ImportError", "index out of range", "mismatched types", "connection refused", "no such file",
)  # fmt: skip


def harness_prompt(harness: int) -> str:
    """The system prompt of public harness number `harness`: the same in every simulation."""
    rng = Random(f"harness {harness}")
    rules = [rule.say(rng) for rule in _RULES for _ in range(2)]
    rng.shuffle(rules)
    head = f"You are a coding assistant that works in a user's repository (harness {harness + 1})."
    return "\n".join([head, *(f"- {rule}" for rule in dict.fromkeys(rules))])


def coding_turn(desk: Desk, first: bool) -> tuple[str, bool, str]:
    """New text, whether it is composed, and its role: a task, a piece of a file, or a log."""
    rng = desk.rng
    if first:
        return pick(rng, _TASK).say(rng, phrase=desk.aside("code")), True, "user"
    if "code" in desk.stocks and rng.random() < 0.6:
        code, composed = desk.take("code")
        return code[:1_500], composed, "tool"
    words = _WORD.findall(desk.stock("code").any()[:400] if "code" in desk.stocks else desk.aside())
    words = words or ["main"]
    log = _LOG.say(
        rng,
        where=f"{pick(rng, words)}/{pick(rng, words)}_{int(rng.random() * 1e4)}",
        name=f"test_{pick(rng, words)}_{pick(rng, words)}",
        error=pick(rng, _ERRORS),
        a=str(int(rng.random() * 900)),
        b=str(int(rng.random() * 12)),
        c=f"{rng.random() * 90:.2f}",
    )
    return log, True, "tool"


_WORD = re.compile(r"[A-Za-z_]{3,18}")


def _coding(desk: Desk) -> Iterator[Request]:
    harness = desk.group % _HARNESSES
    system, tools = harness_prompt(harness), HARNESS_TOOLS[harness]
    shared = tokens(system) + 90 * len(tools)
    rng = desk.rng
    talks = Talks(desk.lengths)
    for thread in desk.threads:
        talk = talks.open(thread)
        text, composed, role = coding_turn(desk, not talk.messages)
        call = f"{pick(rng, tools)}({phrase(rng, text, 2)!r})"
        yield Request(
            text,
            history=talk.messages,
            system=system,
            tools=tools,
            completion=call,
            composed=composed,
            context=shared + talk.tokens,
            shared=shared,
            thread=thread,
            role=role,
            finish="tool_calls",
        )
        talk.add(text, call, role)
        talks.close(thread)


_ERRAND = tuple(
    Wording(grammar)
    for grammar in (
        "{book|reserve|get|hold} {me|us|my boss} {a|one} {table|room|car|desk|court} {for|on} {the"
        " <n>th|monday|friday|next week}{ {near|in|at} <where>|}{,|;} {under|ref} <id>",
        "{what|how} {is|'s} {the|our} {balance|status|price|forecast|stock} {of|for|on} <id>{"
        " {in|at} <where>|}{ {today|now|tomorrow}|}?",
        "{move|shift|cancel|copy} {my|the} {meeting|order|file|payment} <id> {to|from|by} {<n>"
        " o'clock|<where>|<n> days}{ {please|and tell {anna|the team|them}}|}",
        "{remind|text|mail|ping} {me|tom|the crew} {when|once|if} <id> {drops|arrives|closes}"
        " {below|within|at} <n>{ {hours|percent|units}|}",
    )
)
_PLACES = (
    "Aarhus",
    "Bergen",
    "Cadiz",
    "Delft",
    "Essen",
    "Fresno",
    "Ghent",
    "Hobart",
    "Izmir",
    "Jaipur",
)
_VERBS = ("get", "set", "list", "create", "cancel", "find", "update", "send")
_NOUNS = ("booking", "order", "balance", "event", "reminder", "file", "quote", "forecast", "ticket")


def _errand(desk: Desk) -> tuple[str, bool, tuple[str, ...]]:
    """A request, whether it is composed, and the functions that are offered for it."""
    if "tools" in desk.stocks:
        packed, composed = desk.take("tools")
        if not composed:
            asked = tool_request(packed)
            return asked.request, False, asked.names
    own, rng = desk.tenant, desk.rng
    text = pick(rng, _ERRAND).say(
        rng,
        n=str(2 + int(rng.random() * 27)),
        where=pick(rng, _PLACES),
        id=f"{pick(own, 'ABCDEFGH')}{pick(own, 'KLMNPRST')}{int(rng.random() * 1e8):08d}",
    )
    text = f"{text} {desk.aside('chat')}"
    return text, True, tuple(f"{verb}_{pick(own, _NOUNS)}" for verb in _VERBS[:4])


def _tools(desk: Desk) -> Iterator[Request]:
    """A contributed question with its function definitions, then what the functions returned."""
    rng = desk.rng
    talks = Talks(desk.lengths)
    offered: dict[int, tuple[str, ...]] = {}
    for thread in desk.threads:
        talk = talks.open(thread)
        if not talk.messages:
            text, composed, offered[thread] = _errand(desk)
            role = "user"
        else:
            text, composed, role = _result(rng, talk.messages[-2].content), True, "tool"
        names = offered[thread]
        reply = (
            f"{pick(rng, names)}({phrase(rng, text, 2)})"
            if rng.random() < 0.6
            else answer(rng, text)
        )
        extra = 120 * len(names)
        yield Request(
            text,
            history=talk.messages,
            tools=names,
            completion=reply,
            composed=composed,
            context=extra + talk.tokens,
            shared=extra,
            thread=thread,
            role=role,
            finish="tool_calls",
        )
        talk.add(text, reply, role)
        talks.close(thread)


def _result(rng: Random, before: str) -> str:
    """What a function returned: JSON about the words of the question."""
    keys = _WORD.findall(before.lower()) or ["value"]
    fields = {pick(rng, keys): round(rng.random() * 1e4, 2) for _ in range(3)}
    fields[pick(rng, keys)] = pick(rng, keys)
    return msgspec.json.encode({"id": int(rng.random() * 1e9), **fields}).decode()


CODING_AGENT = Kind(
    name="coding_agent",
    about="agents in a repository, by day and overnight, with the long prompt of a public harness",
    share=0.09,
    least=52,
    volume=Volume(22.0, 1.3, 800),
    writer=_coding,
    turns=Turns(median=9, log_sd=0.8, longest=24, pause=14, pause_log_sd=1.0),
    sites=(Site.HOME, Site.HOME, Site.OFFICE, Site.OFFICE, Site.CLOUD, Site.VPN),
    rhythms=(Rhythm.OFFICE, Rhythm.HUMAN, Rhythm.NIGHT, Rhythm.MACHINE),
    client="harness",
    profile="agent",
    orgs=0.5,
    org_size=4.0,
    groups=_HARNESSES,
    one_client=True,
    conversations=0.6,
    pools={"code": Supply(0.55, 3, optional=True)},
)

TOOL_USE = Kind(
    name="tool_use",
    about="assistants with functions: a question, then what the functions returned",
    share=0.045,
    least=52,
    volume=Volume(10.0, 1.3, 300),
    writer=_tools,
    turns=Turns(median=4, log_sd=0.5, longest=12, pause=5, pause_log_sd=0.8),
    rhythms=(Rhythm.HUMAN, Rhythm.OFFICE),
    profile="assistant",
    orgs=0.7,
    conversations=0.3,
    pools={"tools": Supply(0.3, 1, optional=True), "chat": Supply(0.03, 3, optional=True)},
)
