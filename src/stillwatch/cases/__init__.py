"""Between a finding and an action: cases, with people, reasons, counter-evidence and an appeal.

In: campaigns as a scan or a watch reports them, and what people and approved rules decide. Out:
actions in force in the store of `access`, each with an end and an undo; entries for the ledger;
and how often each detection was right. Nothing here refuses a request: gateways do.
"""

from stillwatch.cases.automation import Rule
from stillwatch.cases.case import Case
from stillwatch.cases.drafting import Draft
from stillwatch.cases.evidence import Item
from stillwatch.cases.findings import Finding, read_findings
from stillwatch.cases.measures import Measure
from stillwatch.cases.outbox import Recorder
from stillwatch.cases.people import Who
from stillwatch.cases.standing import Clause
from stillwatch.cases.states import State
from stillwatch.cases.store import Cases, find_cases, open_cases
from stillwatch.cases.tokens import Role

__all__ = [
    "Case",
    "Cases",
    "Clause",
    "Draft",
    "Finding",
    "Item",
    "Measure",
    "Recorder",
    "Role",
    "Rule",
    "State",
    "Who",
    "find_cases",
    "open_cases",
    "read_findings",
]
