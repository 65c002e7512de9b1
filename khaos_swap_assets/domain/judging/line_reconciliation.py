"""Reconcile many return lines with many credit lines at once, as one table operation.

Belongs here: pairing lines by RMA and Stock Code, their gap and its causes, and the sums per RMA. Stays out: which
note belongs to which RMA (``linking.attribution``) and what a return's history excuses (``judging.verdict``).

Text is turned into integers once; everything after that is sorting and adding integers. Money is whole pence.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LINE_STATUSES = ("matched", "value_gap", "quantity_gap", "credit_missing", "refund_missing")
RETURN_STATUSES = (
    "matched",
    "lines_differ",
    "value_gap",
    "duplicate",
    "credit_note_missing",
    "refund_missing",
)
LEGS = ("gap_quantity_pence", "gap_value_pence", "gap_missing_pence", "gap_extra_pence")
SUMS = ("refund_pence", "credited_pence", "gap_pence", *LEGS)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """``lines``: one row per RMA and Stock Code of either side; ``returns``: one row per RMA.

    Both are in the order in which RMAs first appear, return lines first.
    lines: rma, stock_code, status, credit_note_code (several joined by ``, ``, empty if none), refund_pence,
    credited_pence, gap_pence and its four legs. returns: rma, status, credit_notes (how many), the same sums.
    """

    lines: pd.DataFrame
    returns: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Side:
    """One side, summed per key and sorted by it. ``low`` and ``high`` are the least and greatest note of the key."""

    keys: Ints
    quantity: Ints
    pence: Ints
    low: Ints
    high: Ints


@dataclass(frozen=True, slots=True)
class _Given:
    """The credit lines as given: key and note (a position in ``texts``) of each; ``width`` Stock Codes exist in all."""

    keys: Ints
    notes: Ints
    texts: Any
    width: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Both sides at all keys of either, sorted; zero where a side has none. Notes are -1 there."""

    keys: Ints
    in_refunds: Flags
    in_credits: Flags
    refund: Ints
    credited: Ints
    returned: Ints
    noted: Ints
    low: Ints
    high: Ints


def reconcile_lines(return_lines: pd.DataFrame, credit_lines: pd.DataFrame) -> Reconciled:
    """Pair lines by (rma, stock_code) and explain every gap to the penny.

    return_lines: rma, stock_code (text), quantity, refund_pence (integers). credit_lines: rma (as attributed),
    credit_note_code, stock_code, quantity, gross_pence. Lines of the same key are added up. In every row
    gap = credited - refund = the sum of the legs: ``quantity`` is units credited too many at the refunded price
    (rounded down), ``value`` the rest, ``missing`` a refund without credit (negative), ``extra`` one without refund.
    Raises ``TypeError`` for a number that is no integer, ``ValueError`` for text that is missing.
    """
    texts = [[return_lines[name], credit_lines[name]] for name in ("rma", "stock_code")]
    with ThreadPoolExecutor(2) as pool:  # Arrow works outside the interpreter's lock, and this is half of all the time
        (rma, rmas), (stock, stock_codes), (notes, note_codes) = pool.map(
            _codes, [*texts, [credit_lines["credit_note_code"]]]
        )
    width, split = max(len(stock_codes), 1), len(return_lines)
    keys = rma * width + stock
    given = _Given(keys[split:], notes, note_codes, width)
    nobody = np.zeros(split, dtype=np.int64)
    refunds = _side(keys[:split], return_lines, "refund_pence", nobody)
    pairs = _pair(refunds, _side(given.keys, credit_lines, "gross_pence", notes))
    figures = _figures(pairs)
    status = _line_status(pairs, figures["gap_pence"])
    sums = {name: figures[name] for name in SUMS}
    lines = {
        "rma": _texts(rmas.take(pairs.keys // width)),
        "stock_code": _texts(stock_codes.take(pairs.keys % width)),
        "status": _words(LINE_STATUSES, status),
        "credit_note_code": _texts(_note_texts(pairs, given)),
        **sums,
    }
    return Reconciled(pd.DataFrame(lines, copy=False), _returns(pairs, given, rmas, sums, status != 0))


def _codes(columns: Sequence[pd.Series[Any]]) -> tuple[Ints, Any]:
    """Number equal texts equally over all columns; the numbers, one column after the other, and the texts (Arrow)."""
    import pyarrow as pa

    parts = [chunk.cast(pa.large_string()) for column in columns for chunk in _chunks(column)]
    encoded = pa.chunked_array(parts, pa.large_string()).combine_chunks().dictionary_encode()
    if encoded.null_count:
        raise ValueError(f"{columns[0].name}: {encoded.null_count} values are missing, every line needs one")
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary


def _chunks(column: pd.Series[Any]) -> list[Any]:
    import pyarrow as pa

    array = pa.array(column, from_pandas=True)
    return list(array.chunks) if isinstance(array, pa.ChunkedArray) else [array]


def _whole(frame: pd.DataFrame, column: str) -> Ints:
    if not pd.api.types.is_integer_dtype(frame[column].dtype):
        raise TypeError(f"{column} is {frame[column].dtype}: whole numbers are expected")
    return frame[column].to_numpy(dtype=np.int64)


def _side(keys: Ints, frame: pd.DataFrame, money: str, notes: Ints) -> _Side:
    order = np.argsort(keys)
    starts = _starts(keys[order])
    quantity, pence = _whole(frame, "quantity")[order], _whole(frame, money)[order]
    sorted_notes = notes[order]
    return _Side(
        keys[order][starts],
        _reduce(np.add, quantity, starts),
        _reduce(np.add, pence, starts),
        _reduce(np.minimum, sorted_notes, starts),
        _reduce(np.maximum, sorted_notes, starts),
    )


def _starts(sorted_keys: Ints) -> Ints:
    """Where each run of equal keys begins."""
    if not len(sorted_keys):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], sorted_keys[1:] != sorted_keys[:-1])))


