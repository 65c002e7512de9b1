"""``python -m khaos_swap_assets.ui``: Dagster's UI behind the guard, until a signal ends it.

Belongs here: address and workspace, which the environment gives (``DAGSTER_HOME`` holds ``workspace.yaml``). Stays out:
what is refused (``guard``), and what is shown (``webserver``).
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import uvicorn

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.ui.guard import Guard
from khaos_swap_assets.ui.webserver import dagster_app

GRACE_SECONDS = 2


def main() -> int:
    """Serve until told to stop; 2 and one line when a setting is wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    try:
        settings = load_settings()
    except KhaosSwapError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with dagster_app(Path(os.environ["DAGSTER_HOME"]) / "workspace.yaml") as app:
        uvicorn.run(
            Guard(app, settings.webserver_public_url),
            host=settings.webserver_host,
            port=settings.webserver_port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
