"""A month of history that has everything: odd codes, prices, moments and quantities, written by script and played.

Belongs here: the file and the claim about it. Stays out: what must be open at the end (``sandbox.history_truth``).
Each case is a customer of its own, who buys in May 2011 and sends back in June.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from khaos_swap_assets_tests.prove.plays import faults_of, play

MONTH = "2011-06"
COLUMNS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "CustomerID", "Country")
SOLD_AT = "2011-05-03 10:00"
CODES = (
    *("A,B", "A,C", "1;2", 'q"uote', "q'uote", " lead", "trail ", "  both  ", "x  y", "tab\there", "new\nline"),
    *(
        "Ünï",
        "日本",
        "ß",
        "SS",
        "ss",
        "é",
        "e\u0301",
        "nb\u00a0sp",
        "x&y<z>",
        "100%",
        "back\\slash",
        "a/b",
        "a|b",
        "a:b",
    ),
    *("#hash", "+plus", "{x}", "[y]", "-", "0", "00", "abc1", "ABC1", "a" * 40),
)

Goods = Sequence[tuple[str, int, float]]
"""Code, units and price of one unit."""
Back = tuple[str, Goods]
"""Day and time of June, and what came back."""

CASES: dict[str, tuple[Goods, Sequence[Back]]] = {
    "sold for nothing": ([("Z1", 4, 0)], [("04 09:00", [("Z1", 1, 0)]), ("04 10:00", [("Z1", 1, 2)])]),
    "a price below zero": ([("N1", 4, 2)], [("04 09:30", [("N1", 1, -2)])]),
    "two rows make up for each other": ([("T1", 2, 2)], [("05 09:30", [("T1", 1, 2.5), ("T1", 1, 1.5)])]),
    "two rows of a code": ([("T2", 2, 2)], [("05 09:31", [("T2", 1, 2), ("T2", 1, 2)])]),
    "no invoice holds two rows": ([("T3", 2, 2)], [("05 09:32", [("T3", 1, 2), ("T3", 2, 2)])]),
    "one minute": ([("S1", 2, 2)], [("06 09:00", [("S1", 2, 2)]), ("06 09:00", [("S1", 1, 2)])]),
    "one second": ([("S2", 2, 2)], [("06 09:00:00.5", [("S2", 2, 2)]), ("06 09:00:00.1", [("S2", 1, 2)])]),
    "thousands": ([("BIG", 80_995, 2.08)], [("09 09:15", [("BIG", 80_995, 2.08)])]),
    "thousands for a few pounds": ([("BIG3", 3_000, 0.001)], [("09 09:17", [("BIG3", 3_000, 0.001)])]),
    "sold by the gross": ([("P1", 48, 2.1)], [("10 09:17", [("P1", 1, 2.55)])]),
    "sold by the gross and singly": (
        [("P2", 48, 2.1), ("P2", 1, 2.55)],
        [("10 09:18", [("P2", 1, 2.55)]), ("10 09:19", [("P2", 1, 2.55)])],
    ),
    "parts of pennies": ([("R1", 3, 0.333)], [(f"11 09:{n}", [("R1", 1, 0.333)]) for n in (18, 19, 20)]),
    "half pennies": ([("R2", 7, 0.005)], [(f"11 09:{n}", [("R2", 1, 0.005)]) for n in (21, 22)]),
    "charges": (
        [("CH", 4, 2), ("POST", 1, 5)],
        [
            ("13 09:00", [("CH", 1, 2), ("post ", 1, 5)]),
            ("13 09:05", [("POST", 1, 5)]),
            ("13 09:06", [("M", 1, 0), ("CH", 1, 2)]),
        ],
    ),
    "the ends of the month": (
        [("MB", 9, 2)],
        [(at, [("MB", 1, 2)]) for at in ("01 00:00", "30 23:59", "30 23:59:59.9")],
    ),
    "nothing refunded, then all": (
        [("ZR", 2, 2)],
        [("14 09:00", [("ZR", 1, 0)]), ("14 09:05", [("ZR", 2, 2)]), ("14 09:06", [("ZR", 1, 0)])],
    ),
    "a row of no units": ([("ZQ", 3, 2)], [("16 09:00", [("ZQ", 1, 2), ("OTHER", 0, 2)])]),
    "half of them given away": (
        [("DZ", 2, 0), ("DZ", 2, 3)],
        [(f"18 09:0{n}", [("DZ", 1, 3)]) for n in range(3)],
    ),
}


def odd_history() -> dict[str, Any]:
    """A month of history with odd codes, prices, moments and quantities: nothing missed, no false alarm."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-odd-") as folder:
        path = Path(folder) / "odd.parquet"
        write(path)
        one = play(history=str(path), month=MONTH)
    faults = faults_of(one)
    return {"holds": not faults, "faults": faults, "plays": [one.brief]}


def write(path: Path) -> None:
    """The file: a case a code, the cases above, and those that are no single purchase."""
    plain: list[tuple[Goods, Sequence[Back]]] = [
        ([(code, 4, 2.5)], [(f"{1 + n % 25:02d} 12:{n:02d}", [(code, 1, 2.5)])]) for n, code in enumerate(CODES)
    ]
    rows = [row for n, case in enumerate([*plain, *CASES.values()]) for row in _case(f"6{n:03d}", 20_000 + n, *case)]
    fits = [(f"2011-05-0{day} 10:00", f"7000{day}") for day in (1, 2, 3)]
    rows += [row for at, name in fits for row in _rows(name, at, 30_000, [("F1", 2, 2)])]
    rows += _rows("C70009", "2011-06-08 09:00", 30_000, [("F1", 1, 2)], sign=-1)
    rows += _rows("70011", "2011-06-07 10:00", 30_001, [("BIG", 2, 2)])
    rows += _rows("C70019", "2011-06-07 10:00", 30_001, [("BIG", 1, 2)], sign=-1)
    rows += _rows("70021", "2011-06-02 10:00", 30_002, [("FIRST-SOLD-IN-JUNE", 3, 2)])
    rows += _rows("C70029", "2011-06-15 10:00", 30_002, [("FIRST-SOLD-IN-JUNE", 1, 2)], sign=-1)
    rows += _rows("70031", SOLD_AT, None, [("NOBODY", 3, 2)])
    rows += _rows("C70039", "2011-06-15 10:00", None, [("NOBODY", 1, 2)], sign=-1)
    pd.DataFrame(rows, columns=list(COLUMNS)).astype({"CustomerID": "Int32"}).to_parquet(path)


def _case(number: str, customer: int, sold: Goods, backs: Sequence[Back]) -> Iterator[tuple[object, ...]]:
    yield from _rows(f"{number}0", SOLD_AT, customer, sold)
    for n, (at, goods) in enumerate(backs, start=1):
        yield from _rows(f"C{number}{n}", f"{MONTH}-{at}", customer, goods, sign=-1)


def _rows(name: str, at: str, customer: int | None, goods: Goods, *, sign: int = 1) -> Iterator[tuple[object, ...]]:
    moment = pd.Timestamp(at)
    for code, units, price in goods:
        yield name, code, None, sign * units, moment, float(price), customer, "United Kingdom"
