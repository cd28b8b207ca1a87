"""The same Ibis expression on DuckDB (the default) or Polars.

In: Parquet files of exchanges, and :class:`Stage` definitions: named, resumable, one result a day
where the stage says so. Out: Ibis tables backed by Parquet files in a work folder. An engine of
:data:`ENGINES` is opened with :func:`open_engine`; :func:`run_stages` alone decides whether a
stage runs again. Rules for expressions that every engine takes stand in ``docs/engines.md``.
"""

from stillwatch.engines.engine import ENGINES, Engine, open_engine
from stillwatch.engines.stages import Stage, StageRun, run_stages

__all__ = ["ENGINES", "Engine", "Stage", "StageRun", "open_engine", "run_stages"]
