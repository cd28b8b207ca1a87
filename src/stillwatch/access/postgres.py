"""Connects to PostgreSQL: an address as libpq writes it, for the driver `pg8000`.

`pg8000` is pure Python under a BSD licence, and knows nothing of libpq's words; those that
operators use (a socket's folder as host, `sslmode`, `PGUSER`, `PGPASSWORD`) are translated here.
"""

from __future__ import annotations

import getpass
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from stillwatch.errors import SettingsError

__all__ = ["connect"]

_DRIVER = "pg8000"
_STATEMENT = 10  # seconds that the server works on one statement
_SILENCE = 12  # seconds without a byte from the server; above the former, which says more
_PORT = 5432
_KNOWN = ("host", "sslmode", "sslrootcert")


def connect(url: URL) -> Engine:
    """An engine for ``postgresql://user@host/name``; connects when it is first used.

    An address that names another driver (``postgresql+psycopg://``) is left to that driver.

    Raises:
        SettingsError: an option is unknown or the certificates cannot be read.
        ModuleNotFoundError: the driver is not installed.
    """
    if url.drivername != "postgresql" and url.get_driver_name() != _DRIVER:
        return create_engine(url)
    unknown = sorted(set(url.query) - set(_KNOWN))
    if unknown:
        raise SettingsError(
            f"{unknown[0]} is no option of the address of a database that we know; "
            f"there are {', '.join(_KNOWN)}"
        )
    options = {name: str(value) for name, value in url.query.items()}
    arguments: dict[str, object] = {
        "user": url.username or os.environ.get("PGUSER") or getpass.getuser(),
        "password": url.password or os.environ.get("PGPASSWORD"),
        "timeout": _SILENCE,
        "startup_params": {"statement_timeout": f"{_STATEMENT}s"},
        "ssl_context": _encryption(options),
    }
    folder = url.host or options.get("host", "")
    if folder.startswith("/"):
        arguments["unix_sock"] = str(Path(folder) / f".s.PGSQL.{url.port or _PORT}")
    elif "host" in options:
        arguments["host"] = folder
    return create_engine(
        url.set(drivername=f"postgresql+{_DRIVER}", query={}), connect_args=arguments
    )


def _encryption(options: Mapping[str, str]) -> ssl.SSLContext | None:
    """As libpq names the levels; those between `require` and `verify-full` are not offered."""
    mode = options.get("sslmode", "disable")
    certificates = options.get("sslrootcert")
    if mode == "disable":
        return None
    if mode not in ("require", "verify-full"):
        raise SettingsError(f"sslmode={mode} is unknown; write disable, require or verify-full")
    try:
        context = ssl.create_default_context(cafile=certificates)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"the certificates in {certificates} cannot be read: {error}"
        ) from error
    if mode == "require":  # encrypted, and nobody knows with whom
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
