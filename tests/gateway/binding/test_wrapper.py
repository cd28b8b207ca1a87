"""The wrapper: any text comes back exactly, any change is noticed, nothing can be read."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from stillwatch.gateway.binding.key import BindingKey
from stillwatch.gateway.binding.wrapper import PREFIX, Opened, Said, seal, unseal
from tests.gateway.binding.engine import ENCRYPTED, REDACTED, SIGNATURE

KEY, OTHER = BindingKey(b"k" * 32), BindingKey(b"o" * 32)
KEYS = {KEY.id: KEY}
EIGHT = st.binary(min_size=8, max_size=8)
SAID = st.builds(
    Said, EIGHT, EIGHT, EIGHT, EIGHT, st.integers(0, 2**32 - 1),
    st.integers(-(2**63), 2**63 - 1), st.booleans(),
)  # fmt: skip
ENCODED = st.binary(max_size=300).flatmap(
    lambda data: st.sampled_from(
        [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(),
         base64.urlsafe_b64encode(data).decode().rstrip("="), data.hex()]
    )
)  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(), max_size=300), ENCODED, st.text("ABcd01+/-_=\n ", max_size=40)
)
A_SAID = Said(b"account!", b"contract", b"convers.", b"a model.", 1_780_000_000, -5, True)


@given(SAID, TEXTS)
def test_what_goes_in_comes_out_exactly(said: Said, text: str) -> None:
    assert unseal(KEYS, seal(KEY, said, text)) == Opened(said, text, KEY)


@given(TEXTS, st.data())
def test_any_changed_character_is_noticed(text: str, data: st.DataObject) -> None:
    wrapper = seal(KEY, A_SAID, text)
    place = data.draw(st.integers(0, len(wrapper) - 1))
    other = data.draw(st.characters().filter(lambda c: c != wrapper[place]))
    assert unseal(KEYS, wrapper[:place] + other + wrapper[place + 1 :]) is None


@given(TEXTS, st.data())
def test_any_changed_byte_is_noticed(text: str, data: st.DataObject) -> None:
    wrapper = seal(KEY, A_SAID, text)
    body = bytearray(base64.urlsafe_b64decode(wrapper + "=" * (-len(wrapper) % 4)))
    body[data.draw(st.integers(6, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    assert unseal(KEYS, base64.urlsafe_b64encode(body).decode().rstrip("=")) is None


@given(TEXTS, st.sampled_from(["=", "\n", " ", "A", "!", "é", "\x00"]), st.data())
def test_nothing_can_be_added_or_cut_off(text: str, added: str, data: st.DataObject) -> None:
    wrapper = seal(KEY, A_SAID, text)
    place = data.draw(st.integers(0, len(wrapper)))
    assert unseal(KEYS, wrapper[:place] + added + wrapper[place:]) is None
    if place < len(wrapper):
        assert unseal(KEYS, wrapper[:place]) is None


@given(st.text() | ENCODED.map(PREFIX.__add__) | st.text().map(PREFIX.__add__))
def test_what_we_did_not_make_is_no_wrapper(text: str) -> None:
    assert unseal(KEYS, text) is None


def test_the_last_bits_of_base64_that_stand_for_nothing_cannot_be_changed() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for text in ("", "a", "ab"):
        wrapper = seal(KEY, A_SAID, text)
        last = [c for c in alphabet if unseal(KEYS, wrapper[:-1] + c) is not None]
        assert last == [wrapper[-1]]


def test_a_key_opens_only_its_own() -> None:
    wrapper = seal(OTHER, A_SAID, SIGNATURE)
    assert unseal(KEYS, wrapper) is None
    assert unseal({KEY.id: KEY, OTHER.id: OTHER}, wrapper) == Opened(A_SAID, SIGNATURE, OTHER)
    assert unseal({OTHER.id: KEY}, wrapper) is None


def test_a_wrapper_shows_neither_whose_it_is_nor_what_is_in_it() -> None:
    wrappers = [
        seal(KEY, A_SAID, SIGNATURE),
        seal(KEY, A_SAID, REDACTED),
        seal(KEY, A_SAID._replace(at=A_SAID.at + 1), SIGNATURE),
    ]
    bodies = [base64.urlsafe_b64decode(w + "=" * (-len(w) % 4)) for w in wrappers]
    inside = base64.b64decode(SIGNATURE)
    for body in bodies:
        for shown in (*A_SAID[:4], inside[:6], A_SAID.at.to_bytes(4)):
            assert shown not in body
    for one in range(3):
        for other in range(one):
            masked = zip(bodies[one][26:], bodies[other][26:], strict=False)
            assert sum(a == b for a, b in masked) < 10  # they have nothing in common but the key


def test_a_wrapper_is_url_safe_and_some_hundred_characters_longer() -> None:
    for text in (SIGNATURE, REDACTED, ENCRYPTED):
        wrapper = seal(KEY, A_SAID, text)
        assert wrapper.startswith(PREFIX)
        assert set(wrapper) <= set(base64.urlsafe_b64encode(bytes(range(256))).decode() + "-_")
        assert len(wrapper) - len(text) < 100


def test_what_the_first_version_wrote_can_be_read_for_ever() -> None:
    assert unseal(KEYS, WRITTEN) == Opened(A_SAID, SIGNATURE, KEY)
    assert seal(KEY, A_SAID, SIGNATURE) == WRITTEN


WRITTEN = (
    "swbound1AcBhDkjxfb8dsMMocuj40J64OlEUyY0B8F46r8gYCRBb5h2CIHA9UBDTLTPM0E2p2GSK9D19"
    "7IyUPmdWQwTHlI5hKteVH9xor60zkBRzCILc7b2FNlgTPtEfBhLolqaLXmPmOxQKx_Myenff"
)
