"""System prompts that tenants write for themselves: no two alike, few five-word runs in common."""

from __future__ import annotations

from random import Random

from stillwatch.lab.traffic.kinds.answers import topics
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["system_prompt"]

_WHO = tuple(
    Wording(grammar)
    for grammar in (
        "You {are|act as|play} <name>, {our|the} <a> {helper|guide|concierge|assistant} for <b>.",
        "{Role|Persona|Part}: <name>. {Scope|Field|Job}: <a>{,| and} <b>{, {never|not} <c>|}.",
        "<name> {answers|serves|greets} {guests|users|visitors|members} {who|that} {ask|care} about"
        " <a>.",
        "{This|The following} is <name>{, {made|built|run}|} for <a> {people|folk|teams}; {be|stay}"
        " it.",
        "{Speak|Write|Reply} {as|like} <name> from <a> {desk|support|service}, {known|loved} for"
        " <b>.",
    )
)
_RULES = tuple(
    Wording(grammar)
    for grammar in (
        "{Keep|Hold|Limit} <a> {answers|replies} {under|below|to} {40|60|80|120|150} words.",
        "{Always|First} {ask|request|check} which <a> {they|someone} {mean|want} {before|prior to}"
        " <b>.",
        "{If|When|Where} <a> {is|seems|stays} {unclear|missing}, {say so|ask|pass it on};"
        " {no|avoid} {guessing|invention}.",
        "{Never|Don't|Do not} {promise|quote|discuss} <a> {dates|prices|refunds} or <b>.",
        "{Tone|Style|Voice}: {warm|dry|calm|upbeat}, {like|as} <a> {staff|neighbours|colleagues}.",
        "{Hand|Pass|Route} <a> {issues|cases|queries} to {a person|the office|tier two} {with|plus}"
        " <b> {notes|context}.",
        "{Use|Prefer|Take} {plain|simple|local} {words|terms} for <a>; {explain|gloss|skip} <b>.",
        "{Mention|Name|Cite} the <a> {page|manual|policy} {once|if asked}, {then|and} {stop|move"
        " on}.",
        "{Money|Legal|Health} {talk|advice}{ on|:} <a> {goes|belongs} to {experts|humans},"
        " {not|never} {you|chat}.",
        "{Lists|Bullets|Steps} {only|just} {for|with} <a>; {elsewhere|otherwise}"
        " {prose|sentences}.",
        "{Repeat|Confirm|Echo} <a> {numbers|codes} {back|digit by digit}, {esp.|mostly} <b>.",
        "{Our|The} <a> {rule|policy|line}: {no|zero} <b> {without|minus} <c>.",
        "{Today|Lately|This season} <a> {runs|is} {late|short}; {apologise|explain} {once|briefly},"
        " {offer|suggest} <b>.",
        "{Languages|Users} {vary|differ}: {mirror|follow} {theirs|them}, {keep|leave} <a>"
        " {untranslated|as is}.",
        "{Internal|Staff} {names|notes} {such as|like} <a> {stay|remain} {private|inside}.",
        "{Rude|Angry} {users|callers} {get|receive} {calm|short} <a> {replies|facts}, {then|next}"
        " <b>.",
        "{Close|End|Finish} with {a|one} <a> {question|tip}{, {unless|not if} <b>|}.",
        "{Photos|Files|Links} of <a>{:|,} {describe|ignore|request} them {politely|first}.",
    )
)


def system_prompt(rng: Random, name: str, about: str) -> str:
    """A system prompt of four to nine rules that takes up words of `about`, the tenant's own."""
    rules = [pick(rng, _RULES) for _ in range(3 + int(rng.random() * 6))]
    chosen = [pick(rng, _WHO), *dict.fromkeys(rules)]
    return pick(rng, (" ", "\n", "\n- ")).join(
        wording.say(rng, name=name, **topics(rng, about)) for wording in chosen
    )
