"""The attack rebuilt end to end, to measure the rooms above: text, traffic, attackers, students.

In: presets, seeds, the shipping text, and prompts that a user adds. Out: labelled traffic, and
figures about what the other rooms make of it. Identity is always simulated here, and said to be.
Nothing below imports this room; it imports all of them.
"""
