"""Which text of an exchange is sketched: the system prompt, and what came after the last answer."""

from __future__ import annotations

from collections.abc import Sequence

from stillwatch.exchange import Message, RawExchange

__all__ = ["SYSTEM_ROLES", "new_text", "split_messages"]

SYSTEM_ROLES = frozenset({"system", "developer"})


def split_messages(messages: Sequence[Message]) -> tuple[list[str], list[str]]:
    """The system messages, and what was said after the last answer of the assistant."""
    system = [m.content for m in messages if m.role in SYSTEM_ROLES]
    said: list[str] = []
    for message in reversed(messages):
        if message.role == "assistant":
            break
        if message.role not in SYSTEM_ROLES:
            said.append(message.content)
    return system, said[::-1]


def new_text(row: RawExchange) -> tuple[str, str]:
    """The system prompt and the new user text of `row`; either may be empty.

    Messages that follow one another are joined by a newline. A ``system`` field comes before
    system messages, and is not repeated where the first of them is the same text.
    """
    if row.messages is None:
        return row.system or "", row.prompt or ""
    system, said = split_messages(row.messages)
    if row.system and (not system or system[0] != row.system):
        system.insert(0, row.system)
    return "\n".join(system), "\n".join(said)
