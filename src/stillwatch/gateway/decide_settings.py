"""Which proxies may ask for decisions: the section `decide` of the section `gateway`."""

from __future__ import annotations

import ipaddress

import msgspec

from stillwatch.access.admit import Waivers
from stillwatch.access.reading import AccessSettings
from stillwatch.errors import SettingsError
from stillwatch.gateway.head import TrustedHops
from stillwatch.settings import Section

__all__ = ["DecideSettings", "Network", "networks_in", "read_decide"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class DecideSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`proxies` are those that may ask; everything that is known of a request is their word.

    `uri_header` and `method_header` tell of a request that is asked about at ``/decide`` itself.
    `waived` is what need not hold behind these proxies.
    """

    proxies: TrustedHops
    uri_header: bytes = b"x-original-uri"
    method_header: bytes = b"x-original-method"
    waived: Waivers = Waivers()


def read_decide(
    section: Section, access: AccessSettings, hops: TrustedHops | None
) -> DecideSettings | None:
    """Read the section; ``None`` where it names nobody who may ask.

    Raises:
        SettingsError: with the line, what is wrong there.
    """
    networks = networks_in(section)
    uri = section.take("uri_header", str, "x-original-uri")
    method = section.take("method_header", str, "x-original-method")
    waive = section.section("waive")
    waived = Waivers(
        levels=_names(waive, "levels", {"default", *access.levels}),
        rules=_names(waive, "rules", {rule.id for rule in access.rules.rules}),
        limits=_names(
            waive, "limits", {limit.name for tier in access.tiers.values() for limit in tier}
        ),
    )
    waive.finish()
    section.finish()
    if not networks:
        return None
    return DecideSettings(
        proxies=msgspec.structs.replace(hops or TrustedHops(), networks=networks),
        uri_header=uri.lower().encode(),
        method_header=method.lower().encode(),
        waived=waived,
    )


def networks_in(section: Section) -> tuple[Network, ...]:
    """The networks that a section lists under `networks`; none where it lists none.

    Raises:
        SettingsError: with the line, for what is no network.
    """
    try:
        return tuple(ipaddress.ip_network(str(e)) for e in section.take("networks", list, []))
    except ValueError as error:
        raise SettingsError(
            f"'networks' must be networks such as 10.0.0.0/8: {error}",
            path=section.path,
            line=section.line_of("networks"),
        ) from error


def _names(section: Section, key: str, known: set[str]) -> frozenset[str]:
    names = frozenset(str(each) for each in section.take(key, list, []))
    if unknown := sorted(names - known):
        raise SettingsError(
            f"there is no {key.removesuffix('s')} '{unknown[0]}' to waive",
            path=section.path,
            line=section.line_of(key),
        )
    return names
