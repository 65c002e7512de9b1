"""``python -m khaos_swap_assets.ui``: Dagster's UI behind the guard, or the door with it, until a signal ends it.

Belongs here: address and workspace, which the environment gives (``DAGSTER_HOME`` holds ``workspace.yaml``). Stays out:
what is refused (``guard``), and what is shown (``webserver``).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.settings import LOOPBACK, Settings, load_settings
from khaos_swap_assets.door.opening import opened
from khaos_swap_assets.ui.guard import Guard
from khaos_swap_assets.ui.webserver import dagster_app

GRACE_SECONDS = 2


def main() -> int:
    """Serve until told to stop; 2 and one line when a setting is wrong, 75 when the database cannot be used."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("khaos_swap.door").setLevel(logging.INFO)
    workspace = Path(os.environ["DAGSTER_HOME"]) / "workspace.yaml"
    try:
        settings = load_settings()
        with opened(settings, workspace) if settings.door.members_file else bare(settings, workspace) as app:
            _serve(app, settings)
    except KhaosSwapError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


@contextmanager
def bare(settings: Settings, workspace: Path) -> Iterator[ASGIApp]:
    """Dagster's UI for this machine, without a sign-in."""
    with dagster_app(workspace) as app:
        yield Guard(app, settings.webserver_public_url)


def _serve(app: ASGIApp, settings: Settings) -> None:
    """A proxy counts where the settings name one: it says from which address somebody comes."""
    uvicorn.run(
        app,
        host=settings.webserver_host,
        port=settings.webserver_port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.webserver_public_url),
        forwarded_allow_ips=",".join(sorted(LOOPBACK)),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
