"""``python -m khaos_swap_assets.gateway``: the service with the environment's settings.

Belongs here: one line for whoever starts a process. Stays out: options, which the settings hold.
"""

from __future__ import annotations

import sys

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.private import keep_private
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.gateway.server import serve


def main() -> int:
    """Serve until told to stop; 2 and one line when a setting is wrong."""
    keep_private()
    try:
        serve(load_settings())
    except KhaosSwapError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
