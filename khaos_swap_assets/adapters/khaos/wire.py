"""How Khaos spells values: booleans, dates, money, quantities; and rows that cannot be read.

Belongs here: tolerant readers of one value in an XML row, and ``KhaosRowFault``. Stays out: which fields a row has
(``stock``, ``status``, ``orders``). Readers raise ``ValueError`` naming the field; ``read_rows`` turns that into a
fault of that row alone. Source: contracts/khaos.md §4.8, §7.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from lxml import etree

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.domain.money.amounts import from_pence, to_pence
from khaos_swap_assets.domain.money.periods import require_trade

LONDON = ZoneInfo("Europe/London")
ZERO_DATES = frozenset({date(1899, 12, 30), date(1899, 12, 31)})
_TRUE, _FALSE = frozenset({"-1", "1", "true"}), frozenset({"0", "false", ""})
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,18})?|\.\d{1,18})([eE][+-]?\d{1,2})?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_UK = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})( .*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NOISE = Decimal("0.00001")
_MOST = 10**9
_MOST_DIGITS = 13

Row = TypeVar("Row")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KhaosRowFault:
    """A row of Khaos that could not be read: ``subject`` is its code (or a hash of it), ``reason`` one line."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedKey(KhaosRowFault):
    """A key that Khaos refuses to answer about at all, in whatever company it is asked for."""


Rows: TypeAlias = tuple[list[Row], list[KhaosRowFault]]


def read_rows(
    elements: Iterable[etree._Element], parse: Callable[[etree._Element], Row], *keys: str
) -> tuple[list[Row], list[KhaosRowFault]]:
    """Parse each row; one that does not parse loses only itself. ``keys`` are the paths that name a row.

    So does one on which our own reading fails: its trace goes to the log.
    """
    rows: list[Row] = []
    faults: list[KhaosRowFault] = []
    for element in elements:
        try:
            rows.append(parse(element))
        except (ValueError, ArithmeticError) as error:
            faults.append(KhaosRowFault(subject_of(element, *keys), f"{error}" or "a number is out of all bounds"))
        except Exception as error:
            subject = subject_of(element, *keys)
            log.error("reading %s failed; all other rows go on", subject, exc_info=error)
            faults.append(
                KhaosRowFault(subject, f"it cannot be read by a fault of ours: {type(error).__name__}: {error}")
            )
    return rows, faults


def subject_of(element: etree._Element, *keys: str) -> str:
    """What to call a row: the first of ``keys`` that it fills, else a hash of its content."""
    named = next((found for key in keys if (found := words(element, key))), "")
    return texts.subject(named) or hashlib.sha256(etree.tostring(element, with_tail=False)).hexdigest()[:16]


def text(element: etree._Element, path: str) -> str:
    """The trimmed text at ``TAG``, ``TAG/TAG``, ``@ATTRIBUTE`` or ``TAG/@ATTRIBUTE``; empty when absent.

    Raises ``ValueError`` when it is too long for a code, or damaged.
    """
    return _named(path, texts.key, _found(element, path).strip())


def words(element: etree._Element, path: str) -> str:
    """Like ``text``, of which any length and content may come: its beginning."""
    return texts.words(_found(element, path))


def _found(element: etree._Element, path: str) -> str:
    where, _, attribute = path.partition("@")
    found = element.find(where.rstrip("/")) if where else element
    if found is None:
        return ""
    return (found.get(attribute) or "") if attribute else "".join(map(str, found.itertext()))


def code(element: etree._Element, path: str) -> str:
    """A Stock Code as it is, with the spaces at its ends: ``A1`` and ``A1 `` are two items.

    Line breaks around it are layout of the document. Raises ``ValueError`` when it is empty.
    """
    required(element, path)
    return _named(path, texts.key, _found(element, path).strip("\r\n\t"))


def required(element: etree._Element, path: str) -> str:
    """Like ``text``; raises ``ValueError`` when it is empty."""
    if found := text(element, path):
        return found
    raise ValueError(f"{path} is missing")


def flag(element: etree._Element, path: str, *, default: bool = False) -> bool:
    """A boolean: -1, 1 or true; 0, false or empty. Absent is ``default``."""
    found = text(element, path)
    return _named(path, to_bool, found) if found else default


