"""What the profile is called, and the names that its fields take their values from."""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "CAPABILITIES", "DIGEST_OBJECT", "DISTILLATION", "EXTRACTION_FAMILIES", "LINKS", "OUTCOMES",
    "PROFILE", "SKETCH", "TEMPLATE_PATTERN", "VERSION", "extension_of",
]  # fmt: skip

#: the property extension; its definition is :func:`stillwatch.intel.profile.definition`
DISTILLATION: Final = "extension-definition--6f8d0d2e-0b0e-5a53-9d9c-5c0d7a1b7f10"
#: of the definition: the third number changes for words, the second for fields that may be
#: ignored; a change that may not be ignored has another extension-definition
VERSION: Final = "1.0.0"
PROFILE: Final = "1.0"
#: type of the object in the patterns of digests, and the type of the patterns of templates
DIGEST_OBJECT: Final = "x-stillwatch-digest"
TEMPLATE_PATTERN: Final = "stillwatch-template"
#: the format of the style cells in a template (docs/sketches.md)
SKETCH: Final = "stillwatch.sketches/1"

#: how training data was drawn; open: other values may occur
EXTRACTION_FAMILIES: Final = (
    "self-instruct", "instruction-evolution", "persona-grid", "pre-query-template",
    "reasoning-harvest", "reasoning-coercion", "reasoning-backfill", "judge", "preferences",
    "agent-trajectories", "task-synthesis", "token-probabilities", "prefill-continuation",
    "user-relay", "delayed-replay", "cleaning",
)  # fmt: skip
#: what was aimed at; open
CAPABILITIES: Final = (
    "reasoning", "mathematics", "coding", "tool-use", "agents", "grading", "dialogue",
    "instruction-following", "safety-behaviour", "vision", "multilingual",
)  # fmt: skip
#: what linked accounts to each other; open
LINKS: Final = (
    "payment", "device", "network", "client", "wording", "shared-prefix", "tool-set", "timing",
    "succession", "output-reuse",
)  # fmt: skip
#: what became of an indicator where it was sighted; closed
OUTCOMES: Final = ("matched", "confirmed", "refuted")


def extension_of(thing: dict[str, Any]) -> dict[str, Any]:
    """The profile's extension of an object; empty where it has none."""
    extensions = thing.get("extensions")
    found = extensions.get(DISTILLATION) if isinstance(extensions, dict) else None
    return found if isinstance(found, dict) else {}
