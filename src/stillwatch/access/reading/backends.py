"""The backends of a settings file."""

from __future__ import annotations

from typing import cast, get_args
from urllib.parse import urlsplit

from stillwatch.access.backends import Backend, MarkedBy
from stillwatch.access.facts import UNKNOWN
from stillwatch.access.reading.values import items, one_of, said_once, texts, wrong
from stillwatch.settings import Section

__all__ = ["read_backends"]


def read_backends(settings: Section) -> tuple[Backend, ...]:
    """The list under `backends`, in its order.

    Raises:
        SettingsError: also for two of one name, and for an address that is not HTTP.
    """
    seen: dict[str, int] = {}
    return tuple(_backend(section, seen) for section in items(settings, "backends"))


def _backend(section: Section, seen: dict[str, int]) -> Backend:
    backend = Backend(
        name=said_once(section, section.take("name", str), seen, "the backend"),
        url=_address(section),
        region=section.take("region", str, UNKNOWN),
        jurisdiction=section.take("jurisdiction", str, UNKNOWN),
        operator=section.take("operator", str, UNKNOWN),
        models=texts(section, "models", ("*",)),
        marks=cast(MarkedBy, one_of(section, "marks", get_args(MarkedBy), "header")),
    )
    section.finish()
    return backend


def _address(section: Section) -> str:
    url = section.take("url", str)
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise wrong(section, "url", f"{url!r} is no address such as http://127.0.0.1:8001")
    return url
