"""Where an address is, from files of known content; what cannot be placed is unknown."""

from __future__ import annotations

import os
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access.asn_classes import read_asn_classes
from stillwatch.access.networks import read_networks
from stillwatch.access.places import LOOK_AGAIN, Place, Places
from stillwatch.errors import SettingsError
from tests.access.mmdb import write_mmdb

UNKNOWN = "unknown"
COUNTRIES = {
    "5.0.0.0/8": {"country_code": "DE"},  # as ip-location-db says it
    "8.8.8.0/24": {"country": {"iso_code": "US"}},  # as MaxMind
    "9.9.9.0/24": {"country": "CH"},  # as IPinfo
    "11.0.0.0/8": {"country_code": "ZZ"},
    "12.0.0.0/8": {"country_code": "fr"},
    "13.0.0.0/8": {"continent": "EU"},
    "10.0.0.0/8": {"country_code": "DE"},  # nobody's, whatever a file says
    "192.0.2.0/24": {"country_code": "DE"},
    "fc00::/7": {"country_code": "DE"},
    "224.0.0.0/8": {"country_code": "DE"},
    "2a00::/16": {"country_code": "NO"},
}
SYSTEMS = {
    "5.0.0.0/8": {"autonomous_system_number": 24940, "autonomous_system_organization": "Hetzner"},
    "8.8.8.0/24": {"asn": "AS64500", "as_name": "Some University of Somewhere"},
    "9.9.9.0/24": {"autonomous_system_number": 64501, "autonomous_system_organization": "Quiet"},
    "12.0.0.0/8": {"asn": "ASX"},
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        write_mmdb(tmp_path / "country.mmdb", COUNTRIES), write_mmdb(tmp_path / "asn.mmdb", SYSTEMS)
    )


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("5.1.2.3", Place("DE", 24940, "hosting")),
        ("8.8.8.8", Place("US", 64500, "education")),
        ("9.9.9.9", Place("CH", 64501, UNKNOWN)),
        ("12.0.0.1", Place("FR", 0, UNKNOWN)),
        ("2a00::1", Place("NO", 0, UNKNOWN)),
        ("::ffff:5.1.2.3", Place("DE", 24940, "hosting")),
        ("64:ff9b::501:203", Place("DE", 24940, "hosting")),
        ("2002:501:203::1", Place("DE", 24940, "hosting")),
    ],
)
def test_an_address_is_placed_however_the_file_says_it(
    places: Places, ip: str, place: Place
) -> None:
    assert places.look_up(ip) == place


@pytest.mark.parametrize(
    "ip",
    ["10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
     "169.254.1.1", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "192.0.2.1", "2001:db8::1", "1.2.3.4", "2c00::1",
     "11.0.0.1", "13.0.0.1",
     "", "unknown", "5.1.2.3:80", "5.1.2", "[2a00::1]", " 5.1.2.3", "5.1.2.03", "5.1.2.3\n"],
)  # fmt: skip
def test_what_cannot_be_placed_is_unknown(places: Places, ip: str) -> None:
    assert places.look_up(ip) == Place(UNKNOWN, 0, UNKNOWN)


NOWHERE = Places()


@settings(deadline=None)
@given(st.text() | st.ip_addresses().map(str))
def test_without_files_any_text_is_nowhere(ip: str) -> None:
    assert NOWHERE.look_up(ip) == Place(UNKNOWN, 0, UNKNOWN)


def test_a_file_of_ipv4_alone_leaves_ipv6_unknown(tmp_path: Path) -> None:
    records = {"5.0.0.0/8": {"country_code": "DE"}}
    places = Places(write_mmdb(tmp_path / "4.mmdb", records, version=4))
    assert places.look_up("5.1.2.3").country == "DE"
    assert places.look_up("2a00::1").country == UNKNOWN


def test_a_replaced_file_is_opened_again(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "country.mmdb", {"5.0.0.0/8": {"country_code": "DE"}})
    clock = Clock()
    places = Places(path, clock=clock)
    newer = write_mmdb(tmp_path / "newer", {"5.0.0.0/8": {"country_code": "AT"}})
    newer.replace(path)
    assert places.look_up("5.1.2.3").country == "DE"
    clock.now += LOOK_AGAIN
    assert places.look_up("5.1.2.3").country == "AT"
    assert places.problems == ()


