"""The reconciliation of a million lines against a million from PostgreSQL and back into it.

The frames are those of ``reconcile_memory``, kept in plain tables. The yardstick is the bare time to read the same rows
and to write the same answer, with nothing in between, in the same run. The answer is read back for the oracle.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.history import empty_store
from benchmarks.measuring import timed
from benchmarks.reconcile_memory import LINES, SAMPLE, differences, frames
from khaos_swap_assets.adapters.store import bulk, database
from khaos_swap_assets.domain.judging.line_reconciliation import Reconciled
from khaos_swap_assets.stages.reconciliation import bulk as wide

TABLES = """
CREATE TABLE public.return_lines (rma text, stock_code text, quantity bigint, refund_pence bigint);
CREATE TABLE public.credit_lines
    (rma text, credit_note_code text, stock_code text, quantity bigint, gross_pence bigint);
"""
SOURCES = wide.Sources(
    "SELECT rma, stock_code, quantity, refund_pence FROM public.return_lines",
    "SELECT rma, credit_note_code, stock_code, quantity, gross_pence FROM public.credit_lines",
)


def measure() -> dict[str, Any]:
    """Median seconds of three re-runs and of three bare copies, their ratio, and how many sampled returns differ."""
    returns, credits_ = frames(LINES)
    with empty_store() as url:
        _fill(url, returns, credits_)
        seconds, found = timed(lambda: wide.rerun(url, SOURCES))
        answer = _answer(url)
        bare_seconds, _ = timed(lambda: _copy(url, answer))
    differ = differences(returns, credits_, answer)
    ratio = round(seconds / bare_seconds, 2)
    return {
        "return_lines": len(returns),
        "credit_lines": len(credits_),
        "lines_written": found.lines,
        "seconds": seconds,
        "bare_read_and_write_seconds": bare_seconds,
        "ratio": ratio,
        "sampled_returns": SAMPLE,
        "differ_from_oracle": differ,
        "is_met": ratio <= 2.5 and differ == 0,
    }


def _fill(url: str, returns: pd.DataFrame, credits_: pd.DataFrame) -> None:
    with database.connect(url, application="benchmark") as connection:
        connection.execute(TABLES)
    bulk.write_frame(url, returns, "public", "return_lines")
    bulk.write_frame(url, credits_, "public", "credit_lines")


def _answer(url: str) -> Reconciled:
    lines, returns = (bulk.read_frame(url, f"SELECT * FROM recon.{name}") for name in (wide.LINES, wide.RETURNS))
    return Reconciled(lines, returns)


def _copy(url: str, answer: Reconciled) -> None:
    """Read the input rows and write the answer's rows, and nothing else."""
    bulk.read_frame(url, SOURCES.return_lines)
    bulk.read_frame(url, SOURCES.credit_lines)
    bulk.write_frame(url, answer.lines, wide.SCHEMA, wide.LINES, mode="replace")
    bulk.write_frame(url, answer.returns, wide.SCHEMA, wide.RETURNS, mode="replace")
