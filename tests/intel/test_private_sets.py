"""A private set answers what was asked, lists nothing, and names whose copy it is."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import IndicatorError, IntelError, SealError
from stillwatch.intel import CommunityKey
from stillwatch.intel.private_sets import Bloom, PrivateSet, build_set, find_leaker, read_set
from stillwatch.intel.private_sets.asking import Match, ask, digests_of
from stillwatch.intel.private_sets.private_set import _signed
from stillwatch.intel.profile import Author, Detector, Tlp, revoked
from stillwatch.ledger import SigningKey
from stillwatch.sources import open_log
from tests.intel.conftest import NOW, random_token

KEY, SECRET = SigningKey(b"s" * 32), b"w" * 32
MEMBERS = [("payment", random_token("in", n)) for n in range(2_000)]
STRANGERS = [random_token("out", n) for n in range(20_000)]
RECIPIENTS = ["provider-a", "provider-b", "provider-c", "provider-d"]


def build(
    recipient: str = "provider-b", secret: bytes = SECRET, false_positives: float = 1e-6
) -> PrivateSet:
    return build_set(
        MEMBERS, scheme="stillwatch.digest/1:fmf:1:0000000000000000", maker="identity--x",
        key=KEY, watermark=secret, recipient=recipient, tlp=Tlp.AMBER, purpose="test", made=NOW,
        valid_until=NOW + timedelta(days=30), set_id="0" * 31 + "1",
        false_positives=false_positives,
    )  # fmt: skip


def kept(made: PrivateSet, folder: Path, name: str = "set.bin") -> Path:
    path = folder / name
    path.write_bytes(made.encoded())
    return path


def test_a_set_holds_what_was_put_in_and_nothing_else() -> None:
    made = build()
    assert made.holds("payment", [value for _, value in MEMBERS]).all()
    assert not made.holds("payment", STRANGERS).any()
    assert not made.holds("device", [value for _, value in MEMBERS]).any()
    assert made.holds("payment", [None, MEMBERS[0][1]]).tolist() == [False, True]


@pytest.mark.parametrize("share", [0.2, 0.02, 0.002])
def test_a_filter_is_wrong_as_often_as_it_says(share: float) -> None:
    rng = np.random.default_rng(7)
    bloom = Bloom.sized(5_000, share)
    bloom.add(rng.integers(0, 2**64, (5_000, 2), np.uint64))
    asked = 200_000
    wrong = int(bloom.holds(rng.integers(0, 2**64, (asked, 2), np.uint64)).sum())
    # five standard errors of a binomial
    assert abs(wrong - asked * share) < 5 * (asked * share) ** 0.5


def test_a_file_is_read_as_it_was_written_and_says_whose_it_is(tmp_path: Path) -> None:
    made = read_set(kept(build(), tmp_path))
    made.check(KEY.public)
    assert made.holds("payment", [MEMBERS[7][1]]).all()
    assert b"provider-b" not in made.encoded()
    with pytest.raises(SealError):
        made.check(SigningKey(b"t" * 32).public)


@settings(max_examples=30)
@given(st.data())
def test_a_changed_or_cut_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(build().encoded())
    place = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path_factory.getbasetemp() / "changed.bin"
    if data.draw(st.booleans()):
        whole[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bytes(whole))
    else:
        path.write_bytes(bytes(whole[:place]))
    with pytest.raises((IndicatorError, SealError)):
        read_set(path).check(KEY.public)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_set_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(b"stillwatch.private-set/1\n" + data)
    with pytest.raises(IndicatorError):
        read_set(path)


def test_a_leaked_file_names_its_recipient() -> None:
    for recipient in RECIPIENTS:
        first, second, *_ = find_leaker(build(recipient), SECRET, RECIPIENTS)
        assert first.recipient == recipient
        assert first.log10_p < -50
        assert second.log10_p > -3


def test_recipients_who_compare_their_files_are_both_named() -> None:
    one, two = build("provider-b"), build("provider-c")
    both = PrivateSet(one.header, Bloom(one._bloom.size, one._bloom.hashes,
                                        one._bloom.bits & two._bloom.bits))  # fmt: skip
    found = find_leaker(both, SECRET, RECIPIENTS)
    assert {each.recipient for each in found[:2]} == {"provider-b", "provider-c"}
    assert all(each.log10_p < -6 for each in found[:2])
    assert all(each.log10_p > -3 for each in found[2:])


def test_a_file_of_somebody_else_names_nobody() -> None:
    found = find_leaker(build(secret=b"v" * 32), SECRET, RECIPIENTS)
    assert all(each.log10_p > -3 for each in found)
    assert found[0].present == 0


def test_what_is_no_digest_is_refused() -> None:
    made = build()
    with pytest.raises(IndicatorError):
        made.holds("payment", ["4242"])
    with pytest.raises(IntelError, match="32"):
        build(secret=b"short")
    with pytest.raises(ValueError, match="no filter"):
        Bloom.sized(0, 0.1)


def test_a_member_learns_what_it_already_holds(tmp_path: Path) -> None:
    community = CommunityKey("fmf", "1", bytes(32))
    card = "pm_" + random_token("card")
    value = community.digest("payment", card)
    made = build_set(
        [("payment", value)], scheme=community.scheme, maker="identity--x", key=KEY,
        watermark=SECRET, recipient="provider-b", tlp=Tlp.AMBER, purpose="test", made=NOW,
        valid_until=NOW + timedelta(days=1),
    )  # fmt: skip
    rows = [("acct-1", card), ("acct-1", card), ("acct-2", random_token("x")), ("acct-3", None)]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(
        json.dumps({"at": 1_790_000_000 + n, "account": a, "prompt": "p", "payment": card_})+"\n"
        for n, (a, card_) in enumerate(rows)
    ))  # fmt: skip
    assert ask(made, community, open_log([log]), NOW) == [
        Match(account="acct-1", field="payment", exchanges=2)
    ]
    with pytest.raises(IndicatorError, match="valid until"):
        ask(made, community, open_log([log]), NOW + timedelta(days=2))
    with pytest.raises(IndicatorError, match="the key of"):
        ask(made, CommunityKey("fmf", "2", bytes(32)), open_log([log]), NOW)


def test_only_what_holds_now_goes_into_a_set() -> None:
    community = CommunityKey("fmf", "1", bytes(32))
    author = Author("identity--11111111-1111-4111-8111-111111111111", KEY, Tlp.AMBER)

    def indicator(n: int, days: int) -> dict[str, Any]:
        return author.digest(
            community.scheme, "payment", community.digest("payment", random_token("i", n)),
            accounts="1-9", detector=Detector("d", "1"), valid_from=NOW,
            valid_until=NOW + timedelta(days=days), now=NOW,
        )  # fmt: skip

    now = NOW + timedelta(days=5)
    holds, over, wrong = indicator(1, 30), indicator(2, 3), indicator(3, 30)
    objects = [holds, over, wrong, revoked(wrong, now), {"type": "note"}]
    value = community.digest("payment", random_token("i", 1))
    assert digests_of(objects, community.scheme, now) == [("payment", value)]
    with pytest.raises(IndicatorError, match="no digest"):
        digests_of(objects, "stillwatch.digest/1:other:1:0000000000000000", now)


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_a_set_that_says_yes_to_everybody_is_refused_whatever_it_claims(
    tmp_path: Path, share: float
) -> None:
    """Its maker would name every customer of everybody, with one false yes in a million."""
    made = build()
    bits = made._bloom.bits.copy()
    bits[: int(len(bits) * share)] = 255
    header = msgspec.structs.replace(made.header, bits=hashlib.sha256(bits.tobytes()).hexdigest())
    signed = msgspec.structs.replace(header, signature=KEY.sign(_signed(header)))
    with pytest.raises(IndicatorError, match="wrong more often than it says"):
        read_set(kept(PrivateSet(signed, Bloom(header.size, header.hashes, bits)), tmp_path))


def test_a_set_that_admits_to_be_wrong_often_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndicatorError, match="wrong"):
        read_set(kept(build(false_positives=0.2), tmp_path))
