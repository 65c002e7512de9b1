"""Finding a check by its name, and reading the tables that assets and checks show, by their plain column names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from khaos_swap_assets.stages.checking import StandingCheck


def check_named(checks: Sequence[StandingCheck], name: str) -> StandingCheck:
    """The one check of this name."""
    (found,) = (one for one in checks if one.name == name)
    return found


def rows_of(shown: dg.MetadataValue) -> list[dict[str, Any]]:
    """The rows of a table; none of one that says in words that it is empty."""
    found = shown.records if isinstance(shown, dg.TableMetadataValue) else ()
    return [{name.strip("\N{NO-BREAK SPACE}"): value for name, value in record.data.items()} for record in found]