def day(element: etree._Element, path: str) -> date | None:
    """A London date; None when empty or the Delphi zero date."""
    return _named(path, to_date, text(element, path))


def quantity(element: etree._Element, path: str) -> int:
    """A whole number of units; raises ``ValueError`` for a fraction."""
    return _named(path, to_quantity, required(element, path))


def money(element: etree._Element, path: str, currency: str) -> int:
    """An amount in minor units of ``currency``; raises ``ValueError`` when it is missing."""
    return _named(path, lambda found: to_money(found, currency), required(element, path))


def number(element: etree._Element, path: str) -> Decimal | None:
    """A decimal of any precision; None when empty."""
    found = text(element, path)
    return _named(path, to_decimal, found) if found else None


def currency(element: etree._Element, path: str) -> str:
    """An ISO currency code; raises ``ValueError`` when it is missing or something else."""
    code = required(element, path).upper()
    if not _CURRENCY.fullmatch(code):
        raise ValueError(f"{path}: {code[:40]!r} is no currency code")
    return code


def _named(path: str, read: Callable[[str], Row], found: str) -> Row:
    try:
        return read(found)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def to_bool(value: str) -> bool:
    """Read -1, 1, true, 0, false or empty, in any case. Raises ``ValueError`` for anything else."""
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{value[:40]!r} is neither true nor false")
    return word in _TRUE


def to_date(value: str) -> date | None:
    """Read an ISO or DD/MM/YYYY date, with or without a time, as a London date.

    A trailing Z is ignored: Khaos puts it on London times (khaos.md §4.8). Raises ``ValueError``.
    """
    word = value.strip()
    if not word:
        return None
    found = _iso_date(word) if _ISO.fullmatch(word) else _uk_date(word)
    return None if found in ZERO_DATES else found


def _iso_date(word: str) -> date:
    moment = datetime.fromisoformat(word.removesuffix("Z"))
    if moment.date() not in ZERO_DATES:
        require_trade(moment.year)
    return moment.astimezone(LONDON).date() if moment.tzinfo else moment.date()


def _uk_date(word: str) -> date:
    parts = _UK.fullmatch(word)
    if not parts:
        raise ValueError(f"{word[:40]!r} is no date")
    found = date(int(parts[3]), int(parts[2]), int(parts[1]))
    if found not in ZERO_DATES:
        require_trade(found.year)
    return found


def to_decimal(value: str) -> Decimal:
    """Read a plain or scientific decimal. Raises ``ValueError``."""
    word = value.strip()
    if not _NUMBER.fullmatch(word):
        raise ValueError(f"{value[:40]!r} is no number")
    number = Decimal(word)
    if number and number.adjusted() >= _MOST_DIGITS:
        raise ValueError(f"{value[:40]!r} is no number that any row has")
    return number


def to_quantity(value: str) -> int:
    """Read a whole number of units, ``2`` or ``2.0``. Raises ``ValueError``."""
    found = to_decimal(value)
    if abs(found) > _MOST or found != found.to_integral_value():
        raise ValueError(f"{value[:40]!r} is no whole number of units")
    return int(found)


def added(units: dict[str, int], code: str, more: int) -> None:
    """Add units of a Stock Code. Raises ``ValueError`` beyond what a row can hold."""
    units[code] = units.get(code, 0) + more
    if units[code] > _MOST:
        raise ValueError(f"{code[:40]!r}: more units than any document has")


def to_money(value: str, currency: str) -> int:
    """Read an amount in minor units. Binary noise of a Delphi double is dropped.

    Raises ``ValueError`` for a real fraction of a minor unit.
    """
    found = to_decimal(value)
    rounded = found.quantize(from_pence(1, currency), ROUND_HALF_UP)
    return to_pence(rounded if abs(rounded - found) <= _NOISE else found, currency)


def to_london(moment: datetime) -> datetime:
    """An aware moment as Khaos wants it in a query: London wall time without zone."""
    return moment.astimezone(LONDON).replace(tzinfo=None, microsecond=0)
