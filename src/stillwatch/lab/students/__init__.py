"""Teachers and students: what a model keeps of marked text that it was trained on, at any scale.

In: marks, seeds, shares of marked text. Out: text that a teacher wrote under many keys, and models
that were trained on it and can be asked for probabilities, as a suspect is
(:class:`stillwatch.provenance.radioactivity.OpenSuspect`). Count models need numpy alone; nothing
that needs torch is imported from here.
"""

from stillwatch.lab.students.counts import CountModel
from stillwatch.lab.students.habits import HabitModel

__all__ = ["CountModel", "HabitModel"]
