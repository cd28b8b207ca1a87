"""The section `gateway` of ``stillwatch.yaml``, beside those of `access`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from stillwatch.access import Backend, RuleSet, Surface
from stillwatch.access.reading import AccessSettings, Level, PlaceSettings, read_access
from stillwatch.errors import SettingsError
from stillwatch.gateway.binding import BindingSettings, read_binding
from stillwatch.gateway.decide_settings import DecideSettings, networks_in, read_decide
from stillwatch.gateway.head import TrustedHops
from stillwatch.settings import Section, read_settings

if TYPE_CHECKING:
    from stillwatch.watermark.hooks import Marks

__all__ = ["GatewaySettings", "in_front_of", "read_gateway"]

#: The variable with the API key that an upstream given on the command line wants from us.
UPSTREAM_KEY = "STILLWATCH_UPSTREAM_KEY"
#: What the default level allows where no settings say otherwise: tokens of one answer.
DEFAULT_CAP = 4096
#: as :data:`stillwatch.watermark.hooks.lookup.CHOICES`, which is not imported for it: it compiles
_CHOICES = "choices"
_MARK = re.compile(r"[\w-][\w.-]{0,63}", re.ASCII)


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is set. `keys` and `limits` are addresses of stores that several gateways
    share (PostgreSQL, Redis); `communities` are files of keys under which exchanges are kept for
    comparing; `credentials` are headers for each backend by name; `marks` are names by level, and
    `mark_keys` are there where a backend takes the keys themselves from us, or a mark is of
    choices, which we write."""

    access: AccessSettings
    hops: TrustedHops | None = None
    decide: DecideSettings | None = None
    credentials: Mapping[str, Mapping[str, str]] = {}
    marks: Mapping[str, str] = {}
    mark_keys: Marks | None = None
    keys: str | None = None
    limits: str | None = None
    retention_days: int | None = None
    communities: tuple[Path, ...] = ()
    binding: BindingSettings = BindingSettings()


def read_gateway(path: Path) -> GatewaySettings:
    """Read the settings file at `path`.

    Raises:
        SettingsError: with the line, what is wrong there, and what to write instead.
    """
    settings = read_settings(path)
    access = read_access(settings)
    if not access.backends:
        raise SettingsError("name at least one model server under 'backends'", path=path)
    section = settings.section("gateway")
    days = section.take("retention_days", int, 0)
    hops = _hops(section.section("trusted_hops"))
    marks = _marks(section.section("marks"), access)
    read = GatewaySettings(
        access=access,
        hops=hops,
        decide=read_decide(section.section("decide"), access, hops),
        credentials=_credentials(section.section("credentials"), access.backends),
        marks=marks,
        mark_keys=_mark_keys(section, settings.section("watermark"), access.backends, marks),
        keys=section.take("keys", str, "") or None,
        limits=section.take("limits", str, "") or None,
        retention_days=days or None,
        communities=_files(section, "communities", path.parent),
        binding=read_binding(section.section("binding")),
    )
    section.finish()
    return read


def in_front_of(url: str) -> GatewaySettings:
    """The settings of a gateway without a file: one backend, one level, no limits.

    Raises:
        SettingsError: `url` is no address.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise SettingsError(f"{url!r} is no address such as http://127.0.0.1:8000")
    access = AccessSettings(
        levels={"default": Level(name="default", surface=Surface(max_tokens=DEFAULT_CAP))},
        tiers={},
        backends=(Backend(name="upstream", url=url),),
        rules=RuleSet(),
        places=PlaceSettings(),
    )
    key = os.environ.get(UPSTREAM_KEY)
    return GatewaySettings(access=access, credentials={"upstream": _bearer(key)} if key else {})


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _hops(section: Section) -> TrustedHops | None:
    networks = networks_in(section)
    address = section.take("address_header", str, "x-forwarded-for")
    ja4 = section.take("ja4_header", str, "x-ja4")
    payment = section.take("payment_header", str, "")
    device = section.take("device_header", str, "")
    section.finish()
    if not networks:
        return None
    return TrustedHops(
        networks=networks,
        address_header=address.lower().encode(),
        ja4_header=ja4.lower().encode(),
        payment_header=payment.lower().encode(),
        device_header=device.lower().encode(),
    )


def _credentials(section: Section, backends: tuple[Backend, ...]) -> dict[str, dict[str, str]]:
    """backend → the variable of the environment that holds its key; keys stand in no file."""
    read = {}
    known = {backend.name for backend in backends}
    for name in section:
        variable = section.take(name, str)
        problem = None
        if name not in known:
            problem = f"there is no backend '{name}'"
        elif not (key := os.environ.get(variable)):
            problem = f"the variable {variable} of the environment is not set"
        else:
            read[name] = _bearer(key)
        if problem is not None:
            raise SettingsError(problem, path=section.path, line=section.line_of(name))
    return read


def _files(section: Section, key: str, base: Path) -> tuple[Path, ...]:
    """Files, beside the settings unless they begin with /."""
    names = section.take(key, list, [])
    if not all(isinstance(name, str) and name for name in names):
        raise SettingsError(
            f"'gateway.{key}' is a list of files", path=section.path, line=section.line_of(key)
        )
    return tuple(base / name for name in names)


def _marks(section: Section, access: AccessSettings) -> dict[str, str]:
    """level → the name of the mark of its answers."""
    read = {}
    for level in section:
        if level not in access.levels:
            raise SettingsError(
                f"there is no level '{level}'", path=section.path, line=section.line_of(level)
            )
        read[level] = name = section.take(level, str)
        if not _MARK.fullmatch(name):
            raise SettingsError(
                f"{name!r} is no name of a mark: letters, digits, '_', '-' and '.' are, up to 64",
                path=section.path,
                line=section.line_of(level),
            )
    return read


def _mark_keys(
    section: Section, watermark: Section, backends: tuple[Backend, ...], marks: Mapping[str, str]
) -> Marks | None:
    """The section `watermark`, where a backend, or we ourselves, need what is in it."""
    sglang = any(backend.marks == "sglang" for backend in backends)
    if not sglang and not (marks and _choose(watermark)):
        return None
    from stillwatch.watermark.hooks.reading import read_marks

    keys = read_marks(Path(section.path))
    # what other engines have by a name may stand in a file of their own
    if sglang and (unknown := sorted(set(marks.values()) - set(keys.names))):
        raise SettingsError(
            f"there is no mark {unknown[0]!r} under 'watermark: marks'",
            path=section.path,
            line=section.line_of("marks"),
        )
    return keys


def _choose(watermark: Section) -> bool:
    """Whether a mark is of choices, which we write: by a look alone, since to read marks loads
    what compiles them."""
    marks = watermark.section("marks")
    return any(marks.section(name).take("scheme", str, "") == _CHOICES for name in marks)
