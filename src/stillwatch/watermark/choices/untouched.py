"""What is never read and never rewritten: code, markup, formulas, quotations, tables, headings."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["blanked", "is_machine_text"]

#: stands for what is not to be read: no letter, no space, no mark of the table
BLANK: Final = "\x00"

_FENCED = re.compile(
    r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_REST = re.compile(
    r"""
      ^(?:\ {4}|\t)[^\n]*$                    # indented: code, or the inside of a list
    | ^\ {0,3}(?:>|\||\#)[^\n]*$              # a quotation, a row of a table, a heading
    | ^[^\n|]+\|[^\n]*$                       # a row of a table without its first bar
    | (?<!`)(`+)(?!`).*?(?<!`)\1(?!`)         # code within a line
    | \$\$.*?\$\$ | \\\[.*?\\\] | \\\(.*?\\\) # formulas
    | (?<![\w$])\$(?!\s)[^$\n]+?(?<!\s)\$(?!\w)
    | <!--.*?--> | </?[A-Za-z][^<>\n]*>       # HTML
    | !?\[[^\]\n]*\]\([^)\n]*\)               # links, with what they show
    | \b(?:https?|ftp|mailto):[^\s<>]+        # addresses
    | "[^"\n]*" | “[^”\n]*” | «[^»\n]*» | „[^“”\n]*[“”]   # quotations within a line
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def blanked(text: str) -> str:
    """`text` with every character of what is not to be touched, but for ends of lines, blank."""
    return _REST.sub(_blank, _FENCED.sub(_blank, text))


def is_machine_text(text: str) -> bool:
    """Whether the whole is for a program: JSON, XML, front matter."""
    start = text.lstrip()[:3]
    return start.startswith(("{", "[", "<")) or start == "---"


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", BLANK, found[0])
