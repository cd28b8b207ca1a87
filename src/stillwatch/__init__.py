"""Stillwatch: control, detect, mark, prove and measure the distillation of a language model.

Rooms, lowest first; each shows its public names in its own ``__init__``:
``exchange errors settings statistics`` are everyone's vocabulary, ``sketches events`` turn text
into keyed digests and keep them, ``sources`` read logs that others wrote, ``engines detections
campaigns`` find campaigns in them, ``lab`` rebuilds the attack to measure it all, ``cli`` is the
command line. ``docs/architecture.md`` draws the house.
"""

__version__ = "0.1.0.dev0"
