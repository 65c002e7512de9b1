"""Reading a Parquet file of trading history: every cell that cannot be meant is told by file, column, row and reason.

Belongs here: the columns, what their cells may look like, and money by line. Stays out: what the lines mean together
(``history``). A column may be named with blanks or in another case; its type may be any that says the same: whole
numbers as text or as floats, prices as text or decimals, dates as text (ISO) or with a zone. Rows count from 1. Only
rows before the end of the month are read, so trouble in a later one stops nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "CustomerID")
NON_PRODUCT = re.compile(r"POST|DOT|C2|C3|D|M|S|B|CRUK|ADJUST.*|BANK CHARGES|AMAZONFEE|TEST.*|GIFT.*")
MOST_TOLD = 5
TOO_MUCH = 1e9
ZONE = "Europe/London"
WITH_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
YEAR_MONTH = len("2010-10")


class HistoryError(ValueError):
    """The file or the month cannot be used; each line says why and what to do."""


class HistoryLine(NamedTuple):
    """One row of the file. ``pence`` is |quantity x price|, rounded half up; ``at`` is London time without a zone."""

    invoice: str
    code: str
    description: str
    quantity: int
    at: datetime
    pence: int
    customer: str
    is_product: bool


def read(path: Path, end: datetime) -> Iterator[HistoryLine]:
    """The lines before ``end`` (London time), oldest first, rows of a minute in the file's order.

    Raises ``HistoryError``: no Parquet file, a column that is not there, or cells that cannot be meant.
    """
    table = _table(path)
    dates = _dates(table["InvoiceDate"])
    kept = table[~(dates >= end)]
    columns = {"InvoiceDate": dates[kept.index]} | {name: made(kept[name]) for name, made in _MADE.items()}
    _require_cells(path, kept, columns)
    return _lines(columns)


def _table(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        there = {name.replace(" ", "").casefold(): name for name in pq.read_schema(path).names}
        if lacking := [name for name in COLUMNS if name.casefold() not in there]:
            raise HistoryError(f"{path}: no column {', '.join(lacking)}; there are {', '.join(there.values())}")
        names = [there[name.casefold()] for name in COLUMNS]
        table: pd.DataFrame = pq.read_table(path, columns=names).to_pandas(ignore_metadata=True)[names]
    except (OSError, pa.ArrowException) as error:
        raise HistoryError(f"cannot read {path}: {str(error).splitlines()[0]}") from None
    return table.set_axis(list(COLUMNS), axis="columns")


def _dates(column: pd.Series) -> pd.Series:
    """London time without a zone, to the microsecond; NaT where a cell is no date."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(column):
        texts = _texts(column)
        is_zoned = texts.str.contains(WITH_ZONE, na=False).astype(bool)
        zoned = pd.to_datetime(texts.where(is_zoned), format="ISO8601", errors="coerce", utc=True)
        plain = pd.to_datetime(
            texts.where(~is_zoned & (texts.str.len() > YEAR_MONTH)), format="ISO8601", errors="coerce"
        )
        column = plain.fillna(_in_london(zoned))
    london = _in_london(column) if column.dt.tz is not None else column
    return london.astype("datetime64[us]")


def _in_london(column: pd.Series) -> pd.Series:
    naive: pd.Series = column.dt.tz_convert(ZONE).dt.tz_localize(None)
    return naive


def _texts(column: pd.Series) -> pd.Series:
    """Text as it is; a number without its '.0'; missing stays missing."""
    import pandas as pd

    if pd.api.types.is_float_dtype(column):
        column = column.map(lambda value: int(value) if float(value).is_integer() else value, na_action="ignore")
    return column.astype(object).map(str, na_action="ignore")


def _invoices(column: pd.Series) -> pd.Series:
    texts = _texts(column).str.strip().astype(object)
    return texts.where(texts != "")


def _codes(column: pd.Series) -> pd.Series:
    """Raw, blanks and all; a code of nothing but blanks is missing."""
    texts = _texts(column)
    return texts.where(texts.str.strip() != "")


def _customers(column: pd.Series) -> pd.Series:
    """Text without a trailing '.0'; '' for a customer who is not known."""
    return _texts(column).fillna("").str.strip().str.removesuffix(".0").astype(object)


def _descriptions(column: pd.Series) -> pd.Series:
    return _texts(column).fillna("").str.strip().astype(object)


def _numbers(column: pd.Series) -> pd.Series:
    """Finite numbers of a size that a shop knows; NaN for anything else."""
    import pandas as pd

    numbers = pd.to_numeric(column.astype(object), errors="coerce").astype("float64")
    return numbers.where(numbers.abs() < TOO_MUCH)


def _whole(column: pd.Series) -> pd.Series:
    numbers = _numbers(column)
    return numbers.where(numbers % 1 == 0)


_MADE: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "Invoice": _invoices,
    "StockCode": _codes,
    "Quantity": _whole,
    "Price": _numbers,
    "Description": _descriptions,
    "CustomerID": _customers,
}
_REASONS = {
    "Invoice": "is no invoice number",
    "StockCode": "is no code",
    "Quantity": "is no whole number",
    "InvoiceDate": "is no date and time; write 2010-10-31 09:15:00",
    "Price": "is no price",
}


def _require_cells(path: Path, rows: pd.DataFrame, columns: Mapping[str, pd.Series]) -> None:
    faults = [
        f"{path}: row {at + 1}, column {name}: {_shown(rows.at[at, name], reason)}"
        for name, reason in _REASONS.items()
        for at in columns[name].index[columns[name].isna()]
    ]
    if more := len(faults) - MOST_TOLD:
        faults[MOST_TOLD:] = [f"{path}: and {more} more cells like these"] if more > 0 else []
    if faults:
        raise HistoryError("\n".join(faults))


def _shown(cell: object, reason: str) -> str:
    is_missing = cell is None or cell != cell or not str(cell).strip()
    return "the cell is empty" if is_missing else f"{str(cell)!r} {reason}"


def _lines(columns: Mapping[str, pd.Series]) -> Iterator[HistoryLine]:
    order = columns["InvoiceDate"].sort_values(kind="stable").index
    sorted_ = {name: column[order] for name, column in columns.items()}
    quantities = sorted_["Quantity"].astype("int64")
    ten_thousandths = (sorted_["Price"] * 10_000).round().astype("int64").abs()
    codes = sorted_["StockCode"]
    product = {code: not NON_PRODUCT.fullmatch(code.strip().upper()) for code in codes.unique()}
    cells = (
        sorted_["Invoice"].tolist(),
        codes.tolist(),
        sorted_["Description"].tolist(),
        quantities.tolist(),
        sorted_["InvoiceDate"].to_numpy().tolist(),
        ((quantities.abs() * ten_thousandths + 50) // 100).tolist(),
        sorted_["CustomerID"].tolist(),
        codes.map(product).tolist(),
    )
    return (HistoryLine(*row) for row in zip(*cells, strict=True))
