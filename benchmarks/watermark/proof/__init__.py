"""Students of a marked teacher, trained on the CPU, and whether they show its key."""