def test_a_broken_file_leaves_the_one_before_in_use_and_says_so(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "country.mmdb", {"5.0.0.0/8": {"country_code": "DE"}})
    clock = Clock()
    places = Places(path, clock=clock)
    broken = tmp_path / "broken"
    broken.write_bytes(b"no database")
    broken.replace(path)
    clock.now += LOOK_AGAIN
    assert places.look_up("5.1.2.3").country == "DE"
    assert "the one before stays in use" in places.problems[0]
    write_mmdb(tmp_path / "newer", {"5.0.0.0/8": {"country_code": "AT"}}).replace(path)
    clock.now += LOOK_AGAIN
    assert places.look_up("5.1.2.3").country == "AT"
    assert places.problems == ()
    path.unlink()
    clock.now += LOOK_AGAIN
    assert places.look_up("5.1.2.3").country == "AT"
    assert len(places.problems) == 1


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.mmdb: no readable MMDB file"):
        Places(tmp_path / "absent.mmdb")
    (tmp_path / "text.mmdb").write_text("no database")
    with pytest.raises(SettingsError, match=r"text\.mmdb: no readable MMDB file"):
        Places(asn_mmdb=tmp_path / "text.mmdb")


def test_lists_of_the_operator_win_over_the_shipped_classes(tmp_path: Path) -> None:
    tor = tmp_path / "tor.txt"
    tor.write_text("# exits\n5.1.2.3\n\n5.9.0.0/16  # a range\nAS64501\n2a00:1::/32\n")
    asn = write_mmdb(tmp_path / "asn.mmdb", SYSTEMS)
    places = Places(asn_mmdb=asn, lists={"vpn": (tor,)})
    assert places.look_up("5.1.2.3").asn_class == "vpn"
    assert places.look_up("5.9.255.255").asn_class == "vpn"
    assert places.look_up("5.10.0.0").asn_class == "hosting"
    assert places.look_up("9.9.9.9").asn_class == "vpn"
    assert places.look_up("2a00:1::5").asn_class == "vpn"


def test_a_line_of_a_list_that_is_no_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("5.1.2.3\n5.1.2\n")
    with pytest.raises(SettingsError, match=r"list\.txt:2: '5\.1\.2' is neither a network"):
        read_networks((path,))


NETWORKS = st.lists(st.tuples(st.integers(0, 2**8 - 1), st.integers(24, 32)), max_size=8)


@settings(deadline=None)
@given(NETWORKS)
def test_overlapping_networks_hold_what_any_of_them_holds(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int]]
) -> None:
    start = int(IPv4Address("5.0.0.0"))
    ranges = [(start + (at >> (32 - size) << (32 - size)), size) for at, size in drawn]
    path = tmp_path_factory.getbasetemp() / "networks.txt"
    path.write_text("\n".join(f"{IPv4Address(at)}/{size}" for at, size in ranges))
    networks = read_networks((path,))
    for number in range(start - 1, start + 258):
        inside = any(at <= number < at + 2 ** (32 - size) for at, size in ranges)
        assert networks.holds(ip_address(number)) is inside


@pytest.mark.parametrize(
    ("asn", "organisation", "kind"),
    [
        (24940, "", "hosting"),
        (64500, "University of Somewhere", "education"),
        (64500, "Acme Cloud Hosting VPN", "vpn"),
        (64500, "Universe", UNKNOWN),
        (64500, "Ghostly Hostess", UNKNOWN),
        (0, "", UNKNOWN),
    ],
)
def test_a_network_is_classed_by_number_then_by_whole_words(
    asn: int, organisation: str, kind: str
) -> None:
    assert read_asn_classes().of(asn, organisation) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hostng]\nasns = [1]\n", "no class 'hostng'; did you mean 'hosting'"),
        ("[hosting]\nasns = [1]\n[vpn]\nasns = [1]\n", r"1 stands under \[hosting\] and \[vpn\]"),
        ("[hosting]\nasns = ['1']\n", "holds '1', no int"),
        ("[hosting]\nwords = 'a'\nnetworks = []\n", "has no 'networks'"),
        ("[hosting\n", "cannot read the classes"),
    ],
)
def test_a_mistake_in_a_file_of_classes_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "classes.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_asn_classes(path)


def test_a_touched_file_is_no_problem(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "country.mmdb", COUNTRIES)
    clock = Clock()
    places = Places(path, clock=clock)
    os.utime(path, (1, 1))
    clock.now += LOOK_AGAIN
    assert places.look_up("5.1.2.3").country == "DE"
    assert places.problems == ()
