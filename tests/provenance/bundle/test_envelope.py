"""Envelopes that other programs read, and that nobody changes unnoticed."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from stillwatch.errors import InputError, TamperedError
from stillwatch.ledger import public_pem
from stillwatch.provenance.bundle import Sealed
from stillwatch.provenance.bundle.envelope import Envelope, Signature, Statement, Subject
from tests.provenance.bundle.conftest import KEY, OTHER

STATEMENT = Statement(
    subject=(Subject("a", {"sha256": "00" * 32}),), predicate_type="urn:x", predicate={"n": 1}
)


def test_what_is_signed_is_the_encoding_of_the_standard() -> None:
    # the example of the DSSE protocol
    envelope = Envelope(
        payload=base64.b64encode(b"hello world").decode(),
        payload_type="http://example.com/HelloWorld", signatures=(),
    )  # fmt: skip
    assert envelope.message() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_a_statement_has_the_fields_of_in_toto(sealed: Sealed) -> None:
    file = json.loads((sealed.path / "statement.json").read_bytes())
    assert set(file) == {"payload", "payloadType", "signatures"}
    assert file["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(file["payload"]))
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {len(each["digest"]["sha256"]) for each in statement["subject"]} == {64}


def test_a_signature_holds_for_its_key_and_for_no_other() -> None:
    envelope = Envelope.signed(STATEMENT, KEY)
    assert envelope.check() == envelope.check(KEY.public) == KEY.public
    assert Envelope.parse(envelope.encoded()).statement() == STATEMENT
    with pytest.raises(TamperedError, match="not signed with the key"):
        envelope.check(OTHER.public)
    with pytest.raises(TamperedError, match="not signed"):
        msgspec.structs.replace(envelope, signatures=()).check()
    claimed = Signature(OTHER.public, envelope.signatures[0].sig)
    for signatures in ((claimed,), (Signature(KEY.public, "!"),), (Signature(KEY.public, ""),)):
        with pytest.raises(TamperedError, match="does not hold"):
            msgspec.structs.replace(envelope, signatures=signatures).check()


def test_a_second_person_may_sign_beside_the_first() -> None:
    both = Envelope.signed(STATEMENT, KEY).also_signed(OTHER)
    assert (both.check(KEY.public), both.check(OTHER.public)) == (KEY.public, OTHER.public)


def test_nobody_is_named_beside_a_signature_who_never_signed() -> None:
    good = Envelope.signed(STATEMENT, KEY)
    forged = Signature(OTHER.public, good.signatures[0].sig)
    for signatures in ((forged, *good.signatures), (*good.signatures, forged)):
        lent = msgspec.structs.replace(good, signatures=signatures)
        for key in (None, KEY.public):
            with pytest.raises(TamperedError, match="does not hold"):
                lent.check(key)


def test_a_changed_payload_or_type_does_not_hold() -> None:
    envelope = Envelope.signed(STATEMENT, KEY)
    payload = base64.b64encode(base64.b64decode(envelope.payload).replace(b"1", b"2", 1)).decode()
    for changed in ({"payload": payload}, {"payload_type": "text/plain"}):
        with pytest.raises(TamperedError, match="does not hold"):
            msgspec.structs.replace(envelope, **changed).check()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"payload": "!", "payloadType": "x", "signatures": []}',
     b'{"payload": "", "payloadType": "x", "signatures": [{"keyid": "x", "sig": ""}]}'],
)  # fmt: skip
def test_what_is_no_envelope_is_unreadable(content: bytes) -> None:
    with pytest.raises(InputError, match="DSSE"):
        Envelope.parse(content)


def test_what_is_no_statement_is_unreadable() -> None:
    for payload, kind in (
        (b"{}", "application/vnd.in-toto+json"),
        (b'{"_type": "x", "subject": [], "predicateType": "x", "predicate": {}}',
         "application/vnd.in-toto+json"),
        (b"{}", "text/plain"),
    ):  # fmt: skip
        envelope = Envelope(
            payload=base64.b64encode(payload).decode(), payload_type=kind, signatures=()
        )
        with pytest.raises(InputError, match="no statement of in-toto"):
            envelope.statement()


@pytest.mark.service
def test_openssl_says_the_same_of_a_signature(sealed: Sealed, tmp_path: Path) -> None:
    envelope = Envelope.parse((sealed.path / "statement.json").read_bytes())
    key, message, signature = (tmp_path / name for name in ("key.pem", "message", "signature"))
    key.write_bytes(public_pem(KEY.public))
    message.write_bytes(envelope.message())
    signature.write_bytes(base64.b64decode(envelope.signatures[0].sig))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", message,
               "-sigfile", signature]  # fmt: skip
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    message.write_bytes(envelope.message() + b" ")
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0
