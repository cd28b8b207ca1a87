"""Opens an Ibis back end and gives it the few verbs that a stage needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from stillwatch.errors import SettingsError, StorageError

__all__ = ["ENGINES", "Engine", "open_engine"]

ENGINES = ("duckdb", "polars")


class Engine:
    """One connection. Not thread-safe; close it, or use it in a ``with`` block.

    Args:
        name: one of :data:`ENGINES`.
        work: a folder for spilled data, removed by whoever made it.
        memory_mb: what the engine may hold before it spills (DuckDB only).
        threads: worker threads (DuckDB only).
    """

    def __init__(self, name: str, work: Path, *, memory_mb: int = 5_000, threads: int = 2) -> None:
        self.name = name
        self._work, self._memory_mb = work, memory_mb
        if name == "duckdb":
            self._backend = ibis.duckdb.connect(
                threads=threads,
                memory_limit=f"{memory_mb}MB",
                temp_directory=str(work / "spill"),
                preserve_insertion_order=False,
            )
            self._backend.raw_sql("SET TimeZone = 'UTC'")
        elif name == "polars":
            self._backend = ibis.polars.connect()
        else:
            raise SettingsError(f"no engine '{name}'; there are: {', '.join(ENGINES)}")

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connection and what it holds in memory."""
        self._backend.disconnect()

    def read(self, files: Sequence[Path]) -> Table:
        """The rows of `files` (Parquet) as one table. Columns that some of them lack, since they
        were written earlier, are null in their rows."""
        if len(files) == 1:
            return self._backend.read_parquet(str(files[0]))
        if self.name == "duckdb":
            return self._backend.read_parquet([str(file) for file in files], union_by_name=True)
        # a data set of Arrow has the columns of its first file
        newest = sorted(files, key=lambda file: -len(pq.read_schema(file)))
        return self._backend.read_parquet([str(file) for file in newest])

    def write(self, table: Table, file: Path) -> None:
        """Run `table` and write its rows to `file`, whole or not at all.

        Raises:
            StorageError: the disk is full or gone.
        """
        aside = file.with_suffix(".partial")
        try:
            with self._named_errors(file):
                aside.parent.mkdir(parents=True, exist_ok=True)
                if self.name == "duckdb":
                    self._backend.to_parquet(table, aside, compression="lz4")
                else:
                    pq.write_table(table.to_pyarrow(), aside, compression="lz4")
                aside.replace(file)
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)

    def collect(self, table: Table) -> pa.Table:
        """Run `table` and bring its rows into memory, in no particular order.

        Raises:
            StorageError: the disk is full, or the memory that the engine may hold.
        """
        with self._named_errors(self._work):
            return table.to_pyarrow()

    @contextlib.contextmanager
    def _named_errors(self, path: Path) -> Iterator[None]:
        """Errors of an engine about disk and memory, in our words."""
        try:
            yield
        except OSError as error:
            if _is_full(error):
                raise _full(path) from error
            raise StorageError(str(error), path=path) from error
        except Exception as error:
            if _is_full(error):
                raise _full(path) from error
            if "File too large" in str(error):
                raise StorageError(
                    "File too large for the limit on file sizes; raise it (ulimit -f)", path=path
                ) from error
            if "Out of Memory" in str(error):
                raise StorageError(
                    f"the engine needs more than the {self._memory_mb:,} MB that it may hold, and "
                    "cannot spill more to disk; allow it more with --memory-mb",
                    path=path,
                ) from error
            raise


def open_engine(name: str, work: Path, *, memory_mb: int = 5_000, threads: int = 2) -> Engine:
    """Open the engine `name`; see :class:`Engine`.

    Raises:
        SettingsError: there is no such engine.
    """
    work.mkdir(parents=True, exist_ok=True)
    return Engine(name, work, memory_mb=memory_mb, threads=threads)


#: how engines say that a disk or a quota is exhausted
_FULL = ("No space left on device", "Out of Disk", "max_temp_directory")


def _is_full(error: BaseException) -> bool:
    known = isinstance(error, OSError) and error.errno in StorageError.DISK_FULL
    return known or any(words in str(error) for words in _FULL)


def _full(path: Path) -> StorageError:
    return StorageError(
        "the disk is full; free space or choose a folder on another disk", path=path
    )
