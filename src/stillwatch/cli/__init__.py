"""The command line: one file a command, no logic.

In: arguments. Out: what a room returns, printed for a person; exit statuses as in
:class:`stillwatch.errors.ExitStatus`. Errors of the tree in :mod:`stillwatch.errors` become one
line on standard error; everything else is our own failure and says how to report it.
"""

from stillwatch.cli.main import main

__all__ = ["main"]
