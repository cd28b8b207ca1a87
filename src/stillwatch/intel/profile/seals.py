"""The seal of an object: an Ed25519 signature (RFC 8032) over its canonical JSON (RFC 8785).

Objects travel one by one, so that each carries its own. What is signed is the text
``stillwatch.seal/1`` and a line feed (18 bytes), then the canonical bytes of the object without its
``seal``: the same key can sign other things, and none of them is ever taken for an object.
"""

from __future__ import annotations

from typing import Any, Final

from stillwatch.errors import SealError
from stillwatch.intel.profile.names import DISTILLATION, PROFILE, extension_of
from stillwatch.ledger import SigningKey, canonical, is_signed

__all__ = ["CONTEXT", "Seal", "check_seal", "sealed_bytes"]

CONTEXT: Final = b"stillwatch.seal/1\n"


class Seal:
    """Who says what an object says."""

    @staticmethod
    def sign(thing: dict[str, Any], key: SigningKey) -> dict[str, Any]:
        """A copy of `thing` that carries the seal of `key`, in place of any it had.

        Raises:
            SealError: it has no canonical form.
        """
        bare = _without_seal(thing)
        extensions = dict(bare.get("extensions", {}))
        own = {
            "extension_type": "property-extension",
            "profile": PROFILE,
            **extensions.get(DISTILLATION, {}),
        }
        extensions[DISTILLATION] = own
        bare["extensions"] = extensions
        signature = key.sign(sealed_bytes(bare))
        seal = {"key": key.public, "signature": signature}
        return {**bare, "extensions": {**extensions, DISTILLATION: {**own, "seal": seal}}}


def check_seal(thing: dict[str, Any], key: str) -> None:
    """Hold the seal of an object against the public key of its sender (64 hexadecimal digits).

    Raises:
        SealError: it has none, it was changed since, or another key sealed it.
    """
    seal = extension_of(thing).get("seal")
    if not isinstance(seal, dict):
        raise SealError(f"{_named(thing)} carries no seal")
    public, signature = seal.get("key"), seal.get("signature")
    if not isinstance(public, str) or not isinstance(signature, str):
        raise SealError(f"{_named(thing)} carries a seal that is none")
    if public != key:
        raise SealError(f"{_named(thing)} is sealed with {public[:16]}…, not with {key[:16]}…")
    if not is_signed(sealed_bytes(thing), signature, key):
        raise SealError(f"{_named(thing)} was changed after it was sealed, or its seal is forged")


def sealed_bytes(thing: dict[str, Any]) -> bytes:
    """What is signed of an object, whether it carries a seal or not.

    Raises:
        SealError: it has no canonical form.
    """
    try:
        return CONTEXT + canonical(_without_seal(thing))
    except ValueError as error:
        raise SealError(f"{_named(thing)} cannot be sealed: {error}") from error


def _without_seal(thing: dict[str, Any]) -> dict[str, Any]:
    own = extension_of(thing)
    if "seal" not in own:
        return dict(thing)
    bare = {name: value for name, value in own.items() if name != "seal"}
    return {**thing, "extensions": {**thing["extensions"], DISTILLATION: bare}}


def _named(thing: dict[str, Any]) -> str:
    name = thing.get("id")
    return name[:120] if isinstance(name, str) else "an object without an id"
