"""The simulated ground that accounts stand on: networks, offices, software, webmail.

Everything here is made up. Addresses are from 240.0.0.0/4 and system numbers from the private
range of RFC 6996, so that no real network is ever named. What is meant to be true to life is the
*sharing*: offices, campuses, carriers and VPN exits put many unrelated accounts behind one address,
a few client libraries carry most of the traffic, most mail domains are webmail (threats.md §4).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

__all__ = ["COUNTRIES", "WEBMAIL", "Country", "Network", "Networks", "Site", "Software", "software"]


class Country(NamedTuple):
    """`code` is ISO 3166; `weight` its share of accounts; `zone` its offset from UTC in hours."""

    code: str
    weight: float
    zone: float
    language: str


COUNTRIES = (
    Country("US", 0.24, -6.0, "en-US,en;q=0.9"),
    Country("IN", 0.11, 5.5, "en-IN,en;q=0.9,hi;q=0.8"),
    Country("DE", 0.06, 1.0, "de-DE,de;q=0.9,en;q=0.8"),
    Country("GB", 0.06, 0.0, "en-GB,en;q=0.9"),
    Country("BR", 0.06, -3.0, "pt-BR,pt;q=0.9,en;q=0.8"),
    Country("JP", 0.06, 9.0, "ja,en-US;q=0.9,en;q=0.8"),
    Country("CN", 0.05, 8.0, "zh-CN,zh;q=0.9,en;q=0.8"),
    Country("FR", 0.05, 1.0, "fr-FR,fr;q=0.9,en;q=0.8"),
    Country("KR", 0.05, 9.0, "ko-KR,ko;q=0.9,en;q=0.8"),
    Country("SG", 0.04, 8.0, "en-SG,en;q=0.9,zh;q=0.8"),
    Country("CA", 0.04, -5.0, "en-CA,en;q=0.9,fr;q=0.8"),
    Country("ES", 0.03, 1.0, "es-ES,es;q=0.9,en;q=0.8"),
    Country("AU", 0.03, 10.0, "en-AU,en;q=0.9"),
    Country("ID", 0.03, 7.0, "id-ID,id;q=0.9,en;q=0.8"),
    Country("PL", 0.03, 1.0, "pl-PL,pl;q=0.9,en;q=0.8"),
    Country("MX", 0.03, -6.0, "es-MX,es;q=0.9,en;q=0.8"),
    Country("TR", 0.03, 3.0, "tr-TR,tr;q=0.9,en;q=0.8"),
)

#: mail domains that strangers share, and their shares among people without a domain of their own
WEBMAIL = (
    ("postbox.example", 0.52),
    ("webmail.example", 0.17),
    ("letterbox.example", 0.11),
    ("inbox.example", 0.07),
    ("sealedmail.example", 0.05),
    ("mailroom.example", 0.04),
    ("tenminutes.example", 0.015),
    ("throwaway.example", 0.013),
    ("burner.example", 0.012),
)


class Site:
    """Where an account's requests come from."""

    HOME = "home"
    OFFICE = "office"
    CAMPUS = "campus"
    CLOUD = "cloud"
    VPN = "vpn"


class Network(NamedTuple):
    """What a provider sees of one account's way in. Addresses change over time in this order."""

    asn: int
    addresses: tuple[str, ...]


