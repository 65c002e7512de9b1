"""Asking for many keys in few calls, or one by one, and losing only the key that spoils a call.

Belongs here: chunks, the halving of a chunk that Khaos refuses or is silent about, keys that cannot be asked for. Stays
out: the calls. Source: contracts/khaos.md §5.4, §7.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.errors import PermanentError, TransientError, VendorError
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault, UnusableDocumentError
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault, RefusedKey, Rows

HOPELESS = 5
AT_ONCE = 2
# So many calls without any answer reach one silent key in a chunk of 50; more of them are an outage.
MOST_SILENT = 8
_UNADDRESSABLE = "an empty code, a damaged or too long one or one with a comma cannot be asked for; rename it in Khaos"

Row = TypeVar("Row")
Answer = TypeVar("Answer")


def gather(keys: Iterable[str], size: int, fetch: Callable[[Sequence[str]], Rows[Row]]) -> Rows[Row]:
    """Fetch all ``keys``, each once, at most ``size`` a call; a refused chunk is halved down to the bad key.

    A key that gets no answer, while others get theirs, is bad too. Raises ``PermanentError`` when a chunk of five or
    more gave nothing but faults: then Khaos, not a key, is the trouble. Raises ``TransientError`` when Khaos is silent.
    """
    wanted, faults = addressable(keys)
    rows: list[Row] = []
    asking = _Asking(fetch)
    for start in range(0, len(wanted), size):
        got, bad = asking.halving(wanted[start : start + size])
        if not got and len(bad) >= HOPELESS:
            raise PermanentError(f"Khaos answers none of {len(bad)} keys; the first: {bad[0].reason}")
        rows += got
        faults += bad
    if asking.silence and not asking.has_answered and len(wanted) > 1:
        raise asking.silence
    return rows, faults


def addressable(keys: Iterable[str]) -> tuple[list[str], list[KhaosRowFault]]:
    """Keys that a comma list can carry, each once; the others as faults (khaos.md §7.1)."""
    distinct = list(dict.fromkeys(keys))
    bad = [key for key in distinct if not _is_addressable(key)]
    faults = [KhaosRowFault(texts.subject(key), _UNADDRESSABLE) for key in bad]
    return [key for key in distinct if _is_addressable(key)], faults


def _is_addressable(key: str) -> bool:
    try:
        return bool(texts.key(key).strip()) and "," not in key
    except ValueError:
        return False


@dataclass
class _Asking(Generic[Row]):
    """The calls of one gathering, with what is known of Khaos's being there at all."""

    fetch: Callable[[Sequence[str]], Rows[Row]]
    has_answered: bool = False
    silence: TransientError | None = None
    silent: int = 0

    def halving(self, keys: Sequence[str]) -> Rows[Row]:
        try:
            found = self.fetch(keys)
        except (KhaosFault, UnusableDocumentError) as error:
            self._heard()
            reason = str(error)
        except TransientError as error:
            self._heard_nothing(error)
            reason = str(error)
        else:
            self._heard()
            return found
        if len(keys) == 1:
            return [], [RefusedKey(keys[0], reason)]
        middle = len(keys) // 2
        (left, left_faults), (right, right_faults) = self.halving(keys[:middle]), self.halving(keys[middle:])
        return left + right, left_faults + right_faults

    def _heard(self) -> None:
        self.has_answered, self.silent = True, 0

    def _heard_nothing(self, error: TransientError) -> None:
        self.silence, self.silent = error, self.silent + 1
        if error.place or self.silent >= MOST_SILENT:
            raise error


def each(keys: Sequence[str], ask: Callable[[str], Answer]) -> Iterator[tuple[str, Answer | VendorError]]:
    """``ask`` for each key, two at a time, in order; an error stands in for its own key.

    Closing the iterator drops what was not yet begun.
    """

    def answer(key: str) -> Answer | VendorError:
        try:
            return ask(key)
        except VendorError as error:
            return error

    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="khaos-orders")
    try:
        yield from zip(keys, pool.map(answer, keys), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
