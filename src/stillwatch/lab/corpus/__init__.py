"""The text that simulated people send: pools of distinct prompts, with their origin and licence.

In: compressed files under ``lab/data`` that ship with the package, and a folder of the user's own
(``--prompts DIR``). Out: a :class:`Corpus` of named pools; each is decompressed when it is first
read. Texts are found, not written by us, except where a pool says that it is composed.
``docs/corpus.md`` lists the pools.
"""

from stillwatch.lab.corpus.corpus import Corpus, load
from stillwatch.lab.corpus.pool import Kind, Pool, Text
from stillwatch.lab.corpus.toolset import ToolRequest, tool_request

__all__ = ["Corpus", "Kind", "Pool", "Text", "ToolRequest", "load", "tool_request"]
