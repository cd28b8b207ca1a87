"""Options that several commands share; a setting of the same name stands behind each."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.campaigns.configured import FORMAT_NAMES, LEAST_MEMORY_MB
from stillwatch.engines import ENGINES

__all__ = ["CASES", "COMMUNITY", "ENGINE", "FORMAT", "INDICATORS", "MEMORY_MB", "SETTINGS"]

SETTINGS = click.option(
    "--settings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML file with other defaults for the options below; what is given here wins.",
)
FORMAT = click.option(
    "--format",
    "format_",
    show_default="auto",
    type=click.Choice(FORMAT_NAMES),
    help="Format of the logs; auto recognises it.",
)
ENGINE = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    show_default="duckdb",
    help="What runs the detections.",
)
MEMORY_MB = click.option(
    "--memory-mb",
    type=click.IntRange(LEAST_MEMORY_MB),
    show_default="5000",
    help="What the engine may hold before it spills to disk.",
)
CASES = click.option(
    "--cases",
    metavar="STATE",
    help="State folder (or address) of cases: the report says how often analysts confirmed what "
    "each detection found.",
)
INDICATORS = click.option(
    "--indicators",
    metavar="DIR|FILE",
    help="Look for what others told: the store of `intel import`, or a bundle that you vouch for.",
)
COMMUNITY = click.option(
    "--community",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Key of the community that indicators are of; needed with --indicators.",
)
