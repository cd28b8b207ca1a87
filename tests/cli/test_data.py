"""`stillwatch data` lists public sets, and compares copies of them with their checksums."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from stillwatch.cli.data import command
from stillwatch.errors import InputError
from stillwatch.lab.corpus.public import PUBLIC_SETS, checksum


def test_every_set_is_listed_with_address_licence_and_checksums() -> None:
    printed = CliRunner().invoke(command).output

    for public in PUBLIC_SETS:
        assert public.address in printed
        assert public.licence in printed
        assert all(f"{sha256}  {name}" in printed for name, sha256 in public.files.items())
    assert "always simulated" in printed


def test_a_checksum_is_that_of_the_unpacked_content(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b"content"))

    assert checksum(packed) == hashlib.sha256(b"content").hexdigest()


def test_a_damaged_copy_is_an_error(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b"content" * 99)[:-9])

    with pytest.raises(InputError, match="gzip file is damaged"):
        checksum(packed)


def test_copies_that_differ_or_are_missing_are_named(tmp_path: Path) -> None:
    public = PUBLIC_SETS[0]
    other, *rest = public.files
    (tmp_path / public.name).mkdir()
    (tmp_path / public.name / other).write_text("not the file")

    result = CliRunner().invoke(command, ["--check", str(tmp_path)])

    assert f"{other}  DIFFERENT" in result.output
    assert all(f"{name}  missing" in result.output for name in rest)
    assert isinstance(result.exception, InputError)
