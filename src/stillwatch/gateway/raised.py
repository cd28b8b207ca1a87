"""What a client is told of whatever was raised while its request was served."""

from __future__ import annotations

import logging
import traceback

from stillwatch.access import Refusal
from stillwatch.errors import StorageError
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.head import HeadError
from stillwatch.gateway.refusals import bad_request, fault_of_ours, unavailable
from stillwatch.gateway.wire import RefusedError

__all__ = ["refusal_of"]

_log = logging.getLogger(__name__)


def refusal_of(error: Exception) -> Refusal:
    """The refusal that answers `error`. What is a fault of ours is logged by where it was raised,
    without its words: they may hold some of the request."""
    match error:
        case RefusedError():
            return error.refusal
        case HeadError():
            return bad_request(str(error))
        case UnreadableError():
            return bad_request(error.message)
        case StorageError():
            return unavailable("access cannot be checked at the moment; try again")
    place = "".join(traceback.format_tb(error.__traceback__))
    _log.error("a fault of ours: %s at\n%s", type(error).__name__, place)
    return fault_of_ours()
