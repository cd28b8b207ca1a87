"""The same Ibis expression on DuckDB (the default), Polars, or a warehouse.

In: Parquet files of exchanges, and :class:`Stage` definitions: named, resumable, one result a day
where the stage says so. Out: Ibis tables backed by Parquet files in a work folder. An engine is
opened with :func:`open_engine`; :func:`run_stages` alone decides whether a stage runs again.
House rules for expressions that every engine takes: ``docs/engines.md``.
"""

from stillwatch.engines.engine import Engine, open_engine
from stillwatch.engines.stages import Stage, StageRun, run_stages

__all__ = ["Engine", "Stage", "StageRun", "open_engine", "run_stages"]
