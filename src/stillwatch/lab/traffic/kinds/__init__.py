"""The innocent kinds of account; see ``docs/simulator.md`` for the table.

Each kind is one :class:`Kind` with its writer beside it. :data:`KINDS` maps names to kinds.
"""

from stillwatch.lab.traffic.kinds.coding import CODING_AGENT, TOOL_USE
from stillwatch.lab.traffic.kinds.kind import Kind
from stillwatch.lab.traffic.kinds.learning import CLASSROOM, TUTORING
from stillwatch.lab.traffic.kinds.measuring import EVALUATOR, RESEARCHER
from stillwatch.lab.traffic.kinds.producing import GRADER, REWRITER, SYNTHETIC_DATA
from stillwatch.lab.traffic.kinds.records import ETL
from stillwatch.lab.traffic.kinds.serving import RAG, SUPPORT
from stillwatch.lab.traffic.kinds.sharing import NEW_TOOL, TEMPLATE_USER
from stillwatch.lab.traffic.kinds.talking import AGGREGATOR, CHAT

__all__ = ["KINDS", "Kind"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        CHAT,
        SUPPORT,
        RAG,
        ETL,
        CODING_AGENT,
        TOOL_USE,
        EVALUATOR,
        RESEARCHER,
        TUTORING,
        CLASSROOM,
        SYNTHETIC_DATA,
        GRADER,
        REWRITER,
        AGGREGATOR,
        TEMPLATE_USER,
        NEW_TOOL,
    )
}
