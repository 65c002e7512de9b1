"""One audit of generated files, beside a bare pandas read-and-merge and datacompy over the same files in the same run.

Belongs here: measuring, the peers, and a process of its own for each size. Stays out: which files (``audit_year``,
``audit_lines``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import pandas as pd

from benchmarks.measuring import peak_mb
from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Paths

ROOT = Path(__file__).parents[1]
AS_OF = date(2011, 1, 31)


def alone(module: str, size: int) -> dict[str, Any]:
    """The figures of one size: a fresh process writes the files, another audits them, so that none pays for another.

    ``write(folder, size)`` of the benchmark gives how many lines they hold.
    """
    with tempfile.TemporaryDirectory() as folder:
        lines = _fresh(f"from benchmarks.{module} import write; found = write(Path({folder!r}), {size})")
        told = _fresh(f"from benchmarks.auditing import measured; found = measured(Path({folder!r}))")
    return {"size": size, "lines": lines, **told}


def _fresh(code: str) -> Any:
    whole = f"import json; from pathlib import Path; {code}; print(json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", whole], cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measured(folder: Path) -> dict[str, Any]:
    """Audit the files of a folder, and let the peers read the same."""
    done: list[run.Done] = []
    start, busy = perf_counter(), process_time()
    peak = peak_mb(lambda: done.append(run.audit(paths_in(folder), Span(AS_OF), folder / "out")))
    seconds, cpu = perf_counter() - start, process_time() - busy
    totals = done[0].summary.totals[0]
    return {
        "returns": done[0].summary.returns,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "peak_mb": peak,
        "pandas_read_and_merge_seconds": _timed(lambda: bare_merge(folder)),
        "datacompy_seconds": _timed(lambda: compared(folder)),
        "statuses": {name: tally.count for name, tally in totals.by_status.items() if tally.count},
    }


def _timed(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return round(perf_counter() - start, 2)


def paths_in(folder: Path) -> Paths:
    """Where the files stand."""
    return Paths(*(folder / name for name in ("returns.jsonl", "stock.csv", "orders.csv", "notes.csv")))


def swap_return(name: str, *, order: str, moment: str, lines: Sequence[tuple[str, int, int]], more: int = 0) -> str:
    """A closed and paid return as Swap's API tells it; lines are (SKU, units, pence), ``more`` pence on the first."""
    paid = [pence + (more if at == 0 else 0) for at, (_, _, pence) in enumerate(lines)]
    products = [
        {
            "product_id": f"{name}-{at}",
            "sku": sku,
            "item_count": units,
            "cost": pounds(pence),
            "currency": "GBP",
            "return_type": "Refund",
        }
        for at, ((sku, units, _), pence) in enumerate(zip(lines, paid, strict=True))
    ]
    record = {
        "return_id": f"ret_{name}",
        "rma_number": f"RMA{name}",
        "shopify_order_name": order,
        "store_id": "bench",
        "return_status": "Closed",
        "delivery_status": "Delivered",
        "type": ["Refund"],
        "customer_currency": "GBP",
        "total_refund_value_customer_currency": pounds(sum(paid)),
        "date_created": moment,
        "rma_processed": moment,
        "date_closed": moment,
        "products": products,
    }
    return json.dumps(record)


def pounds(pence: int) -> str:
    """Pence as an export writes them."""
    return f"{pence // 100}.{pence % 100:02}"


def bare_merge(folder: Path) -> pd.DataFrame:
    """What pandas needs to read the same files and join returns to notes by reference: no checks, no causes."""
    paths = paths_in(folder)
    returns, notes = _returns(folder), pd.read_csv(paths.credit_notes, dtype=str)
    orders = pd.read_csv(paths.sales_orders, dtype=str)
    pd.read_csv(paths.stock_codes, dtype=str)
    joined = returns.merge(notes, left_on="rma_number", right_on="associated_ref", how="outer")
    return joined.merge(orders.drop_duplicates("order_ref"), on="order_ref", how="left")


def compared(folder: Path) -> str:
    """What datacompy says of refunds and notes by reference: equal or not, no causes; a note without one is lost.

    It is loaded here, so that its memory is not counted as ours.
    """
    from datacompy import PandasCompare

    returns, notes = _returns(folder), pd.read_csv(paths_in(folder).credit_notes, dtype=str)
    refunded = pd.to_numeric(returns["total_refund_value_customer_currency"])
    left = pd.DataFrame({"ref": returns["rma_number"], "money": refunded})
    credited = pd.to_numeric(notes["gross"]).groupby(notes["associated_ref"]).sum().round(2)
    right = pd.DataFrame({"ref": credited.index, "money": credited.to_numpy()})
    return str(PandasCompare(left, right, join_columns="ref").report())


def _returns(folder: Path) -> pd.DataFrame:
    lines = paths_in(folder).returns.read_text().splitlines()
    return pd.json_normalize([json.loads(line) for line in lines])
