"""The audit of many return lines beside as many note lines, nearly all of them in step.

Made up: two lines a return and its note by reference; of a hundred returns one has another value, one no note, and one
note no reference. ``LINES=1000000`` in the environment names another size.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks import auditing

LINES = int(os.environ.get("LINES", "100000"))
MOST_SECONDS, MOST_MB = 60 * LINES / 1_000_000, 2_000
CODES = 2_000
DAY = "2010-11-15"
ORDERS = "order_ref,so_code,customer_ref,ordered_at,currency,line_ref,stock_code,quantity,unit_price_gross,invoiced_on"
NOTES = "credit_note_code,associated_ref,order_ref,customer_ref,created_on,currency,stock_code,quantity,gross"


def measure() -> dict[str, Any]:
    """Seconds and peak MB, in a process of its own; 60 s for a million lines on each side, and 2,000 MB, are wanted."""
    told = auditing.alone("audit_lines", LINES)
    return {**told, "is_met": told["seconds"] <= MOST_SECONDS and told["peak_mb"] <= MOST_MB}


def write(folder: Path, lines: int) -> int:
    """Write the four files with so many return lines and about as many note lines; how many lines they hold."""
    numbers = range(lines // 2)
    (folder / "stock.csv").write_text("\n".join(["stock_code", *(f"SKU-{code}" for code in range(CODES))]) + "\n")
    orders = [f"{_order(number)},{row}" for number in numbers for row in _sold(number)]
    notes = [row for number in numbers for row in _credited(number)]
    (folder / "orders.csv").write_text("\n".join([ORDERS, *orders]) + "\n")
    (folder / "notes.csv").write_text("\n".join([NOTES, *notes]) + "\n")
    returns = [_return(number) for number in numbers]
    (folder / "returns.jsonl").write_text("\n".join(returns) + "\n")
    return len(orders) + len(notes) + CODES + len(returns)


def _order(number: int) -> str:
    return f"#LX{number},SO{number},C{number},2010-11-01T10:00:00Z,GBP"


def _goods(number: int) -> list[tuple[str, int]]:
    """Stock Code and pence of both lines of a return."""
    return [(f"SKU-{(number * 7 + at) % CODES}", 500 + (number * 13 + at * 101) % 4_000) for at in (0, 1)]


def _sold(number: int) -> list[str]:
    return [f"{at},{code},1,{auditing.pounds(pence)},{DAY}" for at, (code, pence) in enumerate(_goods(number))]


def _credited(number: int) -> list[str]:
    """Lines of the note; none where it is missing, no reference where staff typed none."""
    if number % 100 == 1:
        return []
    ref = "" if number % 100 == 2 else f"RMA{number}"
    head = f"CN{number},{ref},#LX{number},C{number},{DAY},GBP"
    return [f"{head},{code},1,{auditing.pounds(pence)}" for code, pence in _goods(number)]


def _return(number: int) -> str:
    lines = [(code, 1, pence) for code, pence in _goods(number)]
    more = 250 if number % 100 == 3 else 0
    return auditing.swap_return(str(number), order=f"#LX{number}", moment=f"{DAY}T09:00:00Z", lines=lines, more=more)
