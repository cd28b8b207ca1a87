"""A community key digests what nobody could find by trying, and refuses everything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import KeyFileError, LowEntropyError
from stillwatch.exchange import Message, RawExchange
from stillwatch.intel import CommunityKey
from stillwatch.intel.identifiers import FIELDS, REFUSED, identifiers
from stillwatch.sketches import SketchKey
from tests.intel.conftest import random_token

KEY = CommunityKey("fmf", "2026-q4", bytes(range(32)))
TOOLS = "search_repository\nread_file_lines\napply_patch\nrun_test_suite"
PROMPT = "You grade the answer of a student, step by step, against the rubric that follows below."


def test_a_digest_is_an_hmac_of_the_field_and_the_value() -> None:
    value = random_token("x")
    subkey = hmac.digest(bytes(range(32)), b"digest", hashlib.sha256)
    expected = hmac.digest(subkey, b"payment\0" + value.encode(), hashlib.sha256)[:16].hex()
    assert KEY.digest("payment", value) == expected
    assert KEY.digests("payment", [value, None]) == [expected, None]


def test_the_published_vectors_hold() -> None:
    page = (Path(__file__).parents[2] / "docs" / "intel-profile.md").read_text()
    for field, value in (
        ("payment", "pm_1PqXy7Kd83hZmV0sTbW4cLfe"),
        ("device", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("toolset", TOOLS),
        ("system", PROMPT),
    ):
        assert KEY.digest(field, value) in page, (field, KEY.digest(field, value))
    assert KEY.scheme in page


@pytest.mark.parametrize("field", sorted(REFUSED))
def test_a_field_that_can_be_listed_is_refused_with_the_reason(field: str) -> None:
    with pytest.raises(LowEntropyError, match=r"tries|names somebody|never shared|a person"):
        KEY.digest(field, random_token(field))
    assert KEY.digests(field, [random_token(field)]) == [None]


@pytest.mark.parametrize(
    "value",
    [
        "4242424242424242", "4242 4242 4242 4242", "pm_4242424242424242", "2026-11-22T10:00:00Z",
        "1762345678901", "card-0001", "10.1.2.3", "2001:db8::1", "ana@example.com",
        "a4:5e:60:c2:11:9f", "iPhone-15-Pro-iOS-17.2-1170x2532", "Mozilla/5.0 (Windows NT 10.0)",
        "SamsungGalaxyS24UltraAndroid14Build", "abc123abc123abc123abc123abc123", "0" * 64,
        "0123456789abcdef0123456789abcdef", "89014103211118510720", "",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "00000000-0000-4000-8000-000000000001",
        "correcthorsebatterystaple", "GB33BUKB20201555555555", "k3Jx9QmZp1" * 3,
        "pm_1PqXy7Kd83hZmV0sTbW4cLfe-4242424242424242",
    ],
)  # fmt: skip
def test_a_value_that_could_be_guessed_is_refused(value: str) -> None:
    for field in ("payment", "device"):
        with pytest.raises(LowEntropyError):
            KEY.digest(field, value)


@pytest.mark.parametrize(
    "value",
    ["pm_1PqXy7Kd83hZmV0sTbW4cLfe", random_token("hex"), "f47ac10b-58cc-4372-a567-0e02b2c3d479",
     random_token("a") + random_token("b")],
)  # fmt: skip
def test_a_value_that_is_random_is_digested(value: str) -> None:
    assert len(KEY.digest("payment", value)) == 32


def test_few_random_values_are_refused() -> None:
    tokens = [random_token("token", n) for n in range(2_000)]
    ids = [str(uuid.UUID(hex=token, version=4)) for token in tokens]
    for values in (tokens, ids):
        assert KEY.digests("device", values).count(None) < 0.01 * len(values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("toolset", "search\nopen"),
        ("toolset", "a\nb\nc"),
        ("toolset", "get_weather_forecast_today\n" * 3),
        ("system", "You are a helpful assistant."),
        ("system", "la " * 40),
    ],
)
def test_few_tools_and_short_prompts_are_refused(field: str, value: str) -> None:
    with pytest.raises(LowEntropyError):
        KEY.digest(field, value)


def test_values_are_written_alike_before_they_are_digested() -> None:
    assert KEY.digest("system", PROMPT) == KEY.digest("system", f"  {PROMPT.upper()}\n")
    assert KEY.digest("toolset", TOOLS) == KEY.digest("toolset", TOOLS.replace("\n", " \n\n"))
    assert KEY.digest("toolset", TOOLS) != KEY.digest(
        "toolset", "\n".join(reversed(TOOLS.split("\n")))
    )
    value = random_token("x")
    assert KEY.digest("payment", value) == KEY.digest("payment", f" {value} ")
    assert KEY.digest("payment", value) != KEY.digest("payment", value.upper())
    assert KEY.digest("payment", value) != KEY.digest("device", value)


def test_two_epochs_and_two_communities_have_nothing_in_common() -> None:
    value = random_token("x")
    keys = [CommunityKey.generate("fmf", "1"), CommunityKey.generate("fmf", "1"), KEY]
    assert len({key.digest("payment", value) for key in keys}) == 3
    assert len({key.scheme for key in keys}) == 3
    assert isinstance(KEY.sketch_key(), SketchKey)
    assert KEY.sketch_key().key_id != keys[0].sketch_key().key_id


@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), max_size=20))
def test_in_bulk_is_one_by_one(values: list[str | None]) -> None:
    for field in FIELDS:
        made = []
        for value in values:
            try:
                made.append(None if value is None else KEY.digest(field, value))
            except LowEntropyError:
                made.append(None)
        assert KEY.digests(field, values) == made
        compared = KEY.digests(field, values, leaving=False)
        assert [a is None for a in compared] == [v is None for v in values]
        assert all(a in (None, b) for a, b in zip(made, compared, strict=True))


def test_a_key_survives_its_file_and_shows_itself_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "community.json"
    KEY.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = CommunityKey.from_file(path)
    assert again.scheme == KEY.scheme
    assert again.digest("system", PROMPT) == KEY.digest("system", PROMPT)
    assert bytes(range(32)).hex() not in repr(KEY) + KEY.scheme
    with pytest.raises(KeyFileError, match="never overwritten"):
        KEY.write(path)


@pytest.mark.parametrize(
    "change",
    [{"secret": "00"}, {"secret": "zz" * 32}, {"format": "x"}, {"community": "A b"}, {"more": 1}],
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "community.json"
    fields = {
        "format": "stillwatch.community/1", "community": "fmf", "epoch": "1", "secret": "00" * 32,
    }  # fmt: skip
    path.write_text(json.dumps(fields | change))
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        CommunityKey.from_file(path)


def test_an_exchange_gives_what_may_be_compared_and_nothing_else() -> None:
    row = RawExchange(
        at=0, account="acct-1", ip="203.0.113.7", payment="pay-1", device="dev-1",
        tools=("a", "b\nc"),
        messages=(Message("system", "Be brief."), Message("user", "What?")),
    )  # fmt: skip
    assert identifiers(row) == {
        "payment": "pay-1", "device": "dev-1", "toolset": "a\nb c", "system": "Be brief.",
    }  # fmt: skip
    assert identifiers(RawExchange(at=0, account="acct-1", prompt="What?")) == {}


@pytest.mark.parametrize(
    "written",
    [
        lambda text: base64.b64encode(text).decode(),
        lambda text: base64.urlsafe_b64encode(text).decode().rstrip("="),
        lambda text: base64.b32encode(text).decode(),
        lambda text: text.hex(),
        lambda text: text.hex().upper(),
        lambda text: "cus_" + base64.b64encode(text).decode(),
    ],
    ids=["base64", "base64url", "base32", "hex", "HEX", "prefixed"],
)
@pytest.mark.parametrize(
    "text", [b"alice.smith@example.com", b"4111111111111111", b'{"ip":"192.168.100.200"}']
)
def test_what_is_only_written_in_another_way_is_as_guessable(
    written: Callable[[bytes], str], text: bytes
) -> None:
    with pytest.raises(LowEntropyError):
        KEY.digest("device", written(text))


def test_a_uuid_of_a_time_is_one_without_its_hyphens_too() -> None:
    with pytest.raises(LowEntropyError, match="random UUID"):
        KEY.digest("device", "6ba7b8109dad11d180b400c04fd430c8")
