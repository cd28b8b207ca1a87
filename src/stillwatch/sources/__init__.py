"""Logs that others wrote → exchanges, with nothing lost silently.

What for: `scan` reads whatever a provider has, native JSONL or Parquet, LiteLLM, OpenTelemetry.
In: files, folders, globs, plain or gzip. Out: :class:`Batch` es of :class:`RawExchange` with text,
in memory only, and a :class:`Reject` for every row that could not be read, without its text.
:class:`Follower` reads what is new in logs that grow and rotate.
:class:`NativeWriter` writes the native log, for the simulator.
"""

from stillwatch.sources.columns import COLUMNS, LogColumn
from stillwatch.sources.duplicates import SeenIds
from stillwatch.sources.following import Follower
from stillwatch.sources.log import Batch, Log, Reject
from stillwatch.sources.opening import FORMATS, Format, open_log
from stillwatch.sources.units import Place, Unit
from stillwatch.sources.writer import PARQUET, NativeWriter

__all__ = [
    "COLUMNS",
    "FORMATS",
    "PARQUET",
    "Batch",
    "Follower",
    "Format",
    "Log",
    "LogColumn",
    "NativeWriter",
    "Place",
    "Reject",
    "SeenIds",
    "Unit",
    "open_log",
]