class Networks:
    """Carriers, clouds, offices, campuses and VPN exits of one simulated world.

    `accounts` sets how many offices and exits there are, so that sharing does not depend on the
    size of the simulation. Draws come from the caller's generator: accounts stay independent.
    """

    def __init__(self, accounts: int) -> None:
        self._shared = {
            Site.OFFICE: max(8, accounts // 12),
            Site.CAMPUS: max(4, accounts // 250),
            Site.VPN: max(6, accounts // 120),
            Site.CLOUD: max(6, accounts // 60),
            Site.HOME: max(10, accounts // 40),
        }

    def draw(self, rng: np.random.Generator, site: str, country: int) -> Network:
        """A way in at `site`; the country is an index of :data:`COUNTRIES`."""
        shared = self._shared[site]
        if site in (Site.OFFICE, Site.CAMPUS, Site.VPN):
            place = _zipf(rng, shared, 0.6 if site == Site.OFFICE else 0.9)
            asn = _ASN[site] + (place if site != Site.OFFICE else country * 3 + place % 3)
            exits = 1 if site == Site.OFFICE else 3
            start = int(rng.integers(exits))
            return Network(
                asn,
                tuple(_address(site, place, (start + turn) % exits) for turn in range(exits)),
            )
        if site == Site.CLOUD:
            cloud = _zipf(rng, 8, 1.0)
            if rng.random() < 0.25:  # serverless: the egress of a region, shared by strangers
                return Network(
                    _ASN[site] + cloud, (_address(site, cloud, _zipf(rng, shared, 0.8)),)
                )
            return Network(_ASN[site] + cloud, (_own_address(rng),))
        carrier = _zipf(rng, 4, 0.8)
        asn = _ASN[site] + country * 4 + carrier
        if rng.random() < 0.2:  # carrier-grade NAT
            return Network(asn, (_address(site, country * 4 + carrier, int(rng.integers(shared))),))
        return Network(asn, tuple(_own_address(rng) for _ in range(1 + int(rng.random() < 0.35))))


class Software(NamedTuple):
    """A client program: what it calls itself, and how its TLS library greets."""

    user_agent: str
    ja4: str


#: kind of client → (name, TLS library, share, versions); shares are assumptions, Zipf-like
_CLIENTS: dict[str, tuple[tuple[str, str, float, tuple[str, ...]], ...]] = {
    "library": (
        ("OpenAI/Python {}", "openssl", 0.42, ("1.99.9", "2.2.0", "2.6.1", "2.8.0")),
        ("Anthropic/Python {}", "openssl", 0.18, ("0.64.0", "0.71.1", "0.74.0")),
        ("OpenAI/JS {}", "node", 0.12, ("5.12.2", "6.1.0", "6.7.0")),
        ("langchain/{}", "openssl", 0.08, ("0.3.27", "1.0.3")),
        ("axios/{}", "node", 0.06, ("1.7.9", "1.12.2")),
        ("Go-http-client/{}", "go", 0.05, ("1.1", "2.0")),
        ("python-requests/{}", "openssl", 0.05, ("2.31.0", "2.32.5")),
        ("okhttp/{}", "okhttp", 0.02, ("4.12.0", "5.1.0")),
        ("curl/{}", "openssl", 0.02, ("7.88.1", "8.14.1")),
    ),
    "browser": (
        ("Mozilla/5.0 Chrome/{}", "chromium", 0.66, ("139.0", "140.0", "141.0", "142.0")),
        ("Mozilla/5.0 Safari/{}", "apple", 0.18, ("18.5", "18.6", "26.0")),
        ("Mozilla/5.0 Edg/{}", "chromium", 0.09, ("140.0", "141.0")),
        ("Mozilla/5.0 Firefox/{}", "firefox", 0.07, ("142.0", "143.0", "144.0")),
    ),
    "harness": (
        ("terminal-coder/{}", "node", 0.45, ("1.0.98", "2.0.14", "2.0.31", "2.0.42")),
        ("editor-pilot/{}", "chromium", 0.30, ("0.42.3", "0.45.1", "0.47.0")),
        ("patchwork/{}", "openssl", 0.15, ("0.86.0", "0.88.2")),
        ("forgehand/{}", "go", 0.10, ("0.11.4", "0.12.0")),
    ),
}

_ASN = {
    Site.HOME: 4_200_000_000,
    Site.OFFICE: 4_200_100_000,
    Site.CAMPUS: 4_200_200_000,
    Site.CLOUD: 4_200_300_000,
    Site.VPN: 4_200_400_000,
}
_BLOCK = {Site.HOME: 241, Site.OFFICE: 242, Site.CAMPUS: 243, Site.CLOUD: 244, Site.VPN: 245}


def software(rng: np.random.Generator, client: str) -> Software:
    """A program of the kind `client` (library, browser, harness), by popularity."""
    programs = _CLIENTS[client]
    name, library, _, versions = programs[_weighted(rng, [p[2] for p in programs])]
    # the newest version but one is the most used
    at = min(len(versions) - 1, int(rng.choice(4, p=[0.1, 0.15, 0.5, 0.25])))
    return Software(name.format(versions[at]), fingerprint(f"{library} {int(rng.random() < 0.3)}"))


def fingerprint(of: str) -> str:
    """A string with the form of a JA4 fingerprint; one value for one TLS library and version."""
    digest = hashlib.blake2b(of.encode(), digest_size=16).hexdigest()
    ciphers, extensions = 10 + int(digest[0], 16), 8 + int(digest[1], 16)
    return f"t13d{ciphers:02d}{extensions:02d}h2_{digest[2:14]}_{digest[14:26]}"


def country(rng: np.random.Generator) -> int:
    """An index of :data:`COUNTRIES`, by weight."""
    return _weighted(rng, [c.weight for c in COUNTRIES])


def webmail(rng: np.random.Generator) -> str:
    return WEBMAIL[_weighted(rng, [share for _, share in WEBMAIL])][0]


def _weighted(rng: np.random.Generator, weights: list[float]) -> int:
    cumulated = np.cumsum(weights)
    return int(np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right"))


def _zipf(rng: np.random.Generator, size: int, exponent: float) -> int:
    """An index below `size`, the first ones the most popular."""
    return _weighted(rng, list(np.arange(1, size + 1) ** -exponent))


def _address(site: str, place: int, exit_: int) -> str:
    return f"{_BLOCK[site]}.{place >> 8 & 255}.{place & 255}.{1 + exit_ % 254}"


def _own_address(rng: np.random.Generator) -> str:
    return "{}.{}.{}.{}".format(246 + int(rng.integers(8)), *rng.integers(1, 255, 3).tolist())
