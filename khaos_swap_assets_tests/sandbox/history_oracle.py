"""The one-fit rule told a second time, by table operations on the raw file, and a small file to try it on.

Belongs here: nothing of the product is imported, so that agreeing means something.
"""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path

import pandas as pd

WHOLE_CHARGES = ("POST", "DOT", "C2", "C3", "D", "M", "S", "B", "CRUK", "BANK CHARGES", "AMAZONFEE")
CHARGE_BEGINNINGS = ("ADJUST", "TEST", "GIFT")
CODES = ["85048", "85048 ", "22423a", "22423A", "POST", "post ", "M", "TEST001", "PADS", "D"]


def one_fit(path: Path, month: str) -> dict[str, str]:
    """Every C-invoice of the month with the invoice it must name, '' for none."""
    rows, held = _read(path, path.stat().st_mtime_ns)
    begins = pd.Timestamp(month)
    of_month = rows["is_cancelled"] & rows["InvoiceDate"].between(begins, begins + pd.offsets.MonthBegin(), "left")
    wanted = _units(rows[of_month & rows["is_product"] & rows["CustomerID"].notna()])
    both = wanted.merge(held, on=["CustomerID", "StockCode"], suffixes=("", "_held"))
    both = both[(both["InvoiceDate_held"] < both["InvoiceDate"]) & (both["Quantity_held"] >= both["Quantity"])]
    covered = both.groupby(["Invoice", "Invoice_held"]).size().rename("covered").reset_index()
    covered = covered.merge(wanted.groupby("Invoice").size().rename("needed").reset_index(), on="Invoice")
    fitting = covered[covered["covered"] == covered["needed"]]
    alone = fitting[~fitting["Invoice"].duplicated(keep=False)].set_index("Invoice")["Invoice_held"]
    return dict.fromkeys(rows.loc[of_month, "Invoice"], "") | alone.to_dict()


@lru_cache(maxsize=1)
def _read(path: Path, _changed_at: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a file, and what each of its sales holds; several months ask for those of the same file."""
    rows = pd.read_parquet(path)
    tidy = rows["StockCode"].str.strip().str.upper()
    rows["is_product"] = ~(tidy.isin(WHOLE_CHARGES) | tidy.str.startswith(CHARGE_BEGINNINGS))
    rows["is_cancelled"] = rows["Invoice"].str.startswith("C")
    return rows, _units(rows[~rows["is_cancelled"] & rows["is_product"] & (rows["Quantity"] > 0)])


def _units(rows: pd.DataFrame) -> pd.DataFrame:
    grouped = rows.assign(Quantity=rows["Quantity"].abs()).groupby(["CustomerID", "Invoice", "StockCode"])
    return grouped.agg({"Quantity": "sum", "InvoiceDate": "min"}).reset_index()


def write_small(path: Path, seed: int, invoices: int = 250) -> None:
    """Three months of few customers who buy much the same, so that none, one and several invoices fit."""
    rng = random.Random(seed)
    rows = []
    for number in range(invoices):
        is_cancelled = rng.random() < 0.4
        at = pd.Timestamp("2010-04-01") + pd.Timedelta(minutes=rng.randrange(91 * 24 * 60))
        customer = rng.choice([1, 2, 3, 4, 5, 6, None])
        for _ in range(rng.randint(1, 4)):
            quantity = rng.randint(1, 6) * (-1 if is_cancelled or rng.random() < 0.05 else 1)
            name = f"{'C' if is_cancelled else ''}{500000 + number}"
            rows.append((name, rng.choice(CODES), None, quantity, at, rng.choice([0, 1.25, 2.5]), customer, "France"))
    columns = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "CustomerID", "Country"]
    pd.DataFrame(rows, columns=columns).astype({"CustomerID": "Int32"}).to_parquet(path)
