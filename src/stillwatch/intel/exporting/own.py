"""Who we are to others: section ``intel`` of the settings, or the options that stand for it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from stillwatch.errors import IntelError, SettingsError
from stillwatch.intel.community import CommunityKey
from stillwatch.ledger import SigningKey
from stillwatch.settings import Section, read_settings

__all__ = ["Own", "identity_id", "read_own"]

_NAMESPACE = uuid.UUID("6f8d0d2e-0b0e-5a53-9d9c-5c0d7a1b7f10")
_IDENTITY = re.compile(r"identity--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Own:
    """A provider, as others know it: its name, its id, the key that seals what it says."""

    name: str
    identity: str
    key: SigningKey
    community: CommunityKey | None
    policy: Path | None


def identity_id(public: str) -> str:
    """The id of the identity whose objects a public key seals: a UUID (version 5) of the key."""
    return f"identity--{uuid.uuid5(_NAMESPACE, public)}"


def read_own(
    settings: Path | None,
    *,
    name: str | None = None,
    key: Path | None = None,
    community: Path | None = None,
    policy: Path | None = None,
    otherwise: Path | None = None,
) -> Own:
    """Read ``intel`` of `settings`: ``name``, ``identity``, ``key``, ``community``, ``policy``.

    What is given beside it wins; `otherwise` is the key where neither names one. Paths of the file
    are relative to its folder. The section ``blocking`` within is for whoever reads that.

    Raises:
        SettingsError: a value is none, or an identity is no id.
        IntelError: no name, or no key to seal with.
        KeyFileError: a key file cannot be used.
    """
    section = read_settings(settings).section("intel")
    section.section("blocking")
    base = settings.parent if settings is not None else Path()
    named, ours = _text(section, "name"), _path(section, "key", base)
    shared, rules = _path(section, "community", base), _path(section, "policy", base)
    identity = section.take("identity", str, "")
    section.finish()
    name, key = name or named, key or ours or otherwise
    community, policy = community or shared, policy or rules
    if name is None:
        raise IntelError("say who you are to others, with --as NAME or 'name' in section 'intel'")
    if key is None:
        raise IntelError(
            "there is no key to seal with; name one with --key FILE or 'key' in section 'intel' "
            "(the key of a ledger will do)"
        )
    signing = SigningKey.from_file(key)
    identity = identity or identity_id(signing.public)
    if not _IDENTITY.fullmatch(identity):
        raise SettingsError(
            f"'intel.identity': {identity!r} is no id such as {identity_id(signing.public)}",
            path=section.path,
            line=section.line_of("identity"),
        )
    return Own(
        name=name,
        identity=identity,
        key=signing,
        community=CommunityKey.from_file(community) if community is not None else None,
        policy=policy,
    )


def _text(section: Section, key: str) -> str | None:
    return section.take(key, str, "").strip() or None


def _path(section: Section, key: str, base: Path) -> Path | None:
    text = section.take(key, str, "")
    return base / text if text else None
