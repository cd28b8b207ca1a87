"""The wire formats that the gateway speaks: one file a format, behind one narrow protocol."""

from stillwatch.gateway.dialects.dialect import Dialect, Incoming, Told, UnreadableError

__all__ = ["Dialect", "Incoming", "Told", "UnreadableError"]
