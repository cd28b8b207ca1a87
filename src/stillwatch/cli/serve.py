"""`stillwatch serve --upstream URL --state DIR`."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from stillwatch.errors import SettingsError
from stillwatch.gateway import Comparing, in_front_of, read_gateway, serve

__all__ = ["command"]


@click.command()
@click.option(
    "--upstream",
    metavar="URL",
    help="The model server, such as http://127.0.0.1:8000; its own API key, if it wants one, is "
    "read from STILLWATCH_UPSTREAM_KEY.",
)
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings with levels, tiers, backends, rules and places, in place of --upstream. The "
    "file is followed: a change holds from the next request on.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    required=True,
    envvar="STILLWATCH_STATE",
    show_envvar=True,
    metavar="DIR",
    help="Folder of keys, actions and exchanges; made if it is not there.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8080, show_default=True,
    help="Port to listen on; 0 for any that is free.",
)  # fmt: skip
@click.option(
    "--community",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Key of a community: keep with each exchange what indicators of its members can be "
    "compared with, in place of what the settings name.",
)
def command(
    upstream: str | None,
    config: Path | None,
    state: Path,
    host: str,
    port: int,
    community: tuple[Path, ...],
) -> int:
    """Stand in front of a model server and let in who may ask what.

    Without --config there is one openness level: text and usage, one choice of at most 4,096
    tokens, no log probabilities, no way to force tokens. Who may ask is said by keys; make the
    first with `stillwatch keys create`. Every request becomes one row, without its text, in
    DIR/events.

    The first SIGTERM or Ctrl-C lets running requests end, the second one does not.

    \b
    Exit status: 0 when told to end, 2 settings or a store that cannot be read,
    1 a failure of ours.

    \b
    Examples:
      stillwatch keys create --state state --account alice
      stillwatch serve --upstream http://127.0.0.1:8000 --state state
      stillwatch serve -c stillwatch.yaml --state state --port 8443
      stillwatch serve -c stillwatch.yaml --state state --community forum.json
    """
    if (upstream is None) == (config is None):
        raise SettingsError("give either --upstream URL or --config FILE")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = read_gateway(config) if config is not None else in_front_of(upstream or "")

    def started(bound: int) -> None:
        click.echo(f"serving http://{host}:{bound} in front of {upstream or config}", err=True)

    keys = community or settings.communities
    serve(
        state, settings, host=host, port=port, reread=config, started=started,
        comparing=_comparing(keys),
    )  # fmt: skip
    return 0


def _comparing(files: tuple[Path, ...]) -> Comparing | None:
    """How keys of communities are used; imported where there are any."""
    if not files:
        return None
    from stillwatch.intel.recording import comparing

    return comparing(files)
