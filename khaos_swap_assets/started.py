"""The code location as ``khaos-swap`` runs it: the same definitions with their settings.

Belongs here: the refusal to load where nothing set the environment up. Stays out: what there is (``definitions``).
"""

from __future__ import annotations

import os

import dagster as dg

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.adapters.settings_checks import STARTED_BY
from khaos_swap_assets.definitions import build
from khaos_swap_assets.not_started import LINE


@dg.definitions
def defs() -> dg.Definitions:
    """What the code server and its runs load. Raises ``SettingsError`` when nothing set the environment up."""
    if not os.environ.get(STARTED_BY):
        raise SettingsError(LINE)
    return build(load_settings())
