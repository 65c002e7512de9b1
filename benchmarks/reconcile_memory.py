"""A million return lines against a million credit lines, in memory, beside pandas and datacompy on the same frames.

Keys are text. About one line in twenty differs: value, quantity, missing, or extra. The result is compared with a
plain-Python oracle on 1,000 returns, those with trouble first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import peak_mb, timed
from khaos_swap_assets.domain.judging.line_reconciliation import Reconciled, reconcile_lines
from khaos_swap_assets_tests.domain.line_oracle import line_rows, return_rows

LINES = 1_000_000
SAMPLE = 1_000
KEY = ["rma", "stock_code"]


def measure() -> dict[str, Any]:
    """Seconds of each way (median of three), peak memory of ours, and how many sampled returns differ (0)."""
    returns, credits_ = frames(LINES)
    seconds, ours = timed(lambda: reconcile_lines(returns, credits_))
    peak = peak_mb(lambda: reconcile_lines(returns, credits_))
    split_seconds, split = timed(lambda: reconcile_lines(returns, in_two_notes(credits_)), 1)
    merge_seconds, _ = timed(lambda: bare_merge(returns, credits_))
    datacompy_seconds, _ = timed(lambda: compared(returns, credits_))
    differ = differences(returns, credits_, ours) + differences(returns, in_two_notes(credits_), split)
    return {
        "return_lines": len(returns),
        "credit_lines": len(credits_),
        "seconds": seconds,
        "pandas_merge_seconds": merge_seconds,
        "datacompy_seconds": datacompy_seconds,
        "faster_than_datacompy": round(datacompy_seconds / seconds, 2),
        "peak_mb": peak,
        "two_notes_a_line_seconds": split_seconds,
        "sampled_returns": SAMPLE,
        "differ_from_oracle": differ,
        "line_statuses": ours.lines["status"].value_counts().to_dict(),
        "is_met": seconds < datacompy_seconds and peak <= 1500 and differ == 0,
    }


def frames(lines: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return lines, two an RMA, and credit lines in another order; both ``lines`` long, keys unique on each side."""
    random = np.random.default_rng(7)
    rma = pd.Series(np.char.mod("RMA%07d", np.repeat(np.arange(lines // 2), 2))).astype("str")
    code = _codes(random.permuted(np.tile(np.arange(2), (lines // 2, 1)), axis=1).ravel(), random)
    quantity = random.integers(1, 4, lines)
    pence = random.integers(499, 9999, lines) * quantity
    returns = pd.DataFrame({"rma": rma, "stock_code": code, "quantity": quantity, "refund_pence": pence})
    return returns, _credits(returns, random)


def _codes(odd: np.ndarray[Any, Any], random: np.random.Generator) -> pd.Series[str]:
    numbers = random.integers(0, 10_000, len(odd)) * 2 + odd
    names = pd.Series([f"LX{number // 6:05d}-{'XSMLZQ'[number % 6]}" for number in range(20_000)]).astype("str")
    return names.take(numbers).reset_index(drop=True)


def _credits(returns: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    lot = random.random(len(returns))
    quantity = returns["quantity"] + (lot < 0.02)
    pence = returns["refund_pence"] + np.where((lot >= 0.02) & (lot < 0.03), 100, 0)
    is_lost = (lot >= 0.03) & (lot < 0.05)
    rma = returns["rma"].where(~is_lost, "X" + returns["rma"])
    credits_ = pd.DataFrame(
        {
            "rma": rma,
            "credit_note_code": "CN" + rma.str.slice(3),
            "stock_code": returns["stock_code"],
            "quantity": quantity,
            "gross_pence": pence,
        }
    )
    return credits_.sample(frac=1, random_state=7).reset_index(drop=True)


def in_two_notes(credits_: pd.DataFrame) -> pd.DataFrame:
    """The same lines, one in ten of them credited by a second note instead, and one in a hundred by both."""
    other = credits_.iloc[::10].assign(credit_note_code="Z" + credits_["credit_note_code"].iloc[::10])
    rest = credits_.drop(index=other.index.difference(other.index[::10]))
    return pd.concat([rest, other], ignore_index=True)


def bare_merge(returns: pd.DataFrame, credits_: pd.DataFrame) -> pd.DataFrame:
    """What pandas needs for the pairing alone: no sums, no causes, no rows per RMA."""
    return returns.merge(credits_, on=KEY, how="outer", suffixes=("", "_credited"), indicator=True)


def compared(returns: pd.DataFrame, credits_: pd.DataFrame) -> Any:
    """What datacompy needs to say which lines differ."""
    import datacompy

    theirs = credits_.rename(columns={"gross_pence": "refund_pence"})
    return datacompy.PandasCompare(returns, theirs, join_columns=KEY)


def differences(returns: pd.DataFrame, credits_: pd.DataFrame, ours: Reconciled) -> int:
    """How many of 1,000 sampled RMAs come out otherwise than by the oracle; trouble is sampled first."""
    troubled = ours.returns[ours.returns["status"] != "matched"]["rma"]
    picked = pd.concat(
        [troubled.sample(SAMPLE // 2, random_state=1), ours.returns["rma"].sample(SAMPLE, random_state=2)]
    )
    rmas = picked.drop_duplicates().head(SAMPLE)
    rows = line_rows(_tuples(returns, rmas), _tuples(credits_, rmas))
    lines, sums = _ours(ours.lines, rmas, KEY), _ours(ours.returns, rmas, ["rma"])
    expected = {(rma,): row for rma, row in return_rows(rows).items()}
    wrong = {key[0] for key in {*rows, *lines} if rows.get(key) != lines.get(key)}
    return len(wrong | {key[0] for key in {*expected, *sums} if expected.get(key) != sums.get(key)})


def _tuples(frame: pd.DataFrame, rmas: pd.Series[str]) -> list[Any]:
    return list(frame[frame["rma"].isin(rmas)].itertuples(index=False, name=None))


def _ours(frame: pd.DataFrame, rmas: pd.Series[str], key: list[str]) -> dict[Any, dict[str, Any]]:
    rows: list[dict[Any, Any]] = frame[frame["rma"].isin(rmas)].astype({"status": "str"}).to_dict("records")
    return {tuple(row.pop(name) for name in key): row for row in rows}
