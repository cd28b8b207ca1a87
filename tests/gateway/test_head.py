"""What the head of a request tells, and who is believed."""

from __future__ import annotations

import ipaddress

import pytest

from stillwatch.gateway.head import TrustedHops, read_head

HOPS = TrustedHops(
    networks=(ipaddress.ip_network("10.0.0.0/8"),), payment_header=b"x-card", device_header=b"x-box"
)


@pytest.mark.parametrize(
    ("peer", "hops", "known"),
    [
        ("10.1.1.1", HOPS, ("pm_1", "d_1")),
        ("192.0.2.1", HOPS, (None, None)),
        ("10.1.1.1", TrustedHops(networks=HOPS.networks), (None, None)),
        ("10.1.1.1", None, (None, None)),
    ],
)
def test_what_an_account_pays_with_is_what_a_trusted_hop_says_where_it_is_asked(
    peer: str, hops: TrustedHops | None, known: tuple[str | None, str | None]
) -> None:
    head = read_head([(b"x-card", b"pm_1"), (b"x-box", b"d_1")], peer, hops)
    assert (head.payment, head.device) == known


def test_a_value_that_is_too_long_to_be_kept_whole_links_nobody() -> None:
    head = read_head([(b"x-card", b"x" * 513)], "10.1.1.1", HOPS)
    assert head.payment is None
