"""Where an address is: its country, autonomous system and kind of network, or unknown.

Countries and systems come from files of the MaxMind DB format 2.0 that the operator points to. They
are evidence, not fact: three such files agree on nine addresses of ten. An address that cannot be
placed (private, not found, no address) is unknown, never somewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stillwatch.access.asn_classes import AsnClasses, read_asn_classes
from stillwatch.access.countries import COUNTRIES
from stillwatch.access.facts import UNKNOWN
from stillwatch.access.networks import Networks, read_networks
from stillwatch.errors import SettingsError

if TYPE_CHECKING:
    from maxminddb import Reader

__all__ = ["Place", "Places"]

#: Seconds between two looks at whether a file was replaced.
LOOK_AGAIN = 2.0
_NAT64 = 0x64FF9B << 96  # RFC 6052: the last 32 bits are the IPv4 address


class Place(NamedTuple):
    """What is known of an address; :data:`~stillwatch.access.UNKNOWN` or 0 where nothing is."""

    country: str = UNKNOWN
    asn: int = 0
    asn_class: str = UNKNOWN


class Places:
    """Looks addresses up. Files that are replaced (by renaming) are opened again by themselves.

    `lists` are networks of the operator's own, by class; they win over the shipped classes.
    `problems` says which replaced file could not be opened: the one before stays in use.
    """

    def __init__(
        self,
        country_mmdb: Path | None = None,
        asn_mmdb: Path | None = None,
        *,
        classes: AsnClasses | None = None,
        lists: Mapping[str, tuple[Path, ...]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the files.

        Raises:
            SettingsError: one is missing, or not what it should be.
        """
        self._countries = _Database(country_mmdb, clock) if country_mmdb else None
        self._systems = _Database(asn_mmdb, clock) if asn_mmdb else None
        self._classes = classes or read_asn_classes()
        self._lists: dict[str, Networks] = {
            kind: read_networks(paths) for kind, paths in (lists or {}).items()
        }

    @property
    def problems(self) -> tuple[str, ...]:
        """What stands in the way of using the newest files; empty when nothing does."""
        databases = (self._countries, self._systems)
        return tuple(each.problem for each in databases if each and each.problem)

    def look_up(self, ip: str) -> Place:
        """The place of an address, as text; IPv4 within IPv6 counts as the IPv4 that it is."""
        address = _public(ip)
        if address is None:
            return Place()
        country = _country(self._countries.record(address)) if self._countries else UNKNOWN
        asn, organisation = _system(self._systems.record(address)) if self._systems else (0, "")
        for kind, networks in self._lists.items():
            if networks.holds(address, asn):
                return Place(country, asn, kind)
        return Place(country, asn, self._classes.of(asn, organisation))


def _public(ip: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and int(address) >> 32 == _NAT64 >> 32:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    return address if address.is_global and not address.is_multicast else None


class _Database:
    """One MMDB file, opened again when another stands in its place."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        self.problem = ""
        self._stamp, self._reader = self._open()
        self._next = clock() + LOOK_AGAIN

    def record(self, address: IPv4Address | IPv6Address) -> Mapping[str, Any]:
        if self._clock() >= self._next:
            self._look_again()
        try:
            found = self._reader.get(address)
        except ValueError:  # an IPv6 address in a file of IPv4 only
            return {}
        return found if isinstance(found, Mapping) else {}

    def _open(self) -> tuple[object, Reader]:
        import maxminddb  # only the gateway has files of places

        try:
            stamp = self._stamp_now()
            return stamp, maxminddb.open_database(self._path)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise SettingsError(f"no readable MMDB file: {error}", path=self._path) from error

    def _stamp_now(self) -> object:
        about = self._path.stat()
        return about.st_ino, about.st_size, about.st_mtime_ns

    def _look_again(self) -> None:
        self._next = self._clock() + LOOK_AGAIN
        try:
            if self._stamp_now() == self._stamp:
                return
            self._stamp, self._reader = self._open()  # the one before closes with its last user
            self.problem = ""
        except (OSError, SettingsError) as error:
            self.problem = f"{error}; the one before stays in use"


def _country(record: Mapping[str, Any]) -> str:
    """The code, whether it is said as MaxMind, as ip-location-db or as IPinfo does."""
    nested = record.get("country")
    for code in (
        record.get("country_code"),
        nested.get("iso_code") if isinstance(nested, Mapping) else nested,
    ):
        if isinstance(code, str) and code.upper() in COUNTRIES:
            return code.upper()
    return UNKNOWN


def _system(record: Mapping[str, Any]) -> tuple[int, str]:
    number = record.get("autonomous_system_number", record.get("asn", 0))
    text = str(number).upper().removeprefix("AS")
    for key in ("autonomous_system_organization", "as_name", "name", "organization", "org"):
        if isinstance(name := record.get(key), str):
            return (int(text) if text.isdecimal() else 0), name
    return (int(text) if text.isdecimal() else 0), ""
