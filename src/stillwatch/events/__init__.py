"""The event store: exchanges, appended durably, kept by day, erased and expired for good.

In: record batches of :data:`stillwatch.exchange.SCHEMA`, from the gateway a few rows at a time
(:meth:`EventStore.append`) or from a whole log (:meth:`EventStore.bulk`). Out: one folder of
Parquet files a UTC day, listed by :meth:`EventStore.parquet_files` for an engine to scan.
``docs/events.md`` describes the files and what a crash can and cannot do to them.
"""

from stillwatch.events.days import DayWriter
from stillwatch.events.parts import Moment
from stillwatch.events.store import EventStore

__all__ = ["DayWriter", "EventStore", "Moment"]
