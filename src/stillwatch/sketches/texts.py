"""Which text of an exchange is sketched: the system prompt, and what came after the last answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stillwatch.exchange import Message, RawExchange

__all__ = ["SYSTEM_ROLES", "new_texts"]

SYSTEM_ROLES = frozenset({"system", "developer"})

_Conversation = Sequence[Message]


def new_texts(rows: Iterable[RawExchange]) -> list[str]:
    """The system prompt and the new user text of each row, one after the other; either may be ''.

    Messages that follow one another are joined by a newline. A ``system`` field comes before
    system messages, and is not repeated where the first of them is the same text.
    """
    texts: list[str] = []
    for row in rows:
        if row.messages is None:
            texts.append(row.system or "")
            texts.append(row.prompt or "")
        else:
            texts += _of_conversation(row.system, row.messages)
    return texts


def _of_conversation(system: str | None, messages: _Conversation) -> tuple[str, str]:
    instructions = [m.content for m in messages if m.role in SYSTEM_ROLES]
    if system and instructions[:1] != [system]:
        instructions.insert(0, system)
    said: list[str] = []
    for message in reversed(messages):
        if message.role == "assistant":
            break
        if message.role not in SYSTEM_ROLES:
            said.append(message.content)
    return "\n".join(instructions), "\n".join(reversed(said))
