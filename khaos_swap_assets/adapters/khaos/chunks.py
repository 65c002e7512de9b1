"""Asking for many keys in few calls, and losing only the key that spoils a call.

Belongs here: chunks, the halving of a chunk that Khaos refuses, keys that cannot be asked for. Stays out: the calls.
Source: contracts/khaos.md §5.4, §7.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault, UnusableDocumentError
from khaos_swap_assets.adapters.khaos.wire import RowFault, Rows

HOPELESS = 5
_UNADDRESSABLE = "an empty code or one with a comma cannot be asked for; rename it in Khaos"

Row = TypeVar("Row")


def gather(keys: Iterable[str], size: int, fetch: Callable[[Sequence[str]], Rows[Row]]) -> Rows[Row]:
    """Fetch all ``keys``, each once, at most ``size`` a call; a refused chunk is halved down to the bad key.

    Raises ``PermanentError`` when a chunk of five or more gave nothing but faults: then Khaos, not a key, is the
    trouble. Transient errors pass through.
    """
    wanted, faults = addressable(keys)
    rows: list[Row] = []
    for start in range(0, len(wanted), size):
        got, bad = _halving(wanted[start : start + size], fetch)
        if not got and len(bad) >= HOPELESS:
            raise PermanentError(f"Khaos answers none of {len(bad)} keys; the first: {bad[0].reason}")
        rows += got
        faults += bad
    return rows, faults


def addressable(keys: Iterable[str]) -> tuple[list[str], list[RowFault]]:
    """Keys that a comma list can carry, each once; the others as faults (khaos.md §7.1)."""
    distinct = list(dict.fromkeys(keys))
    good = [key for key in distinct if key.strip() and "," not in key]
    return good, [RowFault(key, _UNADDRESSABLE) for key in distinct if key not in set(good)]


def _halving(keys: Sequence[str], fetch: Callable[[Sequence[str]], Rows[Row]]) -> Rows[Row]:
    try:
        return fetch(keys)
    except (KhaosFault, UnusableDocumentError) as error:
        if len(keys) == 1:
            return [], [RowFault(keys[0], str(error))]
    middle = len(keys) // 2
    (left, left_faults), (right, right_faults) = _halving(keys[:middle], fetch), _halving(keys[middle:], fetch)
    return left + right, left_faults + right_faults
