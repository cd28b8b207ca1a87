"""What a gateway works with: the doors through which it asks, limits, sends and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from stillwatch.access import UNKNOWN, Backend, Caller, View
from stillwatch.exchange import RawExchange
from stillwatch.gateway.binding import Binding
from stillwatch.gateway.decide_settings import DecideSettings
from stillwatch.gateway.head import Head, TrustedHops
from stillwatch.gateway.holding import Holding
from stillwatch.gateway.marking import cluster_of
from stillwatch.gateway.measures import Measures
from stillwatch.gateway.upstream import Upstream
from stillwatch.sketches import SketchKey

if TYPE_CHECKING:
    from stillwatch.watermark.hooks import Marks

__all__ = ["Geography", "Records", "Services"]


class Records(Protocol):
    """Where exchanges go. Nothing is served that could not be recorded."""

    def record(self, exchange: RawExchange) -> None:
        """Take one exchange; it is on the disk a flush interval later."""

    def room(self) -> bool:
        """Whether another request may be served."""


class Geography(Protocol):
    """Where an address is: country, autonomous system and its class, each possibly unknown."""

    def look_up(self, ip: str) -> tuple[str, int, str]:
        """The country (ISO 3166 or unknown), the AS number (0: unknown) and its class."""


class Services(msgspec.Struct, kw_only=True):
    """`view` gives the present state of access, and raises StorageError when that is not known.
    `credentials` are the headers that each backend wants from us. `links` is the
    key of the digests of exchanges; `marks` are there where a backend takes keys from us, or a
    mark is of choices. Without a
    `binding` opaque reasoning passes as it is. Sizes are in bytes.
    """

    view: Callable[[], View]
    holding: Holding
    upstream: Upstream
    records: Records
    measures: Measures
    links: SketchKey
    hops: TrustedHops | None = None
    decide: DecideSettings | None = None
    places: Geography | None = None
    credentials: Mapping[str, Mapping[str, str]] = {}
    binding: Binding | None = None
    marks: Marks | None = None
    largest_request: int = 16 * 2**20
    largest_answer: int = 64 * 2**20

    def located(self, head: Head) -> Head:
        """The head with the places that its address is in, where we can tell."""
        origin = head.origin
        if self.places is None or origin.ip == UNKNOWN:
            return head
        country, asn, asn_class = self.places.look_up(origin.ip)
        located = msgspec.structs.replace(origin, country=country, asn=asn, asn_class=asn_class)
        return msgspec.structs.replace(head, origin=located)

    def cluster(self, caller: Caller) -> str:
        """The caller's cluster, as engines and exchanges may know it."""
        return cluster_of(caller, self.links)

    def backends(self, view: View, names: tuple[str, ...]) -> list[Backend]:
        """The backends of these names, in the operator's order."""
        return [backend for backend in view.backends if backend.name in names]