def _reduce(operation: np.ufunc, values: Ints, starts: Ints) -> Ints:
    if len(starts) == len(values):
        return values
    reduced: Ints = operation.reduceat(values, starts)
    return reduced


def _pair(refunds: _Side, credits_: _Side) -> _Pairs:
    both = np.sort(np.concatenate((refunds.keys, credits_.keys)), kind="stable")
    keys = both[_starts(both)]
    left, right = np.searchsorted(keys, refunds.keys), np.searchsorted(keys, credits_.keys)
    return _Pairs(
        keys,
        _placed(np.ones(len(left), dtype=np.bool_), left, len(keys)),
        _placed(np.ones(len(right), dtype=np.bool_), right, len(keys)),
        _placed(refunds.pence, left, len(keys)),
        _placed(credits_.pence, right, len(keys)),
        _placed(refunds.quantity, left, len(keys)),
        _placed(credits_.quantity, right, len(keys)),
        _placed(credits_.low + 1, right, len(keys)) - 1,
        _placed(credits_.high + 1, right, len(keys)) - 1,
    )


def _placed(values: NDArray[Any], at: Ints, size: int) -> NDArray[Any]:
    """Values at their places among ``size`` zeros."""
    placed = np.zeros(size, dtype=values.dtype)
    placed[at] = values
    return placed


def _figures(pairs: _Pairs) -> dict[str, Ints]:
    gap, is_paired = pairs.credited - pairs.refund, pairs.in_refunds & pairs.in_credits
    units = np.where(is_paired & (pairs.returned != 0), pairs.noted - pairs.returned, 0)
    quantity = np.floor_divide(pairs.refund * units, np.where(pairs.returned == 0, 1, pairs.returned))
    return {
        "refund_pence": pairs.refund,
        "credited_pence": pairs.credited,
        "gap_pence": gap,
        "gap_quantity_pence": quantity,
        "gap_value_pence": np.where(is_paired, gap - quantity, 0),
        "gap_missing_pence": np.where(pairs.in_credits, 0, gap),
        "gap_extra_pence": np.where(pairs.in_refunds, 0, gap),
    }


def _line_status(pairs: _Pairs, gap: Ints) -> Ints:
    """Positions in ``LINE_STATUSES``; a later one wins."""
    status = np.zeros(len(gap), dtype=np.int64)
    status[gap != 0] = 1
    status[pairs.returned != pairs.noted] = 2
    status[~pairs.in_credits] = 3
    status[~pairs.in_refunds] = 4
    return status


def _returns(pairs: _Pairs, given: _Given, rmas: Any, sums: dict[str, Ints], differs: Flags) -> pd.DataFrame:
    rma = pairs.keys // given.width
    starts = _starts(rma)
    by_return = {name: _reduce(np.add, values, starts) for name, values in sums.items()}
    notes = _note_counts(pairs, given, starts)
    status = np.zeros(len(starts), dtype=np.int64)
    status[_any(differs, starts)] = 1
    status[by_return["gap_pence"] != 0] = 2
    status[(notes > 1) & (by_return["gap_pence"] > 0)] = 3
    status[notes == 0] = 4
    status[~_any(pairs.in_refunds, starts)] = 5
    told = {"rma": _texts(rmas.take(rma[starts])), "status": _words(RETURN_STATUSES, status), "credit_notes": notes}
    return pd.DataFrame({**told, **by_return}, copy=False)


def _any(flags: Flags, starts: Ints) -> Flags:
    return _reduce(np.maximum, flags.astype(np.int64), starts) > 0


def _note_texts(pairs: _Pairs, given: _Given) -> Any:
    """The note of each key, empty without one; several are sorted and joined by a comma."""
    import pyarrow as pa
    import pyarrow.compute as pc

    single = pc.fill_null(given.texts.take(pa.array(pairs.low, mask=pairs.low < 0)), "")
    is_many = pairs.low != pairs.high
    if not is_many.any():
        return single
    named: dict[int, list[str]] = {key: [] for key in pairs.keys[is_many].tolist()}
    rows = np.isin(given.keys, pairs.keys[is_many])
    for key, text in zip(given.keys[rows].tolist(), given.texts.take(given.notes[rows]).to_pylist(), strict=True):
        named[key].append(text)
    joined = pa.array([", ".join(sorted(set(texts))) for texts in named.values()], pa.large_string())
    return pc.replace_with_mask(single, pa.array(is_many), joined)


def _note_counts(pairs: _Pairs, given: _Given, starts: Ints) -> Ints:
    """How many different notes each return has; they are only counted where there is more than one."""
    low = _reduce(np.minimum, np.where(pairs.low < 0, np.iinfo(np.int64).max, pairs.low), starts)
    high = _reduce(np.maximum, pairs.high, starts)
    counts = (high >= 0).astype(np.int64)
    is_many = (high >= 0) & (low != high)
    if is_many.any():
        many = (pairs.keys[starts] // given.width)[is_many]
        rma = given.keys // given.width
        rows = np.isin(rma, many)
        owners = np.unique(np.stack((rma[rows], given.notes[rows])), axis=1)[0]
        counts[is_many] = np.unique(owners, return_counts=True)[1]
    return counts


def _texts(array: Any) -> Any:
    text: Any = pd.StringDtype(na_value=np.nan)
    return text.__from_arrow__(array)


def _words(words: tuple[str, ...], at: Ints) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(at.astype(np.int8), pd.Index(words))
