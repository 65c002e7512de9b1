"""Reading the tables that assets and checks show, by the names of their columns without what makes a heading wide."""

from __future__ import annotations

from typing import Any

import dagster as dg


def rows_of(shown: dg.MetadataValue) -> list[dict[str, Any]]:
    """The rows of a table; none of one that says in words that it is empty."""
    found = shown.records if isinstance(shown, dg.TableMetadataValue) else ()
    return [{name.strip("\N{NO-BREAK SPACE}"): value for name, value in record.data.items()} for record in found]
