"""A small merchant's month as files, with every kind of trouble that files can show, for a first look at the audit.

Belongs here: handing out the files of ``example_files``. Stays out: how files are read and what the audit makes of
them. Each number is one order, ``#LX<number>`` in the shop and ``KCCLX<number>`` in Khaos, and the return
``RMA<number>`` of it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

AS_OF = "2026-03-31"
FILES = {
    "returns": "returns.jsonl",
    "stock-codes": "stock.csv",
    "sales-orders": "orders.csv",
    "credit-notes": "notes.csv",
}
"""Each file by the option that takes it."""
MORE = {"refunds": "refunds.csv", "decisions": "decisions.csv"}
"""What a second look adds: the money that moved, and what people decided."""


def write_example(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Write the files into the folder, which is made; the options of both looks. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*FILES.values(), *MORE.values()):
        (folder / name).write_bytes((files(__package__) / "example_files" / name).read_bytes())
    options = {option: str(folder / name) for option, name in FILES.items()}
    more = {option: str(folder / name) for option, name in MORE.items()}
    first = {**options, "out": str(folder / "report"), "as-of": AS_OF}
    return first, {**first, **more, "out": str(folder / "report-with-money")}
