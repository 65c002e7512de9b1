"""The audit of a real year from files: seconds, peak memory and growth with the size.

Real: Sales Orders, their Stock Codes and Credit Notes. Made up: a return for each Credit Note, some of them with
another value, some without a note, and the references that staff typed. The data stays outside the project; without it
there is nothing to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from benchmarks import auditing

DATA = auditing.ROOT.parent / "shared/data/online_retail_2009-12_2010-12.parquet"
SIZES = (1, 2, 4)
MOST_SECONDS, MOST_MB, MOST_GROWTH = 6, 500, 1.3


def measure() -> dict[str, Any]:
    """Seconds and peak MB for one, two and four years of lines; at most 6 s and 500 MB for one are wanted."""
    if not DATA.exists():
        return {"skipped": f"{DATA} is not there"}
    runs = [auditing.alone("audit_year", size) for size in SIZES]
    once, most = runs[0], runs[-1]
    growth = round(most["seconds"] / most["lines"] / (once["seconds"] / once["lines"]), 2)
    is_met = once["seconds"] <= MOST_SECONDS and once["peak_mb"] <= MOST_MB and growth <= MOST_GROWTH
    return {**once, "by_size": runs, "seconds_a_line_at_4_beside_1": growth, "is_met": is_met}


def write(folder: Path, size: int) -> int:
    """Write the files of so many years of lines; how many they hold."""
    return convert(pd.read_parquet(DATA), folder, size)


def convert(trade: pd.DataFrame, folder: Path, size: int) -> int:
    """Write the four inputs, ``size`` times the year; how many lines they hold together."""
    trade = trade[(trade["Price"] > 0) & trade["StockCode"].str.strip().ne("")]
    trade = trade.assign(pence=(trade["Price"] * 100).round().astype("int64")).query("pence > 0")
    is_credit = trade["Invoice"].str.startswith("C")
    sold = trade[~is_credit & (trade["Quantity"] > 0)]
    credited = trade[is_credit & (trade["Quantity"] < 0)].assign(Quantity=lambda frame: -frame["Quantity"])
    random = np.random.default_rng(11)
    names = _names(credited, sold)
    parts = [_copy(copy, sold, credited, names, random) for copy in range(size)]
    orders = pd.concat([part[0] for part in parts], ignore_index=True)
    notes = pd.concat([part[1] for part in parts], ignore_index=True)
    codes = pd.DataFrame({"stock_code": sorted(set(sold["StockCode"]) | set(credited["StockCode"]))})
    orders.to_csv(folder / "orders.csv", index=False)
    notes.to_csv(folder / "notes.csv", index=False)
    codes.to_csv(folder / "stock.csv", index=False)
    returns = [line for part in parts for line in part[2]]
    (folder / "returns.jsonl").write_text("\n".join(returns) + "\n")
    return len(orders) + len(notes) + len(codes) + len(returns)


def _names(credited: pd.DataFrame, sold: pd.DataFrame) -> pd.Series[Any]:
    """For each credit invoice, the customer's last order before it; empty where there is none."""
    orders = sold.dropna(subset="CustomerID").drop_duplicates("Invoice").sort_values("InvoiceDate")
    notes = credited.drop_duplicates("Invoice").sort_values("InvoiceDate")
    known = notes.dropna(subset="CustomerID")
    found = pd.merge_asof(
        known[["Invoice", "CustomerID", "InvoiceDate"]],
        orders[["Invoice", "CustomerID", "InvoiceDate"]].rename(columns={"Invoice": "order"}),
        on="InvoiceDate",
        by="CustomerID",
    )
    return found.set_index("Invoice")["order"].reindex(notes["Invoice"]).fillna("")


def _copy(
    copy: int, sold: pd.DataFrame, credited: pd.DataFrame, names: pd.Series[Any], random: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    mark = f"Y{copy}"
    orders = pd.DataFrame(
        {
            "order_ref": "KCC" + mark + sold["Invoice"],
            "so_code": "SO" + mark + sold["Invoice"],
            "customer_ref": _customers(sold, mark),
            "ordered_at": sold["InvoiceDate"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "currency": "GBP",
            "line_ref": np.arange(len(sold)).astype(str),
            "stock_code": sold["StockCode"],
            "quantity": sold["Quantity"],
            "unit_price_gross": _pounds(sold["pence"]),
            "vat_rate": "20",
            "discount_gross": "",
            "delivery_gross": "",
            "invoiced_on": sold["InvoiceDate"].dt.strftime("%Y-%m-%d"),
        }
    )
    gross = credited["pence"] * credited["Quantity"]
    notes = pd.DataFrame(
        {
            "credit_note_code": mark + credited["Invoice"],
            "associated_ref": _typed(credited["Invoice"], mark, random),
            "order_ref": credited["Invoice"].map(names).map(lambda name: f"KCC{mark}{name}" if name else ""),
            "customer_ref": _customers(credited, mark),
            "created_on": credited["InvoiceDate"].dt.strftime("%Y-%m-%d"),
            "currency": "GBP",
            "stock_code": credited["StockCode"],
            "quantity": credited["Quantity"],
            "gross": _pounds(gross),
            "net": _pounds((gross / 1.2).round().astype("int64")),
            "delivery_gross": "",
        }
    )
    return orders, notes, _returns(credited.assign(gross=gross), mark, names, random)


def _customers(frame: pd.DataFrame, mark: str) -> pd.Series[Any]:
    return frame["CustomerID"].map(lambda number: "" if pd.isna(number) else f"{mark}{int(number)}")


def _pounds(pence: pd.Series[Any]) -> pd.Series[Any]:
    return (pence // 100).astype(str) + "." + (pence % 100).astype(str).str.zfill(2)


def _typed(invoices: pd.Series[Any], mark: str, random: np.random.Generator) -> pd.Series[Any]:
    """What staff typed as reference: mostly the RMA, one in five nothing, one in fifty another RMA."""
    unique = invoices.drop_duplicates()
    lot = pd.Series(random.random(len(unique)), index=unique.to_numpy())
    other = pd.Series(np.roll(unique.to_numpy(), 1), index=unique.to_numpy())
    rma = pd.Series(unique.to_numpy(), index=unique.to_numpy()).where(lot >= 0.02, other)
    return invoices.map((f"RMA{mark}" + rma).where(lot < 0.8, ""))


def _returns(credited: pd.DataFrame, mark: str, names: pd.Series[Any], random: np.random.Generator) -> list[str]:
    """One return for each credit invoice; one in twenty has another value."""
    return [
        _return(str(invoice), mark, str(names[invoice]), lines, int(random.integers(0, 20)))
        for invoice, lines in credited.groupby("Invoice", sort=False)
    ]


def _return(invoice: str, mark: str, order: str, lines: pd.DataFrame, lot: int) -> str:
    goods = [(line.StockCode, int(cast(int, line.Quantity)), int(cast(int, line.gross))) for line in lines.itertuples()]
    return auditing.swap_return(
        f"{mark}{invoice}",
        order=f"#{mark}{order}" if order else "",
        moment=lines["InvoiceDate"].iloc[0].strftime("%Y-%m-%dT%H:%M:%SZ"),
        lines=cast(Sequence[tuple[str, int, int]], goods),
        more=250 if lot == 0 else 0,
    )
