"""Networks that the operator lists: which of them, if any, an address is in.

One network, address or autonomous system (``AS64500``) a line; ``#`` begins a comment. Lists of Tor
exits and of VPN services come in this form.
"""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

from stillwatch.errors import SettingsError

__all__ = ["Networks", "read_networks"]


class Networks:
    """A set of networks, of both versions, and of autonomous systems."""

    def __init__(self, ranges: list[tuple[int, int, int]], asns: frozenset[int]) -> None:
        self._asns = asns
        self._first: dict[int, list[int]] = {4: [], 6: []}
        self._last: dict[int, list[int]] = {4: [], 6: []}
        for version, first, last in sorted(ranges):
            firsts, lasts = self._first[version], self._last[version]
            if lasts and first <= lasts[-1] + 1:  # overlaps or touches the one before
                lasts[-1] = max(lasts[-1], last)
            else:
                firsts.append(first)
                lasts.append(last)

    def holds(self, address: IPv4Address | IPv6Address, asn: int = 0) -> bool:
        """Whether the address, or its autonomous system, is listed."""
        number, firsts = int(address), self._first[address.version]
        at = bisect_right(firsts, number) - 1
        return asn in self._asns or (at >= 0 and number <= self._last[address.version][at])


def read_networks(paths: tuple[Path, ...]) -> Networks:
    """Read lists.

    Raises:
        SettingsError: for a line that is no network, with its number.
    """
    ranges: list[tuple[int, int, int]] = []
    asns: set[int] = set()
    for path in paths:
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"cannot read the list: {error}", path=path) from error
        for number, line in enumerate(lines, 1):
            entry = line.partition("#")[0].strip()
            if not entry:
                continue
            if entry[:2].upper() == "AS" and entry[2:].isdecimal():
                asns.add(int(entry[2:]))
                continue
            try:
                network = ip_network(entry, strict=False)
            except ValueError as error:
                raise SettingsError(
                    f"{entry!r} is neither a network (192.0.2.0/24), nor an address, nor an"
                    " autonomous system (AS64500)",
                    path=path,
                    line=number,
                ) from error
            first, last = int(network.network_address), int(network.broadcast_address)
            ranges.append((network.version, first, last))
    return Networks(ranges, frozenset(asns - {0}))
