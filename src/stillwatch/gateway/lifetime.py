"""A gateway with everything it needs: opened together, kept up to date, closed in order."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import msgspec

from stillwatch.access import View
from stillwatch.access.database import open_database
from stillwatch.access.following import Follower
from stillwatch.access.limits import Limiter, MemoryLimiter
from stillwatch.access.places import Places
from stillwatch.access.reading import AccessSettings
from stillwatch.errors import KeyFileError, SettingsError
from stillwatch.gateway.app import Gateway
from stillwatch.gateway.binding import Binding, BindingSettings, read_keys
from stillwatch.gateway.client import Client
from stillwatch.gateway.holding import Holding
from stillwatch.gateway.measures import Measures
from stillwatch.gateway.recording import Comparing, Recorder
from stillwatch.gateway.services import Services
from stillwatch.gateway.settings import GatewaySettings, read_gateway
from stillwatch.gateway.upstream import Upstream
from stillwatch.sketches import SketchKey

__all__ = ["Present", "opened", "running"]

_EVERY = 1.0  # seconds between looks at the settings file
_log = logging.getLogger(__name__)


class Present:
    """The view that holds now: the settings as last read, keys and actions as last seen."""

    def __init__(self, access: AccessSettings, marks: Mapping[str, str], keys: Follower) -> None:
        self._keys = keys
        self.set(access, marks)

    def set(self, access: AccessSettings, marks: Mapping[str, str]) -> None:
        """Use other settings from the next request on."""
        self._view = View(
            snapshot=self._keys.snapshot,
            backends=access.backends,
            levels=access.surfaces,
            tiers={"default": (), **access.tiers},
            rules=access.rules,
            marks=marks,
        )

    def __call__(self) -> View:
        """The view.

        Raises:
            StorageError: keys could not be read for so long that nobody can be let in.
        """
        snapshot = self._keys.snapshot
        if snapshot is not self._view.snapshot:
            self._view = msgspec.structs.replace(self._view, snapshot=snapshot)
        return self._view


@contextlib.asynccontextmanager
async def running(
    state: Path,
    settings: GatewaySettings,
    *,
    reread: Path | None = None,
    upstream: Upstream | None = None,
    comparing: Comparing | None = None,
) -> AsyncIterator[Gateway]:
    """A gateway that is ready to serve. On leaving, what was served is settled and recorded.

    `reread` is the settings file to follow while running: a change holds from the next request on,
    and one that cannot be read changes nothing and is logged. `upstream` takes the place of
    connections to the backends. `comparing` says what is kept for others to compare.

    Raises:
        StillwatchError: a store cannot be opened, or the writer of exchanges does not start.
    """
    async with opened(
        state, settings, reread=reread, upstream=upstream, comparing=comparing
    ) as services:
        yield Gateway(services)


@contextlib.asynccontextmanager
async def opened(
    state: Path,
    settings: GatewaySettings,
    *,
    reread: Path | None = None,
    upstream: Upstream | None = None,
    comparing: Comparing | None = None,
) -> AsyncIterator[Services]:
    """What :func:`running` runs on, for those who have a server of their own.

    Raises:
        SettingsError: the settings name communities, and `comparing` does not say how.
    """
    if settings.communities and comparing is None:
        raise SettingsError(
            "'gateway.communities' needs a gateway that is started with `stillwatch serve`; this "
            "form of it records nothing that others can compare"
        )
    async with contextlib.AsyncExitStack() as stack:
        database = open_database(settings.keys or state, create=True)
        stack.callback(database.close)
        follower = Follower(database).start()
        stack.callback(follower.close)
        present = Present(settings.access, settings.marks, follower)
        measures = Measures()
        recorder = Recorder(
            state,
            retention_days=settings.retention_days,
            comparing=comparing,
            on_kept=measures.commit_lag.observe,
        )
        await recorder.start()
        stack.push_async_callback(recorder.close)
        links = SketchKey.from_file(recorder.key_file)
        binding = _binding(state, settings.binding, links)
        limiter = _limiter(settings)
        stack.push_async_callback(limiter.close)
        holding = Holding(limiter)
        sender = Client() if upstream is None else upstream
        stack.push_async_callback(sender.close)
        services = Services(
            view=present,
            holding=holding,
            upstream=sender,
            records=recorder,
            measures=measures,
            links=links,
            hops=settings.hops,
            decide=settings.decide,
            places=_places(settings.access),
            credentials=settings.credentials,
            binding=binding,
            marks=settings.mark_keys,
        )
        stack.push_async_callback(holding.close)
        tasks = [asyncio.create_task(holding.renew_all())]
        if reread is not None:
            bound = functools.partial(_binding, state, links=links)
            tasks.append(asyncio.create_task(_follow(reread, services, present, bound)))
        for task in tasks:
            stack.callback(task.cancel)
        yield services


def _limiter(settings: GatewaySettings) -> Limiter:
    if settings.limits is None:
        return MemoryLimiter()
    from stillwatch.access.limits.redis import RedisLimiter

    return RedisLimiter(settings.limits)


def _places(access: AccessSettings) -> Places | None:
    places = access.places
    if places.country_mmdb is None and places.asn_mmdb is None and not places.lists:
        return None
    return Places(places.country_mmdb, places.asn_mmdb, lists=places.lists)


def _binding(state: Path, settings: BindingSettings, links: SketchKey) -> Binding:
    return Binding(
        read_keys(state, settings.key_file, settings.old_key_files),
        links,
        longest=settings.days * 86_400,
        issues=settings.issue,
    )


async def _follow(
    path: Path,
    services: Services,
    present: Present,
    bound: Callable[[BindingSettings], Binding],
) -> None:
    """Read the settings anew whenever the file has changed."""
    seen = _stamp(path)
    while True:
        await asyncio.sleep(_EVERY)
        now = _stamp(path)
        if now == seen or now is None:
            continue
        seen = now
        try:
            settings = read_gateway(path)
            binding = bound(settings.binding)
        except (KeyFileError, SettingsError) as error:
            _log.error(
                "the settings were changed and cannot be read; the last ones hold: %s", error
            )
            continue
        present.set(settings.access, settings.marks)
        services.hops, services.credentials = settings.hops, settings.credentials
        services.places, services.binding = _places(settings.access), binding
        services.decide, services.marks = settings.decide, settings.mark_keys
        _log.info("the settings were read anew")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
