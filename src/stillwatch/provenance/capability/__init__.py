"""Capability replicated? How much of a teacher's lead over its base a suspect has made up.

In: tasks with one right answer, and recorded answers of teacher, base and suspect. Out: a
:class:`CapabilityReport` by domain, with exact intervals and paired tests, and what the suspect
took to get there; a vector, never one score. docs/capability.md says what it shows and what not.
"""

from stillwatch.provenance.capability.grading import Grade, grade
from stillwatch.provenance.capability.making import DOMAINS, make_tasks
from stillwatch.provenance.capability.report import (
    CapabilityReport,
    Domain,
    Share,
    Stage,
    compare_capability,
)
from stillwatch.provenance.capability.tasks import Task, TaskSet, read_task_set, write_task_set

__all__ = [
    "DOMAINS",
    "CapabilityReport",
    "Domain",
    "Grade",
    "Share",
    "Stage",
    "Task",
    "TaskSet",
    "compare_capability",
    "grade",
    "make_tasks",
    "read_task_set",
    "write_task_set",
]
