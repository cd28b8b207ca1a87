"""Marks that we write ourselves: choices in the text of an answer, under the key of the caller.

They need nothing of the engine. What is written is what the answer shows as prose: no reasoning, no
call of a tool, nothing that a program is to read. Where log probabilities, token ids or places in
the text are shown, the text stays as it is, since they would no longer be of it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

from stillwatch.access import Asked, Decision, Structure
from stillwatch.gateway.dialects.dialect import Incoming
from stillwatch.gateway.marking import Marked

if TYPE_CHECKING:
    from stillwatch.watermark.choices import KeyedMark, Rewriter
    from stillwatch.watermark.hooks import Marks

__all__ = ["LONGEST", "WrittenChoices", "choices_of", "marked_in"]

#: characters of one text; what is longer stays as it is, since nobody else is served meanwhile
LONGEST: Final = 2**16
#: characters of what the caller has written that are looked at, at its beginning and at its end
_LOOKED_AT: Final = 100_000
#: whose answers have texts that we know how to write
_DIALECTS: Final = frozenset({"openai", "openai_completions", "anthropic"})
#: turns whose words the answer may have to keep: it repeats them, or was told to use them
_ASKING: Final = frozenset({"system", "developer", "user"})


class WrittenChoices:
    """The choices of one answer, which may consist of several texts.

    Attributes:
        slots: at how many places the key's option stands now.
    """

    __slots__ = ("_epoch", "_mark", "_name", "_prompt", "_sizes", "_texts", "slots")

    def __init__(self, name: str, mark: KeyedMark, prompt: str) -> None:
        self._name, self._mark, self._prompt, self.slots = name, mark, prompt, 0
        self._texts: dict[Hashable, Rewriter] = {}
        self._sizes: dict[Hashable, int] = {}

    def whole(self, text: str) -> str:
        """A whole text as it is to leave."""
        if len(text) > LONGEST:
            return text
        rewriter = self._rewriter()
        written = rewriter.feed(text) + rewriter.end()
        self.slots += rewriter.slots
        return written

    def piece(self, place: Hashable, text: str) -> str:
        """What may leave, given one more piece of the text at `place`."""
        size = self._sizes[place] = self._sizes.get(place, 0) + len(text)
        if size > LONGEST:
            return self.rest(place) + text
        rewriter = self._texts.get(place)
        if rewriter is None:
            rewriter = self._texts[place] = self._rewriter()
        before = rewriter.slots
        written = rewriter.feed(text)
        self.slots += rewriter.slots - before
        return written

    def rest(self, place: Hashable) -> str:
        """What was held of the text at `place`, which has ended."""
        rewriter = self._texts.pop(place, None)
        if rewriter is None:
            return ""
        before = rewriter.slots
        written = rewriter.end()
        self.slots += rewriter.slots - before
        return written

    def rests(self) -> dict[Hashable, str]:
        """What was held of every text, as far as it was."""
        rests = {place: self.rest(place) for place in tuple(self._texts)}
        return {place: rest for place, rest in rests.items() if rest}

    @property
    def marked(self) -> Marked:
        """What became of the mark: without a choice, there is none in the answer."""
        if not self.slots:
            return Marked(self._name, unmarked="no choice")
        return Marked(self._name, epoch=self._mark.key.epoch)

    def _rewriter(self) -> Rewriter:
        from stillwatch.watermark.choices import EnglishReader, Rewriter

        return Rewriter(self._mark, EnglishReader(), self._prompt)


def choices_of(
    decision: Decision,
    incoming: Incoming,
    cluster: str,
    *,
    dialect: str,
    marks: Marks | None,
) -> WrittenChoices | Marked | None:
    """What writes the mark that is due, or why it is not written; ``None``: it is not by choice.

    Args:
        cluster: as engines would know it.
        dialect: the name of the answer's.
        marks: with the keys.
    """
    name, granted = decision.mark, decision.granted
    if name is None or granted is None or marks is None:
        return None
    mark = marks.chosen_for(name, decision.mark_strength, cluster)
    if mark is None:
        return None
    reason = _unmarked(granted, incoming, dialect)
    if reason is None and "annotations" in decision.surface.response_fields:
        reason = "citations"  # they name places in the text
    if reason is not None:
        return Marked(name, unmarked=reason)
    return WrittenChoices(name, mark, _said(incoming))


def marked_in(chosen: WrittenChoices | Marked) -> Marked:
    """What an exchange says of the mark, given what :func:`choices_of` came to."""
    return chosen if isinstance(chosen, Marked) else chosen.marked


def _unmarked(granted: Asked, incoming: Incoming, dialect: str) -> str | None:
    if dialect not in _DIALECTS:
        return "route"
    if granted.logprobs:
        return "logprobs"
    if granted.token_ids:
        return "token ids"
    if granted.structure is not Structure.TEXT:
        return "structure"
    if granted.prefill or granted.echo or _field(incoming, "suffix"):
        return "continued"  # it begins or ends within another text
    return None


def _said(incoming: Incoming) -> str:
    """What the caller has written, and strings at which an answer stops: they must not come in."""
    said = [turn.content for turn in incoming.messages or () if turn.role in _ASKING]
    if incoming.prompt is not None:
        said.append(incoming.prompt)
    stops = _field(incoming, "stop") or _field(incoming, "stop_sequences") or ()
    whole = "\n".join([*said, *([stops] if isinstance(stops, str) else stops)])
    if len(whole) <= 2 * _LOOKED_AT:
        return whole
    return f"{whole[:_LOOKED_AT]}\n{whole[-_LOOKED_AT:]}"


def _field(incoming: Incoming, name: str) -> Any:
    """A field of the request, where its dialect has it."""
    return getattr(incoming.body.request, name, None)
