"""Single cells: text becomes a value, or a ``ValueError`` that says why not.

Belongs here: one kind of value each. Stays out: which column is of which kind (``layouts``) and rows (``tables``).
Money is minor units, moments are UTC, days are London days. An empty cell never comes here.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.swap import dates
from khaos_swap_assets.adapters.swap.values import MOST_PENCE
from khaos_swap_assets.adapters.texts import LONGEST_KEY
from khaos_swap_assets.domain.money.amounts import exponent_of, to_pence
from khaos_swap_assets.domain.money.periods import LONDON, OutsideError, london_date, require_trade

MOST_UNITS = 100_000_000
KEEP_TEXT = "export again, and open the file in Excel by Data, From Text, with this column as Text"
YES, NO = frozenset({"true", "yes", "y", "1", "-1"}), frozenset({"false", "no", "n", "0"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d{2,3}", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)


def code(text: str) -> str:
    """A code as it is, end spaces too: two codes that differ by a space are two codes."""
    if _CONTROL.search(text):
        raise ValueError("holds a line break or another control character")
    if _SHORTENED.fullmatch(text.strip()):
        raise ValueError(f"was shortened by a spreadsheet (scientific notation), and its digits are lost: {KEEP_TEXT}")
    return texts.key(text)


def key(text: str) -> str:
    """A reference, without the spaces around it."""
    return code(text.strip())


def note(text: str) -> str:
    """Words for a person, of which any length may come; the beginning is kept."""
    return texts.words(text, LONGEST_KEY)


def currency(text: str) -> str:
    """An ISO currency code in capitals."""
    exponent_of(text.strip())
    return text.strip().upper()


def money(text: str, code_: str, *, is_signed: bool = False) -> int:
    """An amount as minor units of the currency; negative only where the column may be."""
    pence = to_pence(text.strip(), code_)
    if pence < 0 and not is_signed:
        raise ValueError("is negative: amounts are written positive")
    if abs(pence) >= MOST_PENCE:
        raise ValueError("is too large an amount")
    return pence


def quantity(text: str) -> int:
    """Whole units; never negative. ``2.0`` is 2."""
    number = signed_quantity(text)
    if number < 0:
        raise ValueError("is negative: quantities are written positive")
    return number


def signed_quantity(text: str) -> int:
    """Whole units, negative in a file that writes credits so."""
    number = _number(text)
    if number != int(number) or abs(number) > MOST_UNITS:
        raise ValueError("is no whole number of units")
    return int(number)


def vat_percent(text: str) -> Decimal:
    """A VAT rate in percent, from 0 to 100: ``20``, ``20%``, or as a fraction below 1 (``0.2``)."""
    number = _number(text.strip().removesuffix("%"))
    if not 0 <= number <= 100:
        raise ValueError("is no VAT rate from 0 to 100 percent")
    is_fraction = 0 < number < 1 and not text.strip().endswith("%")
    return number * 100 if is_fraction else number


def flag(text: str) -> bool:
    """A truth value."""
    word = text.strip().lower()
    if word not in YES | NO:
        raise ValueError("is neither yes nor no")
    return word in YES


def day(text: str) -> date:
    """A London day: a plain date is that day, a moment the London day on which it lies."""
    plain = text.strip()
    if _DAY.fullmatch(plain):
        return _of_trade(_day_of(plain))
    return london_date(khaos_moment(plain))


def khaos_moment(text: str) -> datetime:
    """A moment as Khaos writes it: where it names no zone, London is meant (khaos.md §4.8)."""
    return moment(text, LONDON)


def moment(text: str, zone: tzinfo = UTC) -> datetime:
    """A moment; where it names no zone, ``zone`` is meant."""
    try:
        found = dates.parse(text, zone)
    except OutsideError:
        raise
    except ValueError:
        found = None
    if found is None:
        raise ValueError("is no date: YYYY-MM-DD is expected, with or without a time")
    return found


def moment_text(text: str) -> str:
    """A moment as ISO text, for what is read as Swap's own JSON afterwards."""
    return moment(text).isoformat()


def pack(text: str) -> tuple[tuple[str, int], ...]:
    """Components of a pack: ``CODE:qty;CODE:qty``."""
    return tuple(_component(part) for part in text.split(";") if part.strip())


def _component(text: str) -> tuple[str, int]:
    name, colon, units = text.rpartition(":")
    if not (colon and name.strip()):
        raise ValueError("is no list of components: CODE:qty;CODE:qty is expected")
    return key(name), quantity(units)


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError("is no number that we can read")
    return Decimal(text.strip())


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def _of_trade(found: date) -> date:
    require_trade(found.year)
    return found
