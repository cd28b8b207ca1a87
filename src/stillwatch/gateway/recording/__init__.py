"""The recorder: every exchange of a gateway becomes one sketched row of the event store.

In: :class:`~stillwatch.exchange.RawExchange`, from one event loop, without waiting. Out: rows of
the store in the state folder, committed within tens of milliseconds by one writer process, each
exactly once whatever is killed; and :meth:`Recorder.room`, which says when to serve no more.
"""

from stillwatch.gateway.recording.recorder import Comparing, Recorder

__all__ = ["Comparing", "Recorder"]
