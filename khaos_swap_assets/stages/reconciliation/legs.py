"""The legs of the worst gaps as a table, in pence.

Belongs here: the penny waterfall of single returns as the UI shows it. Stays out: how a leg is found
(``judging.waterfall``) and the sums of a month (``reporting.month_end``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import monthly, verdicts
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, without_empty

if TYPE_CHECKING:
    import dagster as dg
    import psycopg


def legs_of_open(conn: psycopg.Connection, kinds: Sequence[str]) -> dg.MetadataValue:
    """Of the 20 returns with the most money at risk in open exceptions of ``kinds``."""
    return as_table(without_empty(verdicts.at_risk(conn, kinds, WORST_ROWS), verdicts.LEG_COLUMNS))


def legs_of_month(conn: psycopg.Connection, periods: Sequence[str]) -> dg.MetadataValue:
    """Of the 20 largest gaps of these months."""
    rows = monthly.largest_gaps(conn, periods, WORST_ROWS)
    return as_table(without_empty(rows, [*verdicts.LEG_COLUMNS, "gap_timing_pence"]))
